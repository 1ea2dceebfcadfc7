import { prefixes } from '../contract/keys.ts';
import type { RepositoryConfig } from '../contract/repository.ts';
import { Stop, type Fault } from '../errors.ts';
import type { Git, Sealer, Store } from '../ports.ts';
import type { CommitStateDeps } from './commit-state.ts';

/** With which every refusal of ours begins, so that it is told from a fault of the change. */
const words = 'is not for previews';

/** What following a commit looks at to tell somebody of it; the role of previews may not read it. */
const unneeded = [prefixes.deliveries, prefixes.inventory];

/** What a preview may not read, as a fault of whoever asks for it. */
function withheld(subject: string, why: string): Stop {
  return new Stop({ subject, message: `${words}: ${why}` });
}

export function isWithheld({ message }: Fault): boolean {
  return message.startsWith(words);
}

/**
 * The world as previews may see it. Whoever opens a pull request sees what comes of it, and nobody has reviewed that: of what
 * charts look up, Secrets stay closed.
 */
export function worldOfPreview(deps: CommitStateDeps): CommitStateDeps {
  const store = without(deps.store, (key) => unneeded.some((prefix) => key.startsWith(prefix)));
  return { ...deps, store, sealer: withoutUnsealing(deps.sealer) };
}

/**
 * The same for a stranger's pull request: the repository that it is for, and nothing else. Other repositories, chart
 * repositories and bases may be private, and what was looked up on clusters is.
 */
export function worldOfStranger(repository: RepositoryConfig, deps: CommitStateDeps): CommitStateDeps {
  const refuse = (subject: string) => async (): Promise<never> => {
    throw withheld(subject, 'this pull request comes from a fork');
  };
  const world = worldOfPreview(deps);
  return {
    ...world,
    // Records of what charts looked up are below a folder of their cluster; what clusters can do is not.
    store: without(world.store, (key) => /^facts\/[^/]+\//.test(key)),
    git: onlyOf(repository, deps.git),
    charts: {
      fetch: async (chart) => refuse(`chart ${'oci' in chart ? chart.oci : chart.name}`)(),
      unpack: async (archive, subject) => deps.charts.unpack(archive, subject),
      newest: async (references) => references.map(() => ({ kind: 'none' as const })),
    },
  };
}

function withoutUnsealing(sealer: Sealer): Sealer {
  return {
    digestKey: async () => sealer.digestKey(),
    newDataKey: async (...given) => sealer.newDataKey(...given),
    encrypt: (...given) => sealer.encrypt(...given),
    decrypt: (...given) => sealer.decrypt(...given),
    unwrap: async () => {
      throw withheld('helm.lookup', 'it looks up Secrets, which are not opened for what nobody has reviewed');
    },
  };
}

/** Another store in which some documents are not there. */
function without(store: Store, isHidden: (key: string) => boolean): Store {
  return {
    get: async (key) => (isHidden(key) ? undefined : store.get(key)),
    put: async (...given) => store.put(...given),
    delete: async (...given) => store.delete(...given),
    entries: async (prefix) => store.entries(prefix),
    list: (...given) => store.list(...given),
  };
}

function onlyOf({ name, url }: RepositoryConfig, git: Git): Git {
  const check = (one: RepositoryConfig): void => {
    if (one.name === name && one.url === url) return;
    throw withheld(`repository ${one.name}`, 'this pull request comes from a fork');
  };
  return {
    head: async (one) => {
      check(one);
      return git.head(one);
    },
    heads: async (all) => {
      for (const one of all) check(one);
      return git.heads(all);
    },
    checkout: async (one, ...place) => {
      check(one);
      return git.checkout(one, ...place);
    },
  };
}
