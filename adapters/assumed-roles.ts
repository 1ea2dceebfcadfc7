import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import type { AssumedRole } from '../core/contract/cluster-access.ts';
import { Blocked, Retry } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import { awsClient } from './aws-client.ts';
import { awsFault } from './aws-fault.ts';

/** Keys of a role that was taken on; in memory only. */
interface RoleKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

interface Held {
  readonly keys: Promise<RoleKeys>;
  /** Until then nobody asks anew, in milliseconds since the epoch. */
  until: number;
}

/** As long as AWS lets a role hold on to another role. */
const sessionSeconds = 3600;
/** New keys are asked for while the old ones still hold: a run must not lose its cluster half-way. */
const spareMs = 10 * 60_000;

/** Roles of other accounts, each taken on once for as long as its keys hold; its sessions are named after the installation. */
export class AssumedRoles {
  readonly #session: string;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #client: STSClient;
  readonly #held = new Map<string, Held>();

  constructor(fleet: string, clock: Pick<Clock, 'now'>, client: STSClient = new STSClient(awsClient)) {
    this.#session = `trueup-${fleet}`.slice(0, 64);
    this.#clock = clock;
    this.#client = client;
  }

  /** Credentials of that role for an AWS client; none where no role is named, so that its own are used. */
  of({ roleArn, externalId }: AssumedRole): { readonly credentials?: () => Promise<RoleKeys> } {
    if (roleArn === undefined) return {};
    return { credentials: async () => this.#keys(roleArn, externalId) };
  }

  async #keys(roleArn: string, externalId: string | undefined): Promise<RoleKeys> {
    const id = `${roleArn} ${externalId ?? ''}`;
    const held = this.#held.get(id);
    if (held !== undefined && this.#clock.now() < held.until) return held.keys;
    const entry: Held = { keys: this.#assume(roleArn, externalId), until: Number.POSITIVE_INFINITY };
    this.#held.set(id, entry);
    try {
      const keys = await entry.keys;
      entry.until = keys.expiration.getTime() - spareMs;
      return keys;
    } catch (error) {
      if (held === undefined) this.#held.delete(id);
      else this.#held.set(id, held);
      if (!(error instanceof Retry) || held === undefined) throw error;
      // The keys that are there hold for some minutes yet.
      const keys = await held.keys;
      if (this.#clock.now() < keys.expiration.getTime()) return keys;
      throw error;
    }
  }

  async #assume(roleArn: string, externalId: string | undefined): Promise<RoleKeys> {
    const subject = `role ${roleArn}`;
    const command = new AssumeRoleCommand({
      RoleArn: roleArn,
      RoleSessionName: this.#session,
      DurationSeconds: sessionSeconds,
      ...(externalId !== undefined && { ExternalId: externalId }),
    });
    const { Credentials: given } = await this.#client.send(command).catch((error: unknown) => {
      throw isRefusal(error)
        ? refused(subject, externalId, error)
        : awsFault({ subject, permission: 'sts:AssumeRole' }, error);
    });
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = given ?? {};
    if (!AccessKeyId || !SecretAccessKey || !SessionToken || Expiration === undefined) {
      throw new Retry({ subject, message: 'AWS gave no keys for it; try again' });
    }
    return {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      sessionToken: SessionToken,
      expiration: Expiration,
    };
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.name.startsWith('AccessDenied');
}

/** AWS says the same of a role that is not there, one that does not trust us, and a right that is ours to have. */
function refused(subject: string, externalId: string | undefined, cause: unknown): Blocked {
  const asked = externalId === undefined ? 'no external id' : 'the external id of the stack configuration';
  const message = `AWS does not let trueup take it on (AccessDenied; ${asked} was given); see that it exists, and that its trust policy lets in the roles of trueup's functions, with that`;
  return new Blocked({ subject, message, cause });
}
