import { callFunction } from '../adapters/function-call.ts';
import { stackResources } from '../adapters/stack-resources.ts';
import { keys } from '../core/contract/keys.ts';
import { testAnswerSchema, type TestRequest } from '../core/contract/notice-messages.ts';
import { readDocument } from '../core/documents.ts';
import { emptyMemory, noticeMemorySchema } from '../core/model/notice-memory.ts';
import { CliError, exitCodes } from './cli-error.ts';
import { age, table, type Report } from './report.ts';
import type { Session } from './session.ts';

/** What people were told that is not over yet, by channel. */
export async function notices({ store, clock }: Pick<Session, 'store' | 'clock'>): Promise<Report> {
  const memory = (await readDocument(store, keys.notices, noticeMemorySchema))?.value ?? emptyMemory;
  const told = Object.entries(memory.incidents).map(([id, { channel, title, openedAt, members }]) => ({
    id,
    channel,
    title,
    openedAt,
    // Those that are over already wait for the others.
    open: members.filter((key) => memory.problems[key]?.overSince === undefined).length,
    of: members.length,
  }));
  const rows = told.map(({ channel, title, openedAt, open, of }) => [
    channel,
    title,
    age(openedAt, clock.now()),
    `${open} of ${of}`,
  ]);
  const text =
    rows.length === 0
      ? 'Nobody was told of anything that lasts.'
      : table(['CHANNEL', 'TOLD', 'SINCE', 'OPEN'], rows);
  return { data: { told, waiting: memory.outbox.length }, text };
}

/** Has the function that sends send a test: with its own role, its own secrets and its own way out. */
export async function testChannel(
  stack: string,
  channel: string,
  { whoAmI }: Pick<Session, 'whoAmI'>,
): Promise<Report> {
  const resources = await stackResources(stack);
  const sender = resources.find(
    ({ type, logicalId }) =>
      type === 'AWS::Lambda::Function' && /NoticesSendFunction[0-9A-F]{8}$/.test(logicalId),
  );
  if (sender === undefined) {
    throw new CliError(
      `${stack} tells nobody: its configuration has no notifications (docs/reference/notifications.md).`,
    );
  }
  const request: TestRequest = { test: channel, by: await whoAmI() };
  const answer = testAnswerSchema.parse(await callFunction(sender.physicalId, request));
  return answer.sent
    ? { data: { channel, ...answer }, text: `${channel}: sent, and taken` }
    : { data: { channel, ...answer }, text: `not sent: ${answer.message}`, exitCode: exitCodes.found };
}
