import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import * as z from 'zod';
import { until } from '../e2e/until.ts';
import { installMinistack, LocalAwsUnavailable } from './install.ts';
import { startLocalAws } from './local-aws.ts';
import { runningMembers } from './process-group.ts';

// With an AWS of your own there is nothing of ours to start and to end.
const skip = process.platform !== 'linux' || Boolean(process.env['TRUEUP_AWS_ENDPOINT_URL']);
const startedSchema = z.object({ group: z.number(), endpoint: z.string() });
let folder = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trueup-aws-test-'));
});
after(() => rm(folder, { recursive: true, force: true }));

async function isHealthy(endpoint: string): Promise<boolean> {
  return fetch(`${endpoint}/_ministack/health`).then(
    ({ ok }) => ok,
    () => false,
  );
}

test('it starts on a free port, answers, and ends with stop', { skip }, async () => {
  const lines: string[] = [];
  const dir = join(folder, 'stopped');
  const aws = await startLocalAws({ dir, progress: (line) => lines.push(line) });
  assert.ok(await isHealthy(aws.endpoint));
  assert.equal(aws.env['AWS_ENDPOINT_URL'], aws.endpoint);
  assert.ok(lines.includes(`local AWS: ready at ${aws.endpoint}`));
  assert.ok(aws.group !== undefined && (await runningMembers(aws.group)).length > 0);
  await aws.stop();
  await aws.stop();
  assert.deepEqual(await runningMembers(aws.group), []);
  assert.equal(await isHealthy(aws.endpoint), false);
});

test('it ends when the process that started it is killed', { skip }, async () => {
  const script = join(import.meta.dirname, 'fixtures', 'start-and-wait.ts');
  const parent = spawn(process.execPath, [script, join(folder, 'killed')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = z.tuple([z.string()]).parse(await once(createInterface(parent.stdout), 'line'));
  const { group, endpoint } = startedSchema.parse(JSON.parse(line));
  assert.ok(await isHealthy(endpoint));
  parent.kill('SIGKILL');
  await until('the end of the local AWS', async () =>
    (await runningMembers(group)).length === 0 ? true : undefined,
  );
  assert.equal(await isHealthy(endpoint), false);
});

test('without python3 the error says what to install or to set instead', async () => {
  const empty = join(folder, 'empty');
  await mkdir(empty);
  const failed = installMinistack(() => {}, { PATH: empty, TRUEUP_CACHE: empty });
  await assert.rejects(failed, (error) => {
    assert.ok(error instanceof LocalAwsUnavailable);
    assert.match(error.message, /apt-get install python3 python3-venv/);
    assert.match(error.message, /TRUEUP_AWS_ENDPOINT_URL/);
    return true;
  });
});

test('an AWS that is there already is used as it is', async (context) => {
  const given = process.env['TRUEUP_AWS_ENDPOINT_URL'];
  context.after(() => {
    if (given === undefined) delete process.env['TRUEUP_AWS_ENDPOINT_URL'];
    else process.env['TRUEUP_AWS_ENDPOINT_URL'] = given;
  });
  process.env['TRUEUP_AWS_ENDPOINT_URL'] = 'http://127.0.0.1:4566';
  const aws = await startLocalAws({ dir: join(folder, 'given') });
  assert.equal(aws.endpoint, 'http://127.0.0.1:4566');
  assert.equal(aws.group, undefined);
  await aws.stop();
});
