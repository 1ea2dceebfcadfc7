import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { startLocalAws } from '../test/aws/local-aws.ts';
import { auditEvents } from '../test/cluster/audit-log.ts';
import { clusterClient } from '../test/cluster/cluster-client.ts';
import { findTools, toolFolders } from '../test/cluster/tools.ts';
import { openAuditStage } from '../test/e2e/audit-stage.ts';
import { narrator } from '../test/e2e/narrator.ts';
import { pushFiles, watchPush } from '../test/e2e/push-chapter.ts';
import { recordsOf, type Records } from '../test/e2e/records.ts';
import { kubectlOf, targetsOf } from '../test/e2e/stage.ts';
import { until } from '../test/e2e/until.ts';
import { cloneWorktree } from '../test/git/worktree.ts';

/**
 * `npm run bench:audit`: edit → recorded drift by the audit path on the local stack, with who it was. No sweep is due. How long
 * EKS and CloudWatch Logs take to deliver a line is not in it: that is theirs, and nothing local plays it.
 */

const rounds = 10;
const stampSchema = z.object({ stageTimestamp: z.string() });
const progress = (line: string) => process.stderr.write(`${line}\n`);

interface Round {
  /** Milliseconds from the request of the edit to the record. */
  readonly fromEdit: number;
  /** From the line of the audit log. */
  readonly fromLine: number;
}

function row(name: string, values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2;
  const seconds = (milliseconds: number) => (milliseconds / 1000).toFixed(2);
  const range = `${seconds(sorted[0] ?? NaN)} to ${seconds(sorted.at(-1) ?? NaN)} s`;
  return `| ${name} | ${seconds(median)} s | ${range} | ${values.length} |`;
}

async function newRecord(records: Records, known: ReadonlySet<string>, state: 'open' | 'healed') {
  const { healed } = targetsOf('local');
  return until(`a record, ${state}`, async () => {
    const all = await records.drifts(healed);
    const found = all.find(
      ({ key, value }) => !known.has(key) && (state === 'open' || value.state === state),
    );
    return found?.value;
  });
}

const dir = await mkdtemp(join(tmpdir(), 'trueup-bench-'));
const tools = await findTools({ progress });
const aws = await startLocalAws({ dir: join(dir, 'aws'), progress, extraPath: toolFolders(tools) });
const stage = await openAuditStage({ fleet: 'bench', dir, aws, progress });
try {
  const { installation, plane } = stage;
  const clone = join(dir, 'clone');
  await cloneWorktree(installation.cloneUrlWithToken, clone);
  const records = recordsOf(installation);
  const kubectl = kubectlOf(tools.kubectl, plane.kubeconfigPath);
  const { healed, observed } = targetsOf('local');
  const told = { installation, records, clone, narrator: narrator(progress), cluster: 'local', kubectl };
  await watchPush(told, await pushFiles(told, 'first'), [healed, observed]);
  const alice = await clusterClient(plane.kubeconfig, 'alice');
  const path = '/apis/apps/v1/namespaces/storefront/deployments/web';
  const measure = async (replicas: number): Promise<Round> => {
    const known = new Set((await records.drifts(healed)).map(({ key }) => key));
    const started = Date.now();
    await alice.patch(path, { spec: { replicas } });
    const record = await newRecord(records, known, 'open');
    if (record.who?.user !== 'alice') throw new Error(`the record names ${record.who?.user ?? 'nobody'}`);
    const line = (await auditEvents(plane.auditLogPath ?? '')).find(
      ({ auditID }) => auditID === record.who?.auditId,
    );
    const { stageTimestamp } = stampSchema.parse(line);
    const opened = Date.parse(record.openedAt);
    await newRecord(records, known, 'healed');
    // After a check the next one waits for ten seconds: a burst is not what is measured.
    await delay(10_500);
    return { fromEdit: opened - started, fromLine: opened - Date.parse(stageTimestamp) };
  };
  const cold = await measure(20);
  const warm: Round[] = [];
  for (let round = 1; round <= rounds; round += 1) warm.push(await measure(20 + round));
  await alice.close();
  console.log('| what | median | range | of |\n| --- | --- | --- | --- |');
  console.log(row('edit → recorded drift, cold functions', [cold.fromEdit]));
  console.log(
    row(
      'edit → recorded drift',
      warm.map(({ fromEdit }) => fromEdit),
    ),
  );
  console.log(
    row(
      'line of the audit log → recorded drift',
      warm.map(({ fromLine }) => fromLine),
    ),
  );
  console.log(`\nOf ${stage.feed.seen.lines} lines of the log ${stage.feed.seen.passed} passed the filter.`);
} finally {
  await stage.stop();
  await aws.stop();
  await rm(dir, { recursive: true, force: true });
}
