import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { Stop } from '../core/errors.ts';
import { awsClient } from './aws-client.ts';
import { awsFault } from './aws-fault.ts';

/** Calls a function and waits for what it answers, parsed. Throws Blocked where that may not be done, Stop where it fails. */
export async function callFunction(
  name: string,
  payload: object,
  client: LambdaClient = new LambdaClient({
    ...awsClient,
    requestHandler: { ...awsClient.requestHandler, requestTimeout: 60_000 },
  }),
): Promise<unknown> {
  const subject = `function ${name}`;
  try {
    const command = new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(payload) });
    const { Payload, FunctionError } = await client.send(command);
    // What it says of itself is in its log: it may hold more than a terminal should show.
    if (FunctionError !== undefined)
      throw new Stop({ subject, message: `failed (${FunctionError}); its log says why` });
    return JSON.parse(Buffer.from(Payload ?? new Uint8Array()).toString('utf8'));
  } catch (error) {
    throw awsFault({ subject, permission: 'lambda:InvokeFunction' }, error);
  }
}
