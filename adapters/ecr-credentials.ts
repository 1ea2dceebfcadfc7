import { ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
import { Blocked } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import { awsClient } from './aws-client.ts';
import { awsFault } from './aws-fault.ts';

/** A token holds for 12 hours. */
const keepMs = 60 * 60 * 1000;

/** Region of a private registry of ECR; undefined for every other host. */
export function ecrRegion(host: string): string | undefined {
  return /^[0-9]{12}\.dkr\.ecr(?:-fips)?\.([-a-z0-9]+)\.amazonaws\.com(?:\.cn)?$/.exec(host)?.[1];
}

/** Access to private registries of ECR by the rights of this role, as `Basic …`. */
export class EcrCredentials {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #clientFor: (region: string) => ECRClient;
  readonly #known = new Map<string, { readonly at: number; readonly basic: string }>();

  constructor(
    clock: Pick<Clock, 'now'>,
    clientFor: (region: string) => ECRClient = (region) => new ECRClient({ ...awsClient, region }),
  ) {
    this.#clock = clock;
    this.#clientFor = clientFor;
  }

  /** Of a token that was refused although it should hold: the next one is asked for anew. */
  forget(region: string): void {
    this.#known.delete(region);
  }

  async basic(region: string): Promise<string> {
    const now = this.#clock.now();
    const known = this.#known.get(region);
    if (known !== undefined && now - known.at < keepMs) return known.basic;
    const subject = `registry ECR in ${region}`;
    const permission = 'ecr:GetAuthorizationToken';
    const answer = await this.#clientFor(region)
      .send(new GetAuthorizationTokenCommand({}))
      .catch((error: unknown) => {
        throw awsFault({ subject, permission }, error);
      });
    const token = answer.authorizationData?.[0]?.authorizationToken;
    if (token === undefined) throw new Blocked({ subject, message: `AWS gave no token for ${permission}` });
    const basic = `Basic ${token}`;
    this.#known.set(region, { at: now, basic });
    return basic;
  }
}
