import { load } from 'js-yaml';
import { ConfiguredClusters } from '../../../adapters/clusters.ts';
import { SystemClock } from '../../../adapters/system-clock.ts';
import { applyRank, type ApplyTask, type Effects, type ObjectResult } from '../../../core/apply.ts';
import { defaultSettings, type Settings } from '../../../core/model/desired.ts';
import type { InventoryEntry } from '../../../core/model/inventory.ts';
import { kubeObjectSchema, refKey, refOf, type KubeObject } from '../../../core/model/object.ts';
import { ruleSchema } from '../../../core/model/rule.ts';
import { Policy } from '../../../core/policy.ts';
import type { Cluster, ObjectAddress } from '../../../core/ports.ts';
import { testCluster, type TestCluster } from '../../cluster/test-cluster.ts';

const plurals: Readonly<Record<string, string>> = {
  StorageClass: 'storageclasses',
  Ingress: 'ingresses',
};
const clusterScoped = new Set(['StorageClass', 'Namespace', 'CustomResourceDefinition', 'ClusterRole']);

/** What differs from applying a new object with the default switches. */
export interface ApplyOptions {
  /** Rules in YAML, as an Application has them. */
  readonly rules?: string;
  /** What an earlier apply left in the inventory. */
  readonly entry?: InventoryEntry | undefined;
  readonly settings?: Partial<Settings>;
  /** What the plan saw; default: what is there now. */
  readonly effects?: Partial<Effects>;
}

/** Applies objects on the shared API server as a run does, and plays the others who write to it. */
export class Workbench {
  readonly real: TestCluster;
  readonly cluster: Cluster;
  readonly clock = new SystemClock();

  private constructor(real: TestCluster, cluster: Cluster) {
    this.real = real;
    this.cluster = cluster;
  }

  static async open(name: string): Promise<Workbench> {
    const real = await testCluster(name);
    const access = { type: 'kubeconfig' as const, secret: 'east' };
    const secrets = { get: async () => ({ current: real.kubeconfig }) };
    const clusters = new ConfiguredClusters(
      [{ name: 'east', labels: {}, access }],
      secrets,
      new SystemClock(),
    );
    return new Workbench(real, await clusters.connect('east', () => Date.now() + 120_000));
  }

  /** An object in YAML, in this file's namespace. */
  object(yaml: string): KubeObject {
    const object = kubeObjectSchema.parse(load(yaml));
    if (clusterScoped.has(object.kind)) return object;
    return { ...object, metadata: { ...object.metadata, namespace: this.real.namespace } };
  }

  address(object: KubeObject): ObjectAddress {
    const { name, namespace } = object.metadata;
    const plural = plurals[object.kind] ?? `${object.kind.toLowerCase()}s`;
    return { apiVersion: object.apiVersion, plural, namespace, name };
  }

  /** The path of an object at the API server. */
  path(object: KubeObject): string {
    const { apiVersion, plural, namespace, name } = this.address(object);
    const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    return `${root}${namespace === undefined ? '' : `/namespaces/${namespace}`}/${plural}/${name}`;
  }

  async apply(object: KubeObject, options: ApplyOptions = {}): Promise<ObjectResult> {
    const live = await this.cluster.get(this.address(object));
    const ref = refOf(object);
    const { apiVersion, plural } = this.address(object);
    const fresh: InventoryEntry = {
      ref,
      apiVersion,
      plural,
      state: 'intent',
      created: false,
      adopted: false,
      ...(live !== undefined && { uid: live.metadata.uid }),
    };
    const task: ApplyTask = {
      key: refKey(ref),
      ref,
      object,
      digest: 'v1',
      address: this.address(object),
      action: live === undefined ? 'create' : 'update',
      entry: options.entry ?? fresh,
      live,
      needs: [],
    };
    const effects = { ...this.effects(options), ...options.effects };
    const { results, stopped } = await applyRank([task], effects, { planned: new Set(), failed: new Set() });
    if (stopped !== undefined) throw stopped;
    const [result] = results;
    if (result === undefined) throw new Error('there is no result');
    return result;
  }

  effects(options: ApplyOptions): Effects {
    return {
      cluster: this.cluster,
      clock: this.clock,
      mayProceed: async () => undefined,
      policy: policyOf(options),
    };
  }
}

export function policyOf({ rules = '[]', settings = {} }: ApplyOptions): Policy {
  return new Policy({ ...defaultSettings, ...settings, rules: ruleSchema.array().parse(load(rules)) });
}
