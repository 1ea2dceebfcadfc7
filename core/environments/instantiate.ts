import { Stop } from '../errors.ts';
import type { Application } from '../model/application.ts';
import { jsonEqual } from '../model/json.ts';
import type { PreviewEnvironments } from '../model/preview-environments.ts';
import { environmentVariables, type Occasion } from './variables.ts';

type Source = Application['spec']['source'];
type Bases = Pick<Application['spec'], 'source' | 'sources'>;

/** The Application as its tracked branch has it, and how it is run for pull requests. */
export interface Template {
  readonly application: Application;
  readonly wish: PreviewEnvironments;
}

/**
 * The Application of one environment. Where it goes, with whose rights and what it may touch, the tracked branch says:
 * the pull request gives the contents and the source (`proposed`), which may read nothing that the tracked one does not.
 * Throws Stop for one that would.
 */
export function instantiate(
  { application, wish }: Template,
  {
    name,
    occasion,
    proposed,
  }: { readonly name: string; readonly occasion: Occasion; readonly proposed: Bases },
): Application {
  const { spec } = application;
  assertSameReach(application.metadata.name, spec, proposed);
  const variables = environmentVariables(wish, occasion);
  if (Object.keys(wish.variables).length > 0 && !isSubstituted(proposed.source)) {
    const message = 'previewEnvironments.variables need a source.substitute to take the place of';
    throw new Stop({ subject: `application ${application.metadata.name}`, message });
  }
  const {
    previewEnvironments: _wish,
    rollout: _rollout,
    schedule: _schedule,
    rollback: _rollback,
    ...rest
  } = spec;
  return {
    ...application,
    metadata: { name },
    spec: {
      ...rest,
      source: sourceOf(proposed.source, { name, variables }),
      namespace: name,
      ...identityOf(spec),
      // A person waits for what they pushed, and for all of it to go: it keeps nothing, waits for nobody, takes over nothing.
      sync: 'auto',
      drift: 'heal',
      prune: true,
      onDelete: 'prune',
      adopt: false,
      dependsOn: [],
      freeze: [],
      images: [],
    },
  };
}

/** A service account without a namespace is of the application's own, where it is and has its rights. */
function identityOf({
  impersonate,
  namespace,
}: Application['spec']): Pick<Application['spec'], 'impersonate'> {
  const { serviceAccount } = impersonate ?? {};
  if (impersonate === undefined || serviceAccount === undefined || serviceAccount.includes('/')) return {};
  return { impersonate: { ...impersonate, serviceAccount: `${namespace}/${serviceAccount}` } };
}

function sourceOf(
  source: Source,
  { name, variables }: { readonly name: string; readonly variables: Record<string, string> },
): Source {
  const { kustomize, overrides = [] } = source;
  const namespaced = overrides.map((one) =>
    one.kustomize?.namespace === undefined
      ? one
      : { ...one, kustomize: { ...one.kustomize, namespace: name } },
  );
  // Last, so that it wins over what differs by cluster.
  const last = { clusters: { selector: {} }, substitute: { variables, labels: {} } };
  const all = isSubstituted(source) ? [...namespaced, last] : namespaced;
  return {
    ...source,
    ...(kustomize?.namespace !== undefined && { kustomize: { ...kustomize, namespace: name } }),
    ...(all.length > 0 && { overrides: all }),
  };
}

/** Left out, a text such as `${HOME}` in a script stays as it is. */
function isSubstituted({ substitute, overrides = [] }: Source): boolean {
  return substitute !== undefined || overrides.some((one) => one.substitute !== undefined);
}

/** What nobody has reviewed reads its own folder, and no other repository or cluster than before. */
function assertSameReach(name: string, tracked: Bases, proposed: Bases): void {
  const refuse = (message: string): never => {
    throw new Stop({ subject: `application ${name}`, message });
  };
  if (tracked.source.repository !== undefined)
    refuse('previewEnvironments needs a folder of its own repository: leave out source.repository');
  if (typeof tracked.source.helm?.lookup === 'object' || typeof proposed.source.helm?.lookup === 'object')
    refuse(
      'a preview environment looks nothing up on its cluster: set helm.lookup to empty, or leave it out',
    );
  const reach = ({ source, sources = [] }: Bases) => [source.repository ?? '', [...sources]];
  if (!jsonEqual(reach(tracked), reach(proposed)))
    refuse('the pull request changes which repositories it reads; that counts once it is merged');
}
