import type { AwsGreeting } from '../../adapters/aws-clock.ts';
import type { StackResource } from '../../adapters/stack-resources.ts';
import type { StackConfig } from '../../core/contract/config.ts';
import type { outputs } from '../../core/contract/environment.ts';
import type { Clock, Ids, Secrets, Store } from '../../core/ports.ts';

/** An installation as the doctor meets it. */
export interface DoctorWorld {
  readonly config: StackConfig;
  readonly output: (name: keyof typeof outputs) => string;
  readonly resources: readonly StackResource[];
  readonly store: Store;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly greeting: AwsGreeting;
  readonly region: string;
  /** Where senders call; ends with a slash. */
  readonly hookUrl: string;
}
