import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { Blocked } from '../core/errors.ts';
import type { Clock, Secrets } from '../core/ports.ts';
import { awsClient } from './aws-client.ts';
import { awsFault } from './aws-fault.ts';

const maxAgeSeconds = 60;

type Values = Awaited<ReturnType<Secrets['get']>>;
type Stage = 'AWSCURRENT' | 'AWSPREVIOUS';

/** Secrets by name, kept in memory for 60 s so that a rotation is picked up. Blocked when there is no such secret. */
export class SecretsManagerSecrets implements Secrets {
  readonly #clock: Clock;
  readonly #client: SecretsManagerClient;
  readonly #cache = new Map<string, { readonly at: number; readonly values: Promise<Values> }>();

  constructor(clock: Clock, client: SecretsManagerClient = new SecretsManagerClient(awsClient)) {
    this.#clock = clock;
    this.#client = client;
  }

  async get(name: string, options: { readonly maxAgeSeconds?: number } = {}): Promise<Values> {
    const maxAge = Math.min(options.maxAgeSeconds ?? maxAgeSeconds, maxAgeSeconds) * 1000;
    const now = this.#clock.now();
    const cached = this.#cache.get(name);
    if (cached !== undefined && now - cached.at < maxAge) return cached.values;
    const entry = { at: now, values: this.#read(name) };
    this.#cache.set(name, entry);
    try {
      return await entry.values;
    } catch (error) {
      // A failure must not be remembered; but a newer entry is not ours to drop.
      if (this.#cache.get(name) === entry) this.#cache.delete(name);
      throw error;
    }
  }

  async #read(name: string): Promise<Values> {
    const [current, previous] = await Promise.all([
      this.#value(name, 'AWSCURRENT'),
      this.#value(name, 'AWSPREVIOUS'),
    ]);
    if (current === undefined) {
      const message =
        'does not exist or has no text value; put one with `aws secretsmanager put-secret-value`';
      throw new Blocked({ subject: `secret ${name}`, message });
    }
    return previous === undefined ? { current } : { current, previous };
  }

  async #value(name: string, stage: Stage): Promise<string | undefined> {
    try {
      const command = new GetSecretValueCommand({ SecretId: name, VersionStage: stage });
      const { SecretString } = await this.#client.send(command);
      return SecretString === '' ? undefined : SecretString;
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw awsFault({ subject: `secret ${name}`, permission: 'secretsmanager:GetSecretValue' }, error);
    }
  }
}
