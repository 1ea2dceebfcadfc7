import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { Blocked } from '../core/errors.ts';
import { placeText, type ReferencedValue, type SecretPlace } from '../core/model/secret-reference.ts';
import type { ReferencedValues } from '../core/ports.ts';
import { awsClient } from './aws-client.ts';
import { awsFault, statusOf } from './aws-fault.ts';

/** What may be read, and with which clients. */
export interface AwsValuesOptions {
  /** Why a place may not be read; undefined for one that may. */
  readonly refusal: (place: SecretPlace) => string | undefined;
  /** `region` is undefined for that of the environment. Default: as the environment says. */
  readonly secrets?: (region: string | undefined) => SecretsManagerClient;
  readonly parameters?: () => SSMClient;
}

/** In words, by the name of the error: what a person does about it. */
const reasons: Readonly<Record<string, string>> = {
  ResourceNotFoundException: 'does not exist, or has no such version; put one there, or mend the reference',
  ParameterNotFound: 'does not exist; put it there, or mend the reference',
  ParameterVersionNotFound: 'has no such version any more; mend the reference, or apply again',
  InvalidRequestException: 'cannot be read now, as when it is about to be deleted; restore it',
  DecryptionFailure: 'cannot be decrypted; grant kms:Decrypt on its key, by secretReferences.kmsKeys too',
  InvalidKeyId: 'cannot be decrypted; grant kms:Decrypt on its key, by secretReferences.kmsKeys too',
};

function faultOf(subject: string, action: string, error: unknown): unknown {
  const known = error instanceof Error ? reasons[error.name] : undefined;
  if (known !== undefined) return new Blocked({ subject, message: known, cause: error });
  const fault = awsFault({ subject, permission: `${action}, or kms:Decrypt on its key` }, error);
  if (fault !== error || !(error instanceof Error)) return fault;
  // Names come from Git: what AWS does not take is for a person to mend, and no fault of ours.
  const isRefused = Math.floor((statusOf(error) ?? 0) / 100) === 4;
  if (isRefused) {
    return new Blocked({
      subject,
      message: `AWS does not take it (${error.name}); mend the reference`,
      cause: error,
    });
  }
  if (error.message !== 'Region is missing') return fault;
  return new Blocked({ subject, message: 'cannot be read, since no region is known; set AWS_REGION' });
}

/** Reads values from Secrets Manager and SSM, each time anew: what is rotated or taken back counts at once. */
export class AwsReferencedValues implements ReferencedValues {
  readonly #options: AwsValuesOptions;
  readonly #secrets = new Map<string | undefined, SecretsManagerClient>();
  #parameters: SSMClient | undefined;

  constructor(options: AwsValuesOptions) {
    this.#options = options;
  }

  async read(place: SecretPlace): Promise<ReferencedValue> {
    const subject = placeText(place);
    const refusal = this.#options.refusal(place);
    if (refusal !== undefined) throw new Blocked({ subject, message: refusal });
    const isSecret = place.store === 'awssecrets';
    try {
      const read = isSecret ? await this.#secret(place) : await this.#parameter(place);
      if (read !== undefined) return read;
    } catch (error) {
      throw faultOf(subject, isSecret ? 'secretsmanager:GetSecretValue' : 'ssm:GetParameter', error);
    }
    throw new Blocked({ subject, message: 'has no value; put one there' });
  }

  async #secret({ name, version, stage }: SecretPlace): Promise<ReferencedValue | undefined> {
    const region = /^arn:[^:]*:secretsmanager:([^:]+):/.exec(name)?.[1];
    const client = this.#secrets.get(region) ?? this.#secretsIn(region);
    this.#secrets.set(region, client);
    const { SecretString, SecretBinary, VersionId } = await client.send(
      new GetSecretValueCommand({
        SecretId: name,
        ...(version !== undefined && { VersionId: version }),
        ...(stage !== undefined && { VersionStage: stage }),
      }),
    );
    const value = SecretString ?? SecretBinary;
    return value === undefined || VersionId === undefined ? undefined : { value, version: VersionId };
  }

  #secretsIn(region: string | undefined): SecretsManagerClient {
    const { secrets } = this.#options;
    if (secrets !== undefined) return secrets(region);
    return new SecretsManagerClient(region === undefined ? awsClient : { ...awsClient, region });
  }

  async #parameter({ name, version }: SecretPlace): Promise<ReferencedValue | undefined> {
    this.#parameters ??= this.#options.parameters?.() ?? new SSMClient(awsClient);
    const Name = version === undefined ? name : `${name}:${version}`;
    const { Parameter } = await this.#parameters.send(
      new GetParameterCommand({ Name, WithDecryption: true }),
    );
    const { Value, Version } = Parameter ?? {};
    return Value === undefined || Version === undefined
      ? undefined
      : { value: Value, version: String(Version) };
  }
}
