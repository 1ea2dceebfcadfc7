import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before } from 'node:test';
import { promisify } from 'node:util';
import type { DriftRecord } from '../../../core/model/drift.ts';
import type { Settings } from '../../../core/model/desired.ts';
import type { JsonObject } from '../../../core/model/json.ts';
import type { KubeObject } from '../../../core/model/object.ts';
import { ruleSchema, type Rule } from '../../../core/model/rule.ts';
import type { RunReason } from '../../../core/model/run.ts';
import { reconcile } from '../../../core/reconcile.ts';
import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { testCluster, type TestCluster } from '../../cluster/test-cluster.ts';
import { findTools } from '../../cluster/tools.ts';
import { SweepWorld } from '../sweep/sweep-world.ts';
import { workbench, type Workbench } from './workbench.ts';

const execute = promisify(execFile);

/** Both spines over the same records and one real API server, for one application after the other. */
export class DriftWorld extends SweepWorld<Workbench['cluster']> {
  readonly application: string;
  readonly #testing: TestCluster;
  /** What somebody does in the moment before a JSON patch of ours. */
  readonly meddling: { before: () => Promise<void> };

  constructor(bench: Workbench, testing: TestCluster, application: string) {
    const meddling = { before: async (): Promise<void> => undefined };
    super({
      ...bench.cluster,
      patch: async (...patch) => {
        await meddling.before();
        return bench.cluster.patch(...patch);
      },
    });
    this.meddling = meddling;
    this.application = application;
    this.#testing = testing;
  }

  get admin(): ClusterClient {
    return this.#testing.admin;
  }

  async as(user: string): Promise<ClusterClient> {
    return this.#testing.as(user);
  }

  /** What Git says, applied. Rules are as a person writes them. */
  async has(
    objects: readonly KubeObject[],
    {
      rules = [],
      ...settings
    }: Partial<Omit<Settings, 'rules'>> & { readonly rules?: readonly object[] } = {},
  ): Promise<void> {
    const parsed: Rule[] = rules.map((rule) => ruleSchema.parse(rule));
    await this.push(this.application, objects, { ...settings, rules: parsed });
    assert.equal(await this.reconcile('sync'), 'applied');
  }

  async reconcile(reason: RunReason): Promise<string | undefined> {
    const target = { cluster: 'east', application: this.application };
    const result = await reconcile({ version: 1, target, reason, requestedBy: 'test' }, this.deps);
    if (result.kind !== 'ran') return result.why;
    const { kind, message = '', objects = [] } = result.record.outcome ?? {};
    if (kind !== 'failed') return kind;
    const failed = objects.filter((object) => object.outcome === 'failed');
    return ['failed', message, ...failed.map((object) => object.message)].join('; ');
  }

  /** `Drifted 1` or another word, and which runs the sweep asked for. */
  async looks(): Promise<string> {
    const check = await this.sweep(this.application);
    const runs = this.queues.later.splice(0).map(({ request: { reason } }) => reason);
    const asked = runs.filter((reason) => reason !== 'health');
    const count = check?.drifted === 0 ? '' : ` ${check?.drifted ?? ''}`;
    return `${check?.sync ?? 'none'}${count}${asked.length === 0 ? '' : `, asks for ${asked.join(', ')}`}`;
  }

  /** Each record as `state object: class path mode, …`. */
  async told(): Promise<string[]> {
    const records = await this.records();
    return records.flatMap((record) => (record === undefined ? [] : [lineOf(record)])).sort();
  }

  pathTo({ apiVersion, kind, metadata: { name } }: KubeObject): string {
    const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    return `${group}/namespaces/${this.#testing.namespace}/${kind.toLowerCase()}s/${name}`;
  }

  async live(object: KubeObject): Promise<JsonObject> {
    return (await this.admin.get(this.pathTo(object))) ?? {};
  }

  async kubectl(args: readonly string[], input = ''): Promise<void> {
    const { kubectl } = await findTools({ progress: () => undefined });
    const place = ['--kubeconfig', this.#testing.kubeconfigPath, '--namespace', this.#testing.namespace];
    const running = execute(kubectl, [...place, ...args]);
    running.child.stdin?.end(input);
    await running;
  }
}

function lineOf({ state, drift, loop }: DriftRecord): string {
  const { ref, kind, mode, fields } = drift;
  const shown = fields.map((field) => `${field.class} ${field.path} ${field.mode ?? ''}`).sort();
  const what = kind === 'fields' ? shown.join(', ') : `${kind} ${mode ?? ''}`;
  const rival = loop === undefined ? '' : ` (loop of ${loop.manager}, ${loop.flips} flips)`;
  return `${state} ${ref.kind} ${ref.name}: ${what}${rival}`;
}

/** Gives a fresh application in the file's own namespace to each test. */
export function driftWorlds(name: string): () => DriftWorld {
  let testing: TestCluster;
  let bench: Workbench;
  let count = 0;
  before(async () => {
    testing = await testCluster(name);
    bench = await workbench(testing.kubeconfig);
  });
  after(async () => testing.stop());
  return () => {
    count += 1;
    return new DriftWorld(bench, testing, `${testing.namespace}-${count}`);
  };
}

/** An object in the namespace of its application: named like that, save for the number behind it. */
export function inWorld({ application }: DriftWorld, object: KubeObject): KubeObject {
  const namespace = application.slice(0, application.lastIndexOf('-'));
  const name = `${object.metadata.name}-${application.slice(application.lastIndexOf('-') + 1)}`;
  return { ...object, metadata: { ...object.metadata, name, namespace } };
}

/** A Deployment without pods that a real API server takes. */
export function workload(world: DriftWorld, name: string, spec: JsonObject = {}, image = 'a:1'): KubeObject {
  const labels = { app: name };
  return inWorld(world, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'app', image }] } },
      ...spec,
    },
  });
}

export function settingsMap(world: DriftWorld, name: string, data: JsonObject = { a: '1' }): KubeObject {
  return inWorld(world, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
}
