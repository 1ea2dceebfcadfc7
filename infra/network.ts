import { Construct } from 'constructs';
import { targetFunctions, type TargetFunctions, type TargetWorld } from './target-functions.ts';
import { targetQueues, type NamedQueues, type TargetQueues } from './target-queues.ts';
import type { VpcPlace } from './trueup-function.ts';

export interface NetworkProps extends VpcPlace {
  /** Lower-case letters, digits and dashes; clusters name it as their `network`. */
  readonly name: string;
}

/**
 * Functions inside a VPC, for clusters whose endpoint is reached from there alone, with queues of their own: one network
 * that is slow or cut off holds up no other.
 */
export class Network extends Construct {
  readonly name: string;
  readonly functions: TargetFunctions;
  readonly queues: TargetQueues;

  constructor(scope: Construct, id: string, { name, ...vpc }: NetworkProps, world: TargetWorld) {
    super(scope, id);
    this.name = name;
    this.queues = targetQueues(this, world.config);
    const networks = JSON.stringify({ own: name });
    this.functions = targetFunctions(this, { ...world, queues: this.queues, networks, vpc });
  }

  /** Its work queues by their names in alarms. */
  get work(): NamedQueues {
    const { questions, ...all } = this.queues;
    const queues = Object.entries({ ...all, ...(questions && { questions }) });
    return Object.fromEntries(queues.map(([queue, made]) => [`${this.name}-${queue}`, made]));
  }
}
