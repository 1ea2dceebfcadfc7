import assert from 'node:assert/strict';
import { parseStackConfig, type StackConfigInput } from '../../../core/contract/config.ts';
import { keys } from '../../../core/contract/keys.ts';
import { parseDocument } from '../../../core/documents.ts';
import {
  desiredPointerSchema,
  repositoryStateSchema,
  type DesiredPointer,
  type RepositoryState,
} from '../../../core/model/desired.ts';
import { deliverySchema, type Delivery } from '../../../core/model/delivery.ts';
import { isoTime } from '../../../core/model/time.ts';
import { produce, type ProduceDeps } from '../../../core/produce.ts';
import { noCharts } from '../../../core/render/context.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryGit } from '../../fakes/memory-git.ts';
import { MemorySealer } from '../../fakes/memory-sealer.ts';
import { MemoryStore } from '../../fakes/memory-store.ts';
import { RecordingBus, RecordingMetrics, RecordingQueues } from '../../fakes/recorders.ts';

const access = { type: 'eks', name: 'x' } as const;
const defaults: StackConfigInput = {
  repositories: [{ name: 'fleet', url: 'https://git.example/fleet.git' }],
  clusters: [
    { name: 'dev', access, labels: { tier: 'dev' } },
    { name: 'prod', access, labels: { tier: 'prod' } },
  ],
};

/** An Application file; `spec` lines replace those of the same field. */
export function application(name: string, spec: Record<string, string> = {}): string {
  const fields = { source: `{path: apps/${name}}`, namespace: name, clusters: '{names: [prod]}', ...spec };
  const lines = Object.entries(fields).map(([field, value]) => `  ${field}: ${value}\n`);
  return `apiVersion: trueup.dev/v1\nkind: Application\nmetadata: {name: ${name}}\nspec:\n${lines.join('')}`;
}

export function configMap(name: string, value: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata: {value: "${value}"}\n`;
}

/** Applications `web` and `api` on prod, each of one ConfigMap with a value. */
export function files(web: string, api = '1'): Record<string, string> {
  return {
    'applications/web.yaml': application('web'),
    'applications/api.yaml': application('api'),
    'apps/web/a.yaml': configMap('web', web),
    'apps/api/a.yaml': configMap('api', api),
  };
}

/** Everything that the snapshot function touches, in memory. */
export class ProduceWorld {
  readonly store = new MemoryStore();
  readonly git = new MemoryGit();
  readonly bus = new RecordingBus();
  readonly queues = new RecordingQueues();
  readonly metrics = new RecordingMetrics();
  readonly sealer = new MemorySealer();
  readonly clock = new ManualClock();
  #deliveries = 0;

  deps(config: StackConfigInput = defaults): ProduceDeps {
    const { store, git, bus, queues, metrics, sealer, clock } = this;
    const renderers = {
      versions: { trueup: '0' },
      kustomize: () => Promise.reject(new Error('there is no kustomize here')),
      helm: () => Promise.reject(new Error('there is no Helm here')),
    };
    return {
      store,
      git,
      bus,
      queues,
      metrics,
      sealer,
      clock,
      renderers,
      charts: { ...noCharts, newest: async () => [] },
      build: 'test',
      config: parseStackConfig(config),
    };
  }

  /** The event of one push, as the webhook function would have left it in the ledger. */
  async pushed(after: string, before = '0'.repeat(40), repository = 'fleet') {
    this.#deliveries += 1;
    const deliveryId = `delivery-${this.#deliveries}`;
    const at = isoTime(this.clock.now());
    const ref = 'refs/heads/main';
    const delivery = {
      version: 1,
      provider: 'github',
      id: deliveryId,
      bodyDigest: 'sha256:0',
      event: 'push',
      receivedAt: at,
      state: 'published',
      claimExpiresAt: at,
      attempts: 1,
    };
    await this.store.put(keys.delivery('github', deliveryId), JSON.stringify(delivery), 'any');
    return {
      version: 1 as const,
      at,
      deliveryId,
      provider: 'github',
      repository,
      ref,
      before,
      after,
      deleted: false,
    };
  }

  /** Makes files the head and handles the event of that push. */
  async push(digit: string, content: Record<string, string>, options: { config?: StackConfigInput } = {}) {
    const before = this.git.current;
    const event = await this.pushed(this.git.push(digit, content), before);
    return produce(event, 1, this.deps(options.config));
  }

  async pointer(name: string, cluster = 'prod'): Promise<DesiredPointer> {
    const key = keys.desired({ cluster, application: name });
    const stored = await this.store.get(key);
    assert.ok(stored !== undefined, `there is no ${key}`);
    return parseDocument(key, stored.text, desiredPointerSchema);
  }

  /** What the records say of a repository's tracked branch. */
  async state(repository = 'fleet'): Promise<RepositoryState> {
    const key = keys.repository(repository, 'refs/heads/main');
    return parseDocument(key, (await this.store.get(key))?.text ?? '', repositoryStateSchema);
  }

  async outcomeOf(deliveryId: string): Promise<string | undefined> {
    return (await this.delivery(deliveryId)).outcome;
  }

  async delivery(deliveryId: string): Promise<Delivery> {
    const stored = await this.store.get(keys.delivery('github', deliveryId));
    return parseDocument(deliveryId, stored?.text ?? '', deliverySchema);
  }

  /** What was asked for, and forgets it. */
  takeRuns(): string[] {
    return this.queues.runs
      .splice(0)
      .map(({ target }) => `${target.application} on ${target.cluster}`)
      .sort();
  }

  takeEvents(): string[] {
    return this.bus.events.splice(0).map((event) => event.type);
  }
}
