import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import type { AlarmReading, Alarms } from '../core/ports.ts';
import { awsClient } from './aws-client.ts';
import { awsFault } from './aws-fault.ts';

/** As many names as one request takes; an Application may name fewer. */
const mostNames = 100;
/** The service answers nine such requests a second, to all of an account: targets of one process share an answer. */
const maxAgeMs = 10_000;

interface Asked {
  readonly at: number;
  readonly answer: Promise<ReadonlyMap<string, AlarmReading>>;
}

/** Alarms of this account and region. Only reads. */
export class CloudWatchAlarms implements Alarms {
  readonly #client: CloudWatchClient;
  readonly #clock: { now(): number };
  readonly #asked = new Map<string, Asked>();

  constructor(clock: { now(): number }, client: CloudWatchClient = new CloudWatchClient(awsClient)) {
    this.#client = client;
    this.#clock = clock;
  }

  async read(names: readonly string[]): Promise<ReadonlyMap<string, AlarmReading>> {
    const key = JSON.stringify(names);
    const known = this.#asked.get(key);
    const now = this.#clock.now();
    if (known !== undefined && now - known.at < maxAgeMs) return known.answer;
    const asked = { at: now, answer: this.#ask(names) };
    this.#asked.set(key, asked);
    try {
      return await asked.answer;
    } catch (error) {
      this.#asked.delete(key);
      throw error;
    }
  }

  async #ask(names: readonly string[]): Promise<ReadonlyMap<string, AlarmReading>> {
    const request = new DescribeAlarmsCommand({
      AlarmNames: names.slice(0, mostNames),
      AlarmTypes: ['MetricAlarm', 'CompositeAlarm'],
      MaxRecords: mostNames,
    });
    try {
      const { MetricAlarms = [], CompositeAlarms = [] } = await this.#client.send(request);
      return new Map([...MetricAlarms, ...CompositeAlarms].flatMap(readingOf));
    } catch (error) {
      throw awsFault(
        { subject: `alarms ${names.join(', ')}`, permission: 'cloudwatch:DescribeAlarms' },
        error,
      );
    }
  }
}

interface DescribedAlarm {
  readonly AlarmName?: string | undefined;
  readonly StateValue?: AlarmReading['state'] | undefined;
  readonly StateTransitionedTimestamp?: Date | undefined;
  readonly StateUpdatedTimestamp?: Date | undefined;
}

/** When its state last became another one; an older service tells only when it was last written. */
function readingOf(alarm: DescribedAlarm): readonly (readonly [string, AlarmReading])[] {
  const { AlarmName, StateValue, StateTransitionedTimestamp, StateUpdatedTimestamp } = alarm;
  if (AlarmName === undefined || StateValue === undefined) return [];
  const since = (StateTransitionedTimestamp ?? StateUpdatedTimestamp)?.getTime();
  return [[AlarmName, { state: StateValue, since }]];
}
