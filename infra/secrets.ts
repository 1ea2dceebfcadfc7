import { ArnFormat, Stack, Validations } from 'aws-cdk-lib/core';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { StackConfig } from '../core/contract/config.ts';
import {
  hasSecretPath,
  hookName,
  hooksOf,
  redeliverySecretOf,
  takesTokens,
  type Hook,
} from '../core/contract/hooks.ts';
import {
  hostSecretOf,
  promotionWriterOf,
  revertWriterOf,
  secretsOf,
  verifyingSecretsOf,
} from '../core/contract/repository.ts';
import { channelSecretsOf, type Notifications } from '../core/contract/notifications.ts';
import { flattened } from './flattened.ts';
import type { TrueUpFunction } from './trueup-function.ts';

export interface SecretsProps {
  readonly config: StackConfig;
}

/** Secrets that we make (webhook HMAC keys, digest key), and the reading of those that a person put there by name. */
export class Secrets extends Construct {
  /** The secret of a hook is `${hookPrefix}/${hookName}`, unless the hook names one that a person keeps. */
  readonly hookPrefix: string;
  readonly digestKeyName: string;
  readonly #hooks: readonly Secret[];
  readonly #digestKey: Secret;
  readonly #config: StackConfig;

  constructor(scope: Construct, id: string, { config }: SecretsProps) {
    super(scope, id);
    this.#config = config;
    this.hookPrefix = `trueup/${config.fleet}/hooks`;
    const own = hooksOf(config).filter((hook) => !takesTokens(hook) && hook.secret === undefined);
    this.#hooks = own.map((hook) =>
      this.#generate(`Hook-${hookName(hook)}`, {
        name: `${this.hookPrefix}/${hookName(hook)}`,
        description: describeHookSecret(hook),
        whyNotRotated:
          'The other side, the webhook of the Git host, has to be changed with it: a person rotates it, and the previous value stays valid meanwhile.',
      }),
    );
    this.digestKeyName = `trueup/${config.fleet}/digest-key`;
    this.#digestKey = this.#generate('DigestKey', {
      name: this.digestKeyName,
      description: 'Keys the digests of secret values in trueup records and snapshots',
      whyNotRotated: 'Digests made under different keys cannot be compared: every secret would look changed.',
    });
  }

  #generate(id: string, options: { name: string; description: string; whyNotRotated: string }): Secret {
    const secret = new Secret(this, id, {
      secretName: options.name,
      description: options.description,
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
    });
    Validations.of(secret).acknowledge({ id: 'AwsSolutions-SMG4', reason: options.whyNotRotated });
    return secret;
  }

  grantHooks(to: TrueUpFunction): void {
    for (const secret of this.#hooks) this.#allow(to, secret.secretArn);
    const named = hooksOf(this.#config).map((hook) => (takesTokens(hook) ? undefined : hook.secret));
    this.#allowNamed(to, named);
    to.set('hookSecretPrefix', this.hookPrefix);
  }

  /** Tokens, and keys of Apps, that may ask a Git host to deliver again. */
  grantRedelivery(to: TrueUpFunction): void {
    this.#allowNamed(to, hooksOf(this.#config).map(redeliverySecretOf));
  }

  grantDigestKey(to: TrueUpFunction): void {
    this.#allow(to, this.#digestKey.secretArn);
    to.set('digestKeySecret', this.digestKeyName);
  }

  /** Tokens and keys to read repositories and bases of kustomizations, and keys that verify their commits. */
  grantRepositories(to: TrueUpFunction): void {
    const { repositories, sources } = this.#config;
    const bases = sources.bases.map(({ tokenSecret }) => tokenSecret);
    this.#allowNamed(to, [...repositories.flatMap(secretsOf), ...bases]);
  }

  /** Tokens that may push to repositories, and keys that sign commits. */
  grantImageWrites(to: TrueUpFunction): void {
    const written = this.#config.repositories.filter(({ images }) => images !== undefined);
    const secrets = written.flatMap((repository) => {
      const { tokenSecret, signingKeySecret } = repository.images ?? {};
      const { githubApp, ssh } = repository;
      const pushes = tokenSecret ?? repository.tokenSecret ?? githubApp?.privateKeySecret ?? ssh?.secret;
      // The head is read before it is written to, and its signature verified as everywhere.
      return [pushes, signingKeySecret, ...verifyingSecretsOf(repository)];
    });
    this.#allowNamed(to, secrets);
  }

  /** Likewise, where pull requests take changes back. */
  grantReverts(to: TrueUpFunction): void {
    const written = this.#config.repositories.flatMap((one) => revertWriterOf(one) ?? []);
    const secrets = written.flatMap((repository) => [
      ...secretsOf(repository),
      repository.reverts.signingKeySecret,
    ]);
    this.#allowNamed(to, secrets);
  }

  /** Likewise, where commits are promoted by pull request. */
  grantPromotions(to: TrueUpFunction): void {
    const written = this.#config.repositories.flatMap((one) => promotionWriterOf(one) ?? []);
    const secrets = written.flatMap((repository) => [
      ...secretsOf(repository),
      repository.promotion.signingKeySecret,
    ]);
    this.#allowNamed(to, secrets);
  }

  /** Tokens, and keys of Apps, that may ask the APIs of Git hosts. */
  grantHostApis(to: TrueUpFunction, repositories: StackConfig['repositories']): void {
    this.#allowNamed(to, repositories.map(hostSecretOf));
  }

  /** User names and passwords of chart repositories and registries. */
  grantChartSources(to: TrueUpFunction): void {
    this.#allowNamed(
      to,
      this.#config.sources.charts.map(({ secret }) => secret),
    );
  }

  /** User names and passwords of registries that are asked about images. */
  grantImageSources(to: TrueUpFunction): void {
    this.#allowNamed(
      to,
      this.#config.sources.images.map(({ secret }) => secret),
    );
  }

  /** Addresses and keys of channels. */
  grantChannels(to: TrueUpFunction, notifications: Notifications): void {
    this.#allowNamed(to, channelSecretsOf(notifications));
  }

  /** Identities of age, and KMS keys, that open files encrypted by SOPS. */
  grantSops(to: TrueUpFunction): void {
    const { ageSecret, kmsKeys } = this.#config.sops;
    this.#allowNamed(to, [ageSecret]);
    if (kmsKeys.length === 0) return;
    to.allow(new PolicyStatement({ actions: ['kms:Decrypt'], resources: [...new Set(kmsKeys)] }));
  }

  /** Values that Secrets may refer to; in the words of the list, where `*` means what it means in a policy. */
  grantReferences(to: TrueUpFunction): void {
    const { secrets, parameters, kmsKeys } = this.#config.secretReferences;
    for (const pattern of secrets) {
      // An ARN may have been written with the six characters at its end, or without.
      const isArn = pattern.startsWith('arn:');
      for (const arn of isArn ? [pattern, `${pattern}-??????`] : [this.#secretArn(pattern)])
        this.#allowPattern(to, 'secretsmanager:GetSecretValue', arn);
    }
    for (const pattern of parameters) {
      const name = { service: 'ssm', resource: 'parameter', resourceName: pattern.slice(1) };
      this.#allowPattern(to, 'ssm:GetParameter', Stack.of(this).formatArn(name));
    }
    if (kmsKeys.length > 0) {
      to.allow(new PolicyStatement({ actions: ['kms:Decrypt'], resources: [...new Set(kmsKeys)] }));
    }
  }

  #allowPattern(to: TrueUpFunction, action: string, arn: string): void {
    to.allow(new PolicyStatement({ actions: [action], resources: [arn] }));
    if (!arn.includes('*')) return;
    Validations.of(to).acknowledge({
      id: `AwsSolutions-IAM5[Resource::${flattened(Stack.of(this).resolve(arn))}]`,
      reason: 'The stack configuration allows references to these names, in these words.',
    });
  }

  /** A kubeconfig, by the name of its secret. */
  grantKubeconfig(to: TrueUpFunction, name: string): void {
    this.#allowNamed(to, [name]);
  }

  // Six characters, unknown to us, follow the name in the ARN of every secret.
  #allowNamed(to: TrueUpFunction, names: readonly (string | undefined)[]): void {
    for (const name of new Set(names)) {
      if (name === undefined) continue;
      this.#allow(to, this.#secretArn(name));
    }
  }

  #secretArn(name: string): string {
    const arn = { service: 'secretsmanager', resource: 'secret', resourceName: `${name}-??????` };
    return Stack.of(this).formatArn({ ...arn, arnFormat: ArnFormat.COLON_RESOURCE_NAME });
  }

  #allow(to: TrueUpFunction, arn: string): void {
    to.allow(new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [arn] }));
  }
}

function describeHookSecret(hook: Hook): string {
  const name = hookName(hook);
  return hasSecretPath(hook)
    ? `Last part of the address that ${name} calls: whoever knows it may call`
    : `Proves the webhooks of ${name}; enter it as the secret of the webhook there`;
}
