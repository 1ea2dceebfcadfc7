import { refKey, refOf, type KubeObject } from '../../core/model/object.ts';
import type { Files } from '../fakes/memory-worktree.ts';
import type { SeededRandom } from './random.ts';

/** A cluster as applications see it. */
export interface ModelCluster {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** One application of a commit; never changed, so that what is made of it can be kept. */
export interface ModelApplication {
  readonly name: string;
  /** Clusters with this tier; every cluster when absent. */
  readonly tier?: string | undefined;
  readonly drift: 'heal' | 'observe';
  readonly onDelete: 'orphan' | 'prune';
  readonly objects: readonly KubeObject[];
  /** Its clusters one stage after the other, where it says so; `pause`: the second one waits for a person. */
  readonly stages?: 'soak' | 'pause' | undefined;
  /** What turns out bad is rolled back. */
  readonly rollsBack?: boolean | undefined;
  /** Pull requests run it on the first cluster. */
  readonly previews?: boolean | undefined;
  /** Nothing is done in this time; ISO 8601. */
  readonly freeze?: { readonly from: string; readonly until: string } | undefined;
  /** A fault that stops this application, or its whole file from being read. */
  readonly fault?: 'object' | 'file' | undefined;
}

export type ModelCommit = ReadonlyMap<string, ModelApplication>;

export const namespace = 'apps';

/** Where applications with stages begin, and where pull requests run. */
export const firstCluster = 'cluster-1';
/** Of a pull request's environment, after its last commit. */
export const previewHours = 12;

const kinds = ['ConfigMap', 'ConfigMap', 'Secret', 'Service', 'Deployment'] as const;

export function newObject(name: string, random: SeededRandom): KubeObject {
  const kind = random.pick(kinds) ?? 'ConfigMap';
  return withValue({ apiVersion: 'v1', kind, metadata: { name, namespace } }, random.hex(6));
}

/** The same object with another content. */
export function withValue(object: KubeObject, value: string): KubeObject {
  const { kind, metadata } = object;
  const secret = Buffer.from(value).toString('base64');
  switch (kind) {
    case 'Secret':
      return { apiVersion: 'v1', kind, metadata, type: 'Opaque', data: { fixed: 'YQ==', value: secret } };
    case 'Service':
      return { apiVersion: 'v1', kind, metadata, spec: { selector: { app: value }, type: 'ClusterIP' } };
    case 'Deployment': {
      const containers = [{ name: 'app', image: `registry.example/app:${value}` }];
      return {
        apiVersion: 'apps/v1',
        kind,
        metadata,
        spec: { replicas: 2, template: { spec: { containers } } },
      };
    }
    default:
      return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { fixed: 'a', value } };
  }
}

/** An image that never becomes ready is called so. */
const badImage = 'bad-';

/** The same Deployment with an image that never becomes ready. */
export function withBadImage(object: KubeObject, value: string): KubeObject {
  return withValue(object, `${badImage}${value}`);
}

/** The image of a Deployment that never becomes ready; undefined of anything else. */
export function badImageOf(object: object): string | undefined {
  return /"image":"(registry\.example\/app:bad-[^"]*)"/.exec(JSON.stringify(object))?.[1];
}

export function runsOn({ tier }: ModelApplication, { labels }: ModelCluster): boolean {
  return tier === undefined || labels['tier'] === tier;
}

const filesOfApplication = new WeakMap<ModelApplication, Files>();

/** The files of a commit. Each application is spelled once, however many commits have it. */
export function filesOf(commit: ModelCommit): Files {
  const files: Record<string, string> = {};
  for (const application of commit.values()) {
    const known = filesOfApplication.get(application) ?? spell(application);
    filesOfApplication.set(application, known);
    Object.assign(files, known);
  }
  return files;
}

/** JSON, which is YAML. */
function spell({ name, tier, drift, onDelete, objects, fault, ...more }: ModelApplication): Files {
  const spec = {
    source: { path: `apps/${name}` },
    clusters: { selector: { matchLabels: tier === undefined ? { fleet: 'yes' } : { tier } } },
    namespace,
    drift,
    onDelete,
    // What was left behind may come back, and nobody is there to say that it may be taken over.
    ...(onDelete === 'orphan' && { adopt: true }),
    ...spellOperations(more),
  };
  const application = { apiVersion: 'trueup.dev/v1', kind: 'Application', metadata: { name }, spec };
  const file = fault === 'file' ? '{"apiVersion": "trueup.dev/v1", "kind": ' : JSON.stringify(application);
  const broken = fault === 'object' ? ['{"kind": "ConfigMap", "metadata": {}}'] : [];
  return {
    [`applications/${name}.yaml`]: file,
    [`apps/${name}/objects.yaml`]: [...objects.map((object) => JSON.stringify(object)), ...broken].join(
      '\n---\n',
    ),
  };
}

function spellOperations({
  stages,
  rollsBack,
  previews,
  freeze,
}: Pick<ModelApplication, 'stages' | 'rollsBack' | 'previews' | 'freeze'>): object {
  const first = { name: 'first', clusters: { names: [firstCluster] }, soak: '5m' };
  const rest = { name: 'rest', maxParallel: 1 };
  return {
    ...(stages !== undefined && {
      rollout: { stages: [{ ...first, ...(stages === 'pause' && { pause: true }) }, rest] },
    }),
    ...(rollsBack === true && { rollback: { onFailure: { window: '20m' } } }),
    ...(previews === true && {
      previewEnvironments: { clusters: { names: [firstCluster] }, ttl: `${previewHours}h` },
    }),
    ...(freeze !== undefined && { freeze: [freeze] }),
  };
}

/** What a cluster should have of a commit, by object key. */
export function desiredOn(cluster: ModelCluster, commit: ModelCommit): ReadonlyMap<string, Wanted> {
  const wanted = new Map<string, Wanted>();
  for (const application of commit.values()) {
    if (!runsOn(application, cluster)) continue;
    for (const object of application.objects)
      wanted.set(refKey(refOf(object)), { object, application: application.name });
  }
  return wanted;
}

export interface Wanted {
  readonly object: KubeObject;
  readonly application: string;
}
