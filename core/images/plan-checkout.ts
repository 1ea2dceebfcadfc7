import type { RepositoryConfig } from '../contract/repository.ts';
import type { Fault } from '../errors.ts';
import { faultsOf, Retry } from '../errors.ts';
import type { ImageRegistries } from '../image-ports.ts';
import type { ImageFacts, PushedImage } from '../model/image.ts';
import type { ImageMemory } from '../model/image-memory.ts';
import type { Clock, Worktree } from '../ports.ts';
import type { FactsOf } from './describe-update.ts';
import { formatImage, isSameRepository } from './image-reference.ts';
import { followersIn } from './followers.ts';
import { planImageUpdate, type ImageUpdate } from './plan-update.ts';
import { readImageCheckout } from './read-checkout.ts';

/** Whom to ask about images, and for how long. */
export interface AskingDeps {
  readonly registries: ImageRegistries;
  readonly clock: Pick<Clock, 'sleep'>;
}

/** What images change in a commit, with the texts that they change. */
export interface CheckoutPlan extends ImageUpdate {
  readonly texts: ReadonlyMap<string, string>;
}

/** A registry that is slow or broken holds up no commit. */
const patienceMs = 5_000;
/** Asked about in one go: more than a function gets at once. */
const mostAsked = 20;

/** Plans images over a commit. A digest that a registry's event left out is asked for. */
export async function planCheckout(
  worktree: Worktree,
  images: readonly PushedImage[],
  repository: RepositoryConfig,
  memory: ImageMemory['policies'],
  deps: AskingDeps,
): Promise<CheckoutPlan> {
  const isOf = (image: string) => images.some((pushed) => isSameRepository(image, pushed.repository));
  const { files, applications, faults } = await readImageCheckout(worktree, repository, isOf);
  const followed = new Set(followersIn({ files, applications }).map(({ following }) => following.image));
  const wanted = images.filter((image) =>
    [...followed].some((one) => isSameRepository(one, image.repository)),
  );
  const facts = await askFacts(
    wanted.filter(({ digest }) => digest === undefined),
    deps,
  );
  const known = wanted.map((image) => {
    const digest = image.digest ?? facts(image)?.digest;
    return { ...image, ...(digest !== undefined && { digest }) };
  });
  const update = planImageUpdate({ files, applications, images: known, memory });
  return { ...update, faults: [...unique([...faults, ...update.faults])], texts: files };
}

/** What is known of the builds of images. Where a registry does not say in time, nothing is: it is only told. */
export async function askFacts(
  images: readonly PushedImage[],
  { registries, clock }: AskingDeps,
): Promise<FactsOf> {
  const known = new Map<string, ImageFacts>();
  const key = ({ repository, tag, digest }: PushedImage) =>
    formatImage({ repository, tag, ...(digest !== undefined && { digest }) });
  const asked = images.slice(0, mostAsked).map(async (image) => {
    try {
      const facts = await registries.facts(image.repository, image.digest ?? image.tag);
      if (facts !== undefined) known.set(key(image), facts);
    } catch (error) {
      if (!(error instanceof Retry) && faultsOf(error) === undefined) throw error;
    }
  });
  if (asked.length > 0) await Promise.race([Promise.all(asked), clock.sleep(patienceMs)]);
  return (image) => known.get(key(image));
}

function unique(faults: readonly Fault[]): Iterable<Fault> {
  return new Map(faults.map((fault) => [`${fault.subject} ${fault.message}`, fault])).values();
}
