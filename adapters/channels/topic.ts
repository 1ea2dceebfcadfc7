import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { clipped } from '../../core/model/clipped.ts';
import type { Notice } from '../../core/model/notice.ts';
import { awsClient } from '../aws-client.ts';
import { awsFault } from '../aws-fault.ts';
import { plainText } from './words.ts';

/** SNS takes fewer than 100 characters, of ASCII alone. */
const mostSubject = 99;

/** Publishes to a topic: people who are subscribed by mail get a text, everything else the notice as JSON. */
export async function publishNotice(
  topicArn: string,
  notice: Notice,
  subject: string,
  client: SNSClient = new SNSClient(awsClient),
): Promise<void> {
  const { title, event, phase, severity, fleet } = notice;
  const text = plainText(notice);
  const ascii = `trueup: ${title}`.normalize('NFKD').replaceAll(/[^ -~]+/g, '');
  const attributes = Object.entries({ event, phase, severity, fleet }).map(
    ([name, StringValue]) => [name, { DataType: 'String', StringValue }] as const,
  );
  const message = { default: JSON.stringify(notice), email: text, sms: clipped(title, 140) };
  try {
    await client.send(
      new PublishCommand({
        TopicArn: topicArn,
        Subject: clipped(ascii.trim(), mostSubject).replace('…', '.'),
        MessageStructure: 'json',
        Message: JSON.stringify(message),
        MessageAttributes: Object.fromEntries(attributes),
      }),
    );
  } catch (error) {
    throw awsFault({ subject: `${subject}, topic ${topicArn}`, permission: 'sns:Publish' }, error);
  }
}
