import type { RepositoryConfig } from '../contract/repository.ts';
import type { PullPreview } from '../model/pull-preview.ts';
import { scrub } from '../model/scrub.ts';
import { updatePreview } from './records.ts';
import { tellPull, type TellDeps } from './tell-pull.ts';

/**
 * Says by the status that a head is not previewed, and why: one that is required must not wait for ever. Nothing is said
 * where somebody else began it anew. Any event of the pull request begins it once more.
 */
export async function giveUp(
  repository: RepositoryConfig,
  { id, work: seen }: Pick<PullPreview, 'id' | 'work'>,
  why: string,
  deps: TellDeps,
): Promise<void> {
  const failed = scrub(why);
  const key = { repository: repository.name, id };
  const now = await updatePreview(deps.store, key, ({ work, ...record }) => {
    if (record.state !== 'rendering' || work?.claim !== seen?.claim) return undefined;
    return {
      ...record,
      state: 'given-up' as const,
      ...(work && { work: { ...work, atWork: false, failed } }),
    };
  });
  if (now?.state === 'given-up') await tellPull(repository, id, deps);
}
