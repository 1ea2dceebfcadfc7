import { targetKey } from '../../core/model/target.ts';
import { git } from '../git/git-command.ts';
import { pushFiles, watchDelivery, watchPush } from './push-chapter.ts';
import { edited, targetsOf, type Stage } from './stage.ts';
import { until } from './until.ts';

const manifest = 'apps/storefront/web.yaml';

/** A commit that cannot be read changes nothing; a revert takes production back to the snapshot it had before. */
export async function brokenChapter(stage: Stage, before: { readonly snapshot: string }): Promise<void> {
  const { narrator, kubectl, records, clone, cluster } = stage;
  const { healed } = targetsOf(cluster);
  const versionOf = () =>
    kubectl(
      'get',
      'deployment/web',
      '--namespace',
      'storefront',
      '--output',
      'jsonpath={.metadata.resourceVersion}',
    );

  narrator.chapter('Somebody pushes a commit that cannot be read');
  const version = await versionOf();
  const typo = await edited(stage, manifest, '  replicas: 2', '  replicas: [2');
  const broken = await pushFiles(stage, 'storefront: scale (with a typo)', typo);
  await watchDelivery(stage, broken);
  const failed = await until(`${targetKey(healed)} refusing ${broken.sha}`, async () => {
    const pointer = await records.desired(healed);
    return pointer?.failed?.sha === broken.sha ? pointer : undefined;
  });
  for (const { subject, message } of failed.failed?.faults ?? [])
    narrator.say(`             ${subject}: ${message}`);
  if (!JSON.stringify(failed.failed).includes(manifest))
    throw new Error(`the fault does not name ${manifest}`);
  narrator.step('refused', undefined, `${targetKey(healed)} stays at ${failed.snapshot.slice(0, 19)}`);
  const after = await versionOf();
  if (after !== version)
    throw new Error(`the broken commit touched the Deployment: resourceVersion ${version} → ${after}`);
  narrator.step('production as it was', undefined, `Deployment web is still at resourceVersion ${after}`);

  narrator.chapter('…and reverts it, with the upgrade before it');
  await git(clone, ['revert', '--no-commit', 'HEAD~2..HEAD']);
  const revert = await pushFiles(stage, 'Revert "storefront: nginx 1.29.2" and what followed');
  await watchPush(stage, revert, [healed]);
  const pointer = await records.desired(healed);
  if (pointer?.snapshot !== before.snapshot) {
    throw new Error(
      `the revert gave ${pointer?.snapshot}, not the snapshot of the first commit, ${before.snapshot}`,
    );
  }
  const image = await kubectl(
    'get',
    'deployment/web',
    '--namespace',
    'storefront',
    '--output',
    'jsonpath={..image}',
  );
  narrator.step('rolled back', undefined, `to the very snapshot of the first commit; image is ${image}`);
}
