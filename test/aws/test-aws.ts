import { randomUUID } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { clientConfig } from './deploy.ts';
import { givenAws, startLocalAws } from './local-aws.ts';
import type { LocalAws } from './local-aws.ts';

export interface TestAws {
  aws: LocalAws;
  /** Configuration for any AWS SDK client. */
  client: ReturnType<typeof clientConfig>;
  /** Unique to this call; starts the name of whatever a test makes, since other files share the emulator. */
  prefix: string;
}

let ownAws: Promise<LocalAws> | undefined;

async function startOwn(): Promise<LocalAws> {
  const dir = await mkdtemp(path.join(tmpdir(), 'trueup-aws-'));
  process.once('exit', () => rmSync(dir, { recursive: true, force: true, maxRetries: 3 }));
  return startLocalAws({ dir, progress: (line) => process.stderr.write(`${line}\n`) });
}

/** The AWS of this test run (TRUEUP_TEST_AWS_ENDPOINT), or one for this file that ends with its process. */
export async function testAws(): Promise<TestAws> {
  const shared = process.env['TRUEUP_TEST_AWS_ENDPOINT'];
  const aws = shared === undefined ? await (ownAws ??= startOwn()) : givenAws(shared);
  return { aws, client: clientConfig(aws), prefix: `t${randomUUID().slice(0, 8)}` };
}
