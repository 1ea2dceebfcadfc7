import { stackResources } from '../adapters/stack-resources.ts';
import { DeadLetters } from '../adapters/dead-letters.ts';
import { CliError } from './cli-error.ts';
import { table, type Report } from './report.ts';
import { partName } from './stack-part.ts';

/** Of those that nothing leads back from: no function gave these messages up, they never were in a queue. */
const remedies = new Map([
  ['undelivered', 'replay the events of that time from the archive'],
  ['audit', 'nothing is lost, since sweeps find what these log lines would have told'],
]);

/**
 * Sends what lies in a dead-letter queue back to the queue that it came from; without a name, says how much lies in
 * which. Safe at any time and in any order: a message is a hint, and whoever reads it looks at the current state.
 */
export async function redrive(stack: string, networks: readonly string[], name?: string): Promise<Report> {
  const queues = await deadLetterQueues(stack, networks);
  const deadLetters = new DeadLetters();
  if (name === undefined) {
    const counted = [];
    for (const [queue, url] of queues) counted.push({ queue, messages: await deadLetters.count(url) });
    const rows = counted.map(({ queue, messages }) => [queue, String(messages)]);
    return { data: { queues: counted }, text: table(['QUEUE', 'DEAD LETTERS'], rows) };
  }
  const url = queues.get(name);
  if (url === undefined) {
    throw new CliError(`${stack} has no queue ${name}. It has: ${[...queues.keys()].join(', ')}.`);
  }
  const remedy = remedies.get(name);
  if (remedy !== undefined) {
    throw new CliError(
      `What lies in ${name} came from no queue, so it has none to go back to: ${remedy} (docs/runbook.md#redrive-a-dead-letter-queue).`,
    );
  }
  const messages = await deadLetters.count(url);
  if (messages > 0) await deadLetters.moveBack(url);
  const text = messages === 0 ? `${name}: nothing lies there` : `${name}: ${messages} on the way back`;
  return { data: { queue: name, messages }, text };
}

/** URLs by the names that alarms give the queues. */
async function deadLetterQueues(
  stack: string,
  networks: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const found = (await stackResources(stack)).flatMap(({ type, logicalId, physicalId }) => {
    const name = type === 'AWS::SQS::Queue' ? partName(logicalId, 'DeadLetters', networks) : undefined;
    return name === undefined ? [] : [[name, physicalId] as const];
  });
  if (found.length > 0) return new Map(found.toSorted(([one], [other]) => (one < other ? -1 : 1)));
  throw new CliError(`${stack} has no dead-letter queues: it is not a stack of trueup.`);
}
