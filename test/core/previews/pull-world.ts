import assert from 'node:assert/strict';
import { parseStackConfig, type StackConfigInput } from '../../../core/contract/config.ts';
import {
  envelopeSchema,
  type ClusterAsk,
  type PreviewDue,
  type PreviewLook,
} from '../../../core/contract/events.ts';
import { askCluster } from '../../../core/previews/ask-cluster.ts';
import { previewPull, type PreviewPullDeps } from '../../../core/preview-pull.ts';
import { produce } from '../../../core/produce.ts';
import type { Cluster } from '../../../core/ports.ts';
import { readKubernetesSchemas } from '../../../adapters/kubernetes-schemas.ts';
import { MemoryGitHost } from '../../memory-git-host.ts';
import { CountingIds } from '../../fakes/manual-clock.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';
import { RecordingBus } from '../../fakes/recorders.ts';
import { ProduceWorld } from '../produce/world.ts';

const access = { type: 'eks', name: 'x' } as const;

/** The stack of these tests; `change` is to the one repository. */
export function stackWith(
  change: Partial<StackConfigInput['repositories'][number]> = {},
  more: Partial<StackConfigInput> = {},
): StackConfigInput {
  return {
    repositories: [{ name: 'fleet', url: 'https://git.example/fleet.git', preview: {}, ...change }],
    clusters: [
      { name: 'dev', access },
      { name: 'prod', access },
    ],
    ...more,
  };
}

/** A repository that is followed, its Git host, and clusters that can be asked; all in memory. */
export class PullWorld {
  readonly produce = new ProduceWorld();
  readonly host = new MemoryGitHost();
  readonly clusters = new Map<string, Cluster>();
  readonly questions: ClusterAsk[] = [];
  readonly dues: (PreviewDue | PreviewLook)[] = [];
  readonly bus = new RecordingBus();
  stack: StackConfigInput;
  /** SHA of the commit that a pull request began at; default: the head of the branch. */
  began: string | undefined;
  /** Where branches of the repository itself are. */
  readonly tips: string[] = [];

  constructor(stack: StackConfigInput = stackWith()) {
    this.stack = stack;
    const { clock } = this.produce;
    for (const name of ['dev', 'prod']) this.clusters.set(name, new MemoryCluster(clock));
  }

  get deps(): PreviewPullDeps {
    const { git, store } = this.produce;
    const deps = this.produce.deps(this.stack);
    return {
      ...deps,
      host: this.host,
      schemas: readKubernetesSchemas,
      git,
      history: { mergeBase: async () => this.began, isTip: async (_, sha) => this.tips.includes(sha) },
      queues: {
        ask: async (request) => void this.questions.push(request),
        preview: async (request) => void this.dues.push(request),
      },
      store,
      deadline: this.produce.clock.now() + 300_000,
    };
  }

  /** A cluster with the namespaces of these tests. */
  async withNamespaces(name = 'prod'): Promise<MemoryCluster> {
    const cluster = new MemoryCluster(this.produce.clock);
    for (const namespace of ['web', 'api']) {
      const address = { apiVersion: 'v1', plural: 'namespaces', name: namespace };
      const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
      await cluster.apply(address, object, { dryRun: false, force: true });
    }
    cluster.effects.splice(0);
    this.clusters.set(name, cluster);
    return cluster;
  }

  /** The tracked branch gets this commit, and is followed. */
  async followed(digit: string, files: Record<string, string>): Promise<string> {
    const sha = this.produce.git.push(digit, files);
    await produce(await this.produce.pushed(sha), 1, this.produce.deps(this.stack));
    return sha;
  }

  /** A commit that the tracked branch does not get. */
  proposed(digit: string, files: Record<string, string>): string {
    const { current } = this.produce.git;
    const sha = this.produce.git.push(digit, files);
    this.produce.git.current = current;
    return sha;
  }

  /** What comes of the event of a change. */
  async changed(id = '1', repository = 'fleet'): Promise<string> {
    const [head, base] = [{ branch: 'topic', sha: 'abcdef0' }, { branch: 'main' }];
    const facts = {
      version: 1,
      at: '2026-11-23T12:00:00.000Z',
      deliveryId: 'd',
      provider: 'github',
    } as const;
    const detail = { kind: 'changed', ...facts, repository, id, action: 'updated', head, base } as const;
    return previewPull(detail, this.deps);
  }

  /** Everybody who was asked answers, and each answer is told. */
  async answered(): Promise<readonly string[]> {
    const { store, sealer, clock, metrics, queues } = this.produce;
    const outcomes: string[] = [];
    for (const request of this.questions.splice(0)) {
      const connect = async (name: string): Promise<Cluster> => {
        const cluster = this.clusters.get(name);
        assert.ok(cluster);
        return cluster;
      };
      const world = { store, sealer, clock, metrics, queues, bus: this.bus, clusters: { connect } };
      const config = parseStackConfig(this.stack);
      await askCluster(request, {
        ...world,
        ids: new CountingIds(),
        config,
        deadline: clock.now() + 200_000,
      });
    }
    for (const { type, detail } of this.bus.events.splice(0)) {
      const schema = envelopeSchema('PreviewAnswered').shape.detail;
      assert.equal(type, 'PreviewAnswered');
      outcomes.push(await previewPull({ kind: 'answered', ...schema.parse(detail) }, this.deps));
    }
    return outcomes;
  }

  comment(id = '1', repository = 'fleet'): string {
    const all = this.host.comments.get(`${repository}#${id}`) ?? [];
    assert.ok(all.length <= 1, 'one comment');
    return all[0] ?? '';
  }

  status(sha: string, repository = 'fleet'): string {
    const status = this.host.statuses.get(`${repository}@${sha}`)?.get('trueup/preview');
    return status === undefined ? 'none' : `${status.state}: ${status.description}`;
  }
}
