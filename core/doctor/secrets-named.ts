import type { StackConfig } from '../contract/config.ts';
import { hookName, hookSecretName, hooksOf } from '../contract/hooks.ts';
import { secretsOf } from '../contract/repository.ts';
import type { SecretFact } from './judge-secrets.ts';

type Named = Omit<SecretFact, 'state'>;

/** Secrets that the stack makes, by the prefix and the name in its outputs. */
export interface OwnSecrets {
  readonly hookPrefix: string;
  readonly digestKey: string;
}

/** Every secret that an installation reads, once each, and what for. Those that Secrets refer to are not ours to know. */
export function secretsNamed(config: StackConfig, own: OwnSecrets): readonly Named[] {
  const named = [
    { name: own.digestKey, use: 'digest' as const, of: 'digest key of the stack' },
    ...ofHooks(config, own),
    ...ofRepositories(config),
    ...ofSources(config),
    ...ofChannels(config),
    ...config.clusters.flatMap(({ name, access }): Named[] =>
      access.type === 'kubeconfig' ? [{ name: access.secret, use: 'kubeconfig', of: `cluster ${name}` }] : [],
    ),
  ];
  return [...new Map(named.map((secret) => [secret.name, secret])).values()];
}

function ofHooks(config: StackConfig, { hookPrefix }: OwnSecrets): readonly Named[] {
  return hooksOf(config).flatMap((hook): Named[] => {
    const of = `webhook ${hookName(hook)}`;
    const secret = hookSecretName(hook, hookPrefix);
    const redeliver = hook.provider === 'github' ? hook.redeliver : undefined;
    return [
      ...one(secret, 'webhook', of),
      ...one(redeliver?.tokenSecret, 'token', of),
      ...one(redeliver?.privateKeySecret, 'key', of),
    ];
  });
}

function ofRepositories({ repositories }: StackConfig): readonly Named[] {
  return repositories.flatMap((repository) => {
    const of = `repository ${repository.name}`;
    const { tokenSecret, githubApp, ssh, registry, images, host } = repository;
    const known = [
      ...one(tokenSecret, 'token', of),
      ...one(githubApp?.privateKeySecret, 'key', of),
      ...one(ssh?.secret, 'key', of),
      ...one(registry?.secret, 'password', of),
      ...one(host?.tokenSecret, 'token', `API of the host of ${of}`),
      ...one(images?.tokenSecret, 'token', `images of ${of}`),
      ...one(images?.signingKeySecret, 'key', `images of ${of}`),
    ];
    const names = new Set(known.map(({ name }) => name));
    // Public keys and roots of trust.
    const rest = secretsOf(repository).filter((name) => !names.has(name));
    return [...known, ...rest.flatMap((name) => one(name, 'text', of))];
  });
}

function ofSources({ sources, sops }: StackConfig): readonly Named[] {
  return [
    ...sources.bases.flatMap(({ url, tokenSecret }) => one(tokenSecret, 'token', `base ${url}`)),
    ...sources.charts.flatMap(({ url, secret }) => one(secret, 'password', `charts ${url}`)),
    ...one(sops.ageSecret, 'key', 'sops'),
  ];
}

function ofChannels({ notifications }: StackConfig): readonly Named[] {
  return (notifications?.channels ?? []).flatMap((channel) =>
    'secret' in channel ? one(channel.secret, 'token', `channel ${channel.name}`) : [],
  );
}

function one(name: string | undefined, use: SecretFact['use'], of: string): Named[] {
  return name === undefined ? [] : [{ name, use, of }];
}
