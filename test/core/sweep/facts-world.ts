import { LocalRenderers } from '../../../adapters/renderers.ts';
import type { StackConfigInput } from '../../../core/contract/config.ts';
import { parseStackConfig } from '../../../core/contract/config.ts';
import type { EventDetail } from '../../../core/contract/events.ts';
import { keys } from '../../../core/contract/keys.ts';
import type { KubeObject } from '../../../core/model/object.ts';
import { produce } from '../../../core/produce.ts';
import type { Cluster } from '../../../core/ports.ts';
import { decodeSnapshot } from '../../../core/snapshot.ts';
import { followFacts } from '../../../core/sweep/follow-facts.ts';
import { KnownDocuments } from '../../../core/sweep/known-documents.ts';
import { findTools, toolFolders } from '../../cluster/tools.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';
import { ProduceWorld, application } from '../produce/world.ts';

const tools = await findTools({ progress: () => undefined });
const renderers = await LocalRenderers.find(toolFolders(tools).join(':'));
const access = { type: 'eks', name: 'x' } as const;

export const baseConfig: StackConfigInput = {
  repositories: [{ name: 'fleet', url: 'https://git.example/fleet.git' }],
  clusters: [{ name: 'prod', access, labels: { region: 'eu' } }],
};

/** Of a chart `web` in the namespace `web`. */
export function chartFiles(template: string, helm = '{}', spec: Record<string, string> = {}) {
  return {
    'applications/web.yaml': application('web', { source: `{path: chart, helm: ${helm}}`, ...spec }),
    'chart/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n',
    'chart/templates/a.yaml': template,
  };
}

/** From commit to snapshot and from sweep to hint, with Helm itself and a cluster in memory. */
export class FactsWorld {
  readonly world = new ProduceWorld();
  readonly cluster = new MemoryCluster(this.world.clock, ['default', 'web']);
  readonly documents = new KnownDocuments();
  config = baseConfig;
  server = 'v1.34.0';
  /** Requests as somebody else. */
  readonly impersonated: string[] = [];

  async push(digit: string, files: Record<string, string>): Promise<string> {
    const before = this.world.git.current;
    const event = await this.world.pushed(this.world.git.push(digit, files), before);
    return this.follow(event);
  }

  async follow(event: EventDetail<'PushReceived'>): Promise<string> {
    return produce(event, 1, { ...this.world.deps(this.config), renderers });
  }

  /** Sweeps, and gives the hints that came of it. */
  async sweep(): Promise<EventDetail<'PushReceived'>[]> {
    this.world.bus.events.length = 0;
    const { store, bus, clock, sealer } = this.world;
    const deps = { store, bus, clock, sealer, documents: this.documents };
    const cluster: Cluster = this.cluster;
    const as = async ({ user }: { readonly user: string }) => {
      this.impersonated.push(user);
      return cluster;
    };
    const connection = { cluster, as, served: await cluster.resources(), server: this.server };
    await followFacts({ ...deps, config: parseStackConfig(this.config) }, 'prod', connection);
    return bus.events.flatMap((event) => (event.type === 'PushReceived' ? [event.detail] : []));
  }

  /** Sweeps and obeys until nothing more is asked for; gives how often something was. */
  async settle(most = 20): Promise<number> {
    for (let round = 0; round < most; round += 1) {
      const hints = await this.sweep();
      if (hints.length === 0) return round;
      for (const hint of hints) await this.follow(hint);
      this.world.clock.advance(300_000);
    }
    return most;
  }

  async put(object: KubeObject, plural: string): Promise<void> {
    const { apiVersion, metadata } = object;
    const { name, namespace } = metadata;
    await this.cluster.apply({ apiVersion, plural, namespace, name }, object, { dryRun: false, force: true });
  }

  async snapshot() {
    const { snapshot } = await this.world.pointer('web');
    return decodeSnapshot(snapshot, (await this.world.store.get(keys.snapshot('web', snapshot)))?.text ?? '');
  }

  /** What anybody may read who may read the bucket. */
  async everythingStored(): Promise<string> {
    const texts: string[] = [];
    for await (const key of this.world.store.list(''))
      texts.push((await this.world.store.get(key))?.text ?? '');
    return texts.join('\n');
  }
}
