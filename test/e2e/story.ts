import { brokenChapter } from './broken-chapter.ts';
import { driftChapter } from './drift-chapter.ts';
import { pushNow, watchPush } from './push-chapter.ts';
import { targetsOf, type Stage } from './stage.ts';

/**
 * The main line as a newcomer sees it (issue 3): push, upgrade, drift, alarm, heal, a broken commit, rollback.
 * Each step is read from the system's own records. Throws at the first step that is not seen.
 */
export async function tellStory(stage: Stage): Promise<void> {
  const { narrator, records, clone, cluster } = stage;
  const { healed, observed } = targetsOf(cluster);

  narrator.chapter('A push brings two applications to the cluster');
  await clone.edit('apps/storefront/web.yaml', '<h1>storefront</h1>', '<h1>storefront, open</h1>');
  await watchPush(stage, await pushNow(stage, 'storefront: open the shop'), [healed, observed]);
  const first = await records.desired(healed);
  if (first === undefined) throw new Error('storefront has no desired pointer');

  narrator.chapter('A push upgrades one of them');
  await clone.edit('apps/storefront/web.yaml', 'nginx:1.29.1', 'nginx:1.29.2');
  await watchPush(stage, await pushNow(stage, 'storefront: nginx 1.29.2'), [healed]);

  await driftChapter(stage);
  await brokenChapter(stage, first);
}
