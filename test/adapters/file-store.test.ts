import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { FileStore } from '../../adapters/file-store.ts';
import { storeContract } from '../contract/store-contract.ts';

const directory = await mkdtemp(join(tmpdir(), 'trueup-store-'));
after(() => rm(directory, { recursive: true, force: true }));

storeContract('folder', async () => ({ store: new FileStore(join(directory, 'contract')), prefix: 'c/' }), {
  etagsRepeat: false,
});
