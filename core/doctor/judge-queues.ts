import { judged, type Finding, type Seen } from './finding.ts';

export interface QueueFact {
  readonly name: string;
  readonly isDeadLetters: boolean;
  readonly depth: Seen<{ readonly waiting: number; readonly inFlight: number; readonly delayed: number }>;
  /** Age of the oldest message in seconds, by CloudWatch; undefined where it says nothing, as of an empty queue. */
  readonly oldestSeconds: Seen<number | undefined>;
}

/** Longer than any message waits where a function reads the queue: its visibility, and the next poll. */
const longSeconds = 900;

/** Queues that are read, and dead-letter queues that are empty. */
export function judgeQueues(queues: readonly QueueFact[]): readonly Finding[] {
  return queues.flatMap((queue) =>
    judged('queues', `queue ${queue.name}`, queue.depth, ({ waiting, inFlight, delayed }) =>
      queue.isDeadLetters
        ? judgeDeadLetters(queue.name, waiting + inFlight)
        : judgeWork(queue, `${waiting} waiting, ${inFlight} in work, ${delayed} delayed`),
    ),
  );
}

function judgeDeadLetters(name: string, messages: number): readonly Finding[] {
  if (messages === 0) return [];
  return [
    {
      area: 'queues',
      level: 'fail',
      what: `${messages} messages were given up and lie in the dead-letter queue of ${name}`,
      todo: 'docs/runbook.md#dead-letters',
    },
  ];
}

function judgeWork({ name, oldestSeconds }: QueueFact, depth: string): readonly Finding[] {
  const what = `queue ${name}: ${depth}`;
  // The age is an addition: that CloudWatch cannot be asked is told once, with the alarms.
  const oldest = 'seen' in oldestSeconds ? oldestSeconds.seen : undefined;
  if (oldest === undefined || oldest < longSeconds) return [{ area: 'queues', level: 'ok', what }];
  return [
    {
      area: 'queues',
      level: 'warn',
      what: `${what}; the oldest for ${Math.floor(oldest / 60)} min`,
      todo: 'it is not read as fast as it fills: see that its function runs and is not throttled',
    },
  ];
}
