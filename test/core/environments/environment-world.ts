import { parseStackConfig, type StackConfigInput } from '../../../core/contract/config.ts';
import { keys } from '../../../core/contract/keys.ts';
import { parseDocument, readDocument } from '../../../core/documents.ts';
import type { Reason } from '../../../core/environments/work.ts';
import { desiredPointerSchema, type DesiredPointer } from '../../../core/model/desired.ts';
import { inventorySchema } from '../../../core/model/inventory.ts';
import { environmentRecordSchema, type EnvironmentRecord } from '../../../core/model/preview-environments.ts';
import type { RunRecord, RunRequest } from '../../../core/model/run.ts';
import { followPulls } from '../../../core/preview-environments.ts';
import { reconcile, type ReconcileDeps } from '../../../core/reconcile.ts';
import { CountingIds } from '../../fakes/manual-clock.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';
import { MemoryGitHost, type OpenedPull } from '../../memory-git-host.ts';
import { application, configMap, ProduceWorld } from '../produce/world.ts';

const access = { type: 'eks', name: 'x' } as const;

export const environmentConfig: StackConfigInput = {
  repositories: [
    {
      name: 'fleet',
      url: 'https://git.example/fleet.git',
      environments: { clusters: ['dev*'] },
    },
  ],
  clusters: [
    { name: 'dev', access, labels: { tier: 'dev' } },
    { name: 'prod', access, labels: { tier: 'prod' } },
  ],
};

/** `shop` on prod, with environments on dev; lines of `wish` are members of previewEnvironments. */
export function shop(value = '1', wish = 'clusters: {names: [dev]}', spec: Record<string, string> = {}) {
  return {
    'applications/shop.yaml': application('shop', {
      source: '{path: apps/shop}',
      previewEnvironments: `{${wish}}`,
      ...spec,
    }),
    'apps/shop/a.yaml': configMap('shop', value),
  };
}

/** Pull requests, commits, records and a cluster `dev`, all in memory: from the event to the last object. */
export class EnvironmentWorld extends ProduceWorld {
  readonly host = new MemoryGitHost();
  readonly cluster = new MemoryCluster(this.clock);
  readonly ids = new CountingIds();
  config = environmentConfig;

  /** Files of a commit that is not the head of the tracked branch. */
  commit(digit: string, files: Record<string, string>): string {
    const head = this.git.current;
    const sha = this.git.push(digit, files);
    this.git.current = head;
    return sha;
  }

  /** A pull request with these files at its head; gives its id. */
  open(digit: string, files: Record<string, string>, more: Partial<OpenedPull> = {}): string {
    return this.host.open('fleet', { branch: `feature-${digit}`, sha: this.commit(digit, files), ...more });
  }

  get environmentDeps() {
    return { ...this.deps(this.config), host: this.host };
  }

  /** One look, as of an event or a poll. */
  async look(reason: Partial<Reason> = {}): Promise<string> {
    return followPulls('fleet', { deliveryId: 'd', isLast: false, ...reason }, this.environmentDeps);
  }

  get reconcileDeps(): ReconcileDeps {
    const { store, bus, queues, metrics, clock, ids, sealer, cluster } = this;
    const { pruneCap, freeze, repositories, projects, clusters } = parseStackConfig(this.config);
    const config = { pruneCap, freeze, repositories, projects, clusters };
    const deadline = clock.now() + 300_000;
    const connected = { connect: async () => cluster };
    return { store, bus, queues, metrics, clock, ids, sealer, clusters: connected, config, deadline };
  }

  /** Every run that was asked for; gives their records. */
  async runAll(): Promise<readonly RunRecord[]> {
    const records: RunRecord[] = [];
    const later = this.queues.later.splice(0).map(({ request }) => request);
    for (const request of [...this.queues.runs.splice(0), ...later])
      records.push(...(await this.run(request)));
    return records;
  }

  async run(request: RunRequest): Promise<readonly RunRecord[]> {
    const result = await reconcile(request, this.reconcileDeps);
    return result.kind === 'ran' ? [result.record] : [];
  }

  /** What the sweeps ask for once a Namespace has waited its ten minutes. */
  async runPending(name: string): Promise<readonly RunRecord[]> {
    this.clock.advance(11 * 60_000);
    const target = { cluster: 'dev', application: name };
    return this.run({ version: 1, target, reason: 'pending', requestedBy: 'test' });
  }

  async environment(name: string): Promise<DesiredPointer | undefined> {
    const key = keys.desired({ cluster: 'dev', application: name });
    const stored = await this.store.get(key);
    return stored && parseDocument(key, stored.text, desiredPointerSchema);
  }

  async record(): Promise<EnvironmentRecord | undefined> {
    return (await readDocument(this.store, keys.environments('fleet'), environmentRecordSchema))?.value;
  }

  /** Keys of what a target has on the cluster. */
  async inventoryOf(name: string): Promise<readonly string[]> {
    const key = keys.inventory({ cluster: 'dev', application: name });
    return Object.keys((await readDocument(this.store, key, inventorySchema))?.value.entries ?? {}).sort();
  }

  /** Comments on a pull request, in one text. */
  comment(id: string): string {
    return (this.host.comments.get(`fleet#${id}`) ?? []).join('\n');
  }
}

/** A world with `shop` in Git, and pull request 1 running as `shop-pr-1` on dev. */
export async function runningWorld(): Promise<EnvironmentWorld> {
  const world = new EnvironmentWorld();
  world.git.push('a', shop());
  world.open('b', shop('2'));
  await world.look();
  await world.runAll();
  return world;
}
