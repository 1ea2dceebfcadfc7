import { sealerContract } from '../contract/sealer-contract.ts';
import { MemorySealer } from './memory-sealer.ts';

sealerContract('memory', async () => new MemorySealer());
