import { brokenChapter } from './broken-chapter.ts';
import { driftChapter } from './drift-chapter.ts';
import { pushFiles, watchPush } from './push-chapter.ts';
import { nextApplication, nextEnvironment } from './demo-repository.ts';
import { readPromoted } from '../../core/promoted-book.ts';
import { edited, targetsOf, type Stage } from './stage.ts';
import { until } from './until.ts';

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
  await nextChapter(stage);
}

/** What was healthy where the branch is followed went on to the environment behind it, all by itself, while the rest was told. */
async function nextChapter({ narrator, records, cluster }: Stage): Promise<void> {
  narrator.chapter('Meanwhile, in the environment behind this one');
  const { commit } = await until(`a commit promoted to ${nextEnvironment}`, async () => {
    const known = await readPromoted(records.store, nextEnvironment);
    return known.commit === undefined ? undefined : known;
  });
  const what = `${commit?.sha.slice(0, 7)}, by ${commit?.by}: every target of config was healthy with it`;
  narrator.step('promoted', undefined, `${nextEnvironment} has ${what}`);
  const target = { cluster, application: nextApplication };
  const counts = await until(`${nextApplication} applied`, async () => {
    const applied = (await records.runs(target)).flatMap(({ value: { outcome } }) =>
      outcome?.kind === 'applied' ? [outcome.counts] : [],
    );
    return applied[0];
  });
  narrator.step('applied there', undefined, `${cluster}/${nextApplication}: ${counts.created} created`);
}
