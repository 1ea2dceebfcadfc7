import type { Target } from '../../core/model/target.ts';
import { targetKey } from '../../core/model/target.ts';
import { secondsBetween } from '../../core/model/time.ts';
import { commitFiles, push as pushHead } from '../git/worktree.ts';
import type { Stage } from './stage.ts';
import { until } from './until.ts';

/** A push as it was made: when `git push` began, and what it brought. */
export interface Push {
  readonly sha: string;
  readonly startedAt: string;
}

/** Commits the files and pushes; none when what is to be committed is in the clone already. */
export async function pushFiles(
  stage: Stage,
  message: string,
  files: Readonly<Record<string, string>> = {},
): Promise<Push> {
  const sha = await commitFiles(stage.clone, files, message);
  const startedAt = new Date().toISOString();
  await pushHead(stage.clone);
  stage.narrator.say(`git push: ${sha.slice(0, 7)} "${message}"`);
  return { sha, startedAt };
}

/** From webhook to bus, out of the delivery ledger. */
export async function watchDelivery({ records, narrator }: Stage, { sha, startedAt }: Push): Promise<void> {
  const { id, receivedAt, publishedAt } = await until(`a published delivery of ${sha}`, async () =>
    (await records.deliveries()).find(
      ({ pushes, state }) => state === 'published' && pushes?.some(({ after }) => after === sha) === true,
    ),
  );
  narrator.step('webhook accepted', secondsBetween(startedAt, receivedAt), `delivery ${id}`);
  narrator.step('event on the bus', secondsBetween(startedAt, publishedAt ?? receivedAt), 'PushReceived');
}

/** The commit and the snapshot of each target, out of the repository's state and the desired pointers. */
async function watchSnapshots(stage: Stage, push: Push, targets: readonly Target[]): Promise<void> {
  const { records, narrator } = stage;
  const { sha, startedAt } = push;
  const state = await until(`the commit ${sha} fetched`, async () => {
    const known = await records.repository('refs/heads/main');
    return known?.head.sha === sha ? known : undefined;
  });
  narrator.step('commit fetched', secondsBetween(startedAt, state.head.at), sha.slice(0, 12));
  for (const target of targets) {
    const pointer = await until(`${targetKey(target)} at ${sha}`, async () => {
      const known = await records.desired(target);
      return known?.examined.sha === sha ? known : undefined;
    });
    const detail = `${targetKey(target)}: ${pointer.snapshot.slice(0, 19)}, ${pointer.objects} objects`;
    narrator.step('snapshot', secondsBetween(startedAt, pointer.examined.at), detail);
  }
}

/** Applied and healthy, out of the run records. */
export async function watchRun(stage: Stage, { sha, startedAt }: Push, target: Target): Promise<void> {
  const { records, narrator } = stage;
  const run = async () =>
    (await records.runs(target)).findLast(({ value }) => value.commit.sha === sha)?.value;
  const hint = async () => `its run record: ${JSON.stringify((await run()) ?? 'none')}`;
  const outcome = await until(`${targetKey(target)} applied`, async () => (await run())?.outcome, { hint });
  if (outcome.kind !== 'applied')
    throw new Error(`${targetKey(target)}: ${outcome.kind}: ${outcome.message}`);
  const { created, updated, pruned } = outcome.counts;
  const counts = `${created} created, ${updated} updated, ${pruned} pruned`;
  narrator.step('applied', secondsBetween(startedAt, outcome.at), `${targetKey(target)}: ${counts}`);
  const at = await until(
    `${targetKey(target)} healthy`,
    async () => {
      const health = (await run())?.health;
      return health?.status === 'Healthy' ? health.at : undefined;
    },
    { seconds: 180, hint },
  );
  narrator.step('healthy', secondsBetween(startedAt, at), targetKey(target));
}

/** The whole timeline of one push. */
export async function watchPush(stage: Stage, push: Push, changed: readonly Target[]): Promise<void> {
  await watchDelivery(stage, push);
  await watchSnapshots(stage, push, changed);
  for (const target of changed) await watchRun(stage, push, target);
}
