import { labels } from '../../../core/contract/kubernetes.ts';
import { jsonEqual } from '../../../core/model/json.ts';
import type { KubeObject } from '../../../core/model/object.ts';
import type { ApplyOutcome } from '../../../core/ports.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';
import { ReconcileWorld } from './reconcile-world.ts';

/** An object with one of our annotations: `{ wave: '1' }` is `trueup.dev/wave: "1"`. */
export function annotated(object: KubeObject, notes: Readonly<Record<string, string>>): KubeObject {
  const own = Object.fromEntries(Object.entries(notes).map(([name, text]) => [`trueup.dev/${name}`, text]));
  const { metadata } = object;
  return { ...object, metadata: { ...metadata, annotations: { ...metadata.annotations, ...own } } };
}

export function deployment(name: string, notes: Readonly<Record<string, string>> = {}): KubeObject {
  const spec = { replicas: 1 };
  return annotated({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec }, notes);
}

export function job(name: string, notes: Readonly<Record<string, string>>, image = 'a:1'): KubeObject {
  return annotated({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec: { image } }, notes);
}

export const jobAddress = (name: string) => {
  return { apiVersion: 'batch/v1', plural: 'jobs', namespace: 'default', name };
};
const deploymentAddress = (name: string) => {
  return { apiVersion: 'apps/v1', plural: 'deployments', namespace: 'default', name };
};

/** As on a real server, what a Job runs cannot be changed. */
class ClusterOfJobs extends MemoryCluster {
  override async apply(...asked: Parameters<MemoryCluster['apply']>): Promise<ApplyOutcome> {
    const [address, object] = asked;
    const live = this.live(address);
    if (object.kind === 'Job' && live !== undefined && !jsonEqual(live['spec'], object['spec'])) {
      const fault = 'spec.template: Invalid value: {}: field is immutable';
      return { kind: 'invalid', message: `Job.batch "${address.name}" is invalid: ${fault}` };
    }
    return super.apply(...asked);
  }
}

/** A target on a cluster in memory, with a hand on what controllers would do. */
export class Rollout {
  readonly clock = new ManualClock();
  readonly cluster: MemoryCluster = new ClusterOfJobs(this.clock);
  readonly world = new ReconcileWorld(this.clock, this.cluster);

  /** `Deployment a, Job b`: all of ours that is there. */
  get there(): string {
    const names = this.cluster.labelled().map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    return names.toSorted().join(', ');
  }

  roll(name: string): void {
    const generation = this.cluster.live(deploymentAddress(name))?.metadata.generation ?? 1;
    const status = { observedGeneration: generation, replicas: 1, updatedReplicas: 1, availableReplicas: 1 };
    this.cluster.write(deploymentAddress(name), { kind: 'Deployment', status }, 'kube-controller-manager');
  }

  /** As before its controller has seen a change of it. */
  unroll(name: string): void {
    const status = { observedGeneration: 0, replicas: 1, updatedReplicas: 0, availableReplicas: 1 };
    this.cluster.write(deploymentAddress(name), { kind: 'Deployment', status }, 'kube-controller-manager');
  }

  end(name: string, type: 'Complete' | 'Failed', message = ''): void {
    const condition = {
      type,
      status: 'True',
      reason: type === 'Failed' ? 'BackoffLimitExceeded' : '',
      message,
    };
    const status = { conditions: [condition] };
    this.cluster.write(jobAddress(name), { kind: 'Job', status }, 'kube-controller-manager');
  }

  /** Lets the later messages come in time, one by one; gives what each came to. */
  async next(): Promise<string> {
    const [later] = this.world.queues.later.splice(0);
    if (later === undefined) return 'nothing is asked for';
    this.clock.advance(later.delaySeconds * 1000);
    const { reason } = later.request;
    const result = await this.world.run(reason, later.request);
    if (result.kind !== 'ran') return `${reason}: ${result.kind} ${result.why}`;
    return `${reason}: ${result.record.outcome?.kind}: ${result.record.outcome?.message}`;
  }

  /** How often an object was created, deleted or written. */
  count(effect: string): number {
    return this.cluster.effects.filter((each) => each === effect).length;
  }

  async stateOf(hook: string): Promise<string | undefined> {
    return (await this.world.inventory()).hooks[hook]?.state;
  }
}

/** Whether everything there carries the label of its application. */
export function isLabelled(object: KubeObject): boolean {
  return object.metadata.labels?.[labels.application] !== undefined;
}
