import { brokenChapter } from './broken-chapter.ts';
import { driftChapter } from './drift-chapter.ts';
import { pushFiles, watchPush } from './push-chapter.ts';
import { edited, targetsOf, type Stage } from './stage.ts';

const manifest = 'apps/storefront/web.yaml';

/**
 * The main line as a newcomer sees it (issue 3): push, upgrade, drift, alarm, heal, a broken commit, rollback.
 * Each step is read from the system's own records. Throws at the first step that is not seen.
 */
export async function tellStory(stage: Stage): Promise<void> {
  const { narrator, records, cluster } = stage;
  const { healed, observed } = targetsOf(cluster);

  narrator.chapter('A push brings two applications to the cluster');
  const open = await edited(stage, manifest, '<h1>storefront</h1>', '<h1>storefront, open</h1>');
  await watchPush(stage, await pushFiles(stage, 'storefront: open the shop', open), [healed, observed]);
  const first = await records.desired(healed);
  if (first === undefined) throw new Error('storefront has no desired pointer');

  narrator.chapter('A push upgrades one of them');
  const upgrade = await edited(stage, manifest, 'nginx:1.29.1', 'nginx:1.29.2');
  await watchPush(stage, await pushFiles(stage, 'storefront: nginx 1.29.2', upgrade), [healed]);

  await driftChapter(stage);
  await brokenChapter(stage, first);
}
