import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { awsClient } from './aws-client.ts';
import { awsFault } from './aws-fault.ts';

/** A secret as it is now, to be looked over: undefined where there is none, empty where it has no text. Throws Blocked, Retry. */
export async function secretValue(
  name: string,
  client: SecretsManagerClient = new SecretsManagerClient(awsClient),
): Promise<string | undefined> {
  try {
    return (await client.send(new GetSecretValueCommand({ SecretId: name }))).SecretString ?? '';
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw awsFault({ subject: `secret ${name}`, permission: 'secretsmanager:GetSecretValue' }, error);
  }
}
