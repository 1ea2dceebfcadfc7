import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { parseStackConfig } from '../core/contract/config.ts';
import type { StackConfig } from '../core/contract/config.ts';
import { Stop, messageOf } from '../core/errors.ts';
import { awsClient } from './aws-client.ts';
import { awsFault } from './aws-fault.ts';

/**
 * Loads the stack configuration, a JSON asset at `bucket/key`; once per cold start, since a deployment that
 * changes it changes its key too. A load that failed is tried again at the next call.
 */
export function stackConfigAt(
  location: string,
  client: S3Client = new S3Client(awsClient),
): () => Promise<StackConfig> {
  let loaded: Promise<StackConfig> | undefined;
  return () => {
    loaded ??= load(location, client).catch((error: unknown) => {
      loaded = undefined;
      throw error;
    });
    return loaded;
  };
}

async function load(location: string, client: S3Client): Promise<StackConfig> {
  const slash = location.indexOf('/');
  const subject = `stack configuration s3://${location}`;
  let text: string;
  try {
    const command = new GetObjectCommand({
      Bucket: location.slice(0, slash),
      Key: location.slice(slash + 1),
    });
    const { Body } = await client.send(command);
    text = (await Body?.transformToString()) ?? '';
  } catch (error) {
    throw awsFault({ subject, permission: 's3:GetObject' }, error);
  }
  try {
    return parseStackConfig(JSON.parse(text));
  } catch (cause) {
    throw new Stop({ subject, message: `${messageOf(cause)}; deploy the stack again`, cause });
  }
}
