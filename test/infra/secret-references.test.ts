import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseStackConfig, type StackConfigInput } from '../../core/contract/config.ts';
import { whyNotRead } from '../../core/contract/reserved-secrets.ts';
import { rightsIn, sample } from './synthesized.ts';

test('only what applies and checks may read what references name, by exactly these words', () => {
  const kmsKey = 'arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555';
  const shared = 'arn:aws:secretsmanager:eu-west-1:210987654321:secret:shared/db';
  const none = new Set(rightsIn(sample));
  const found = rightsIn({
    ...sample,
    secretReferences: { secrets: ['apps/*', shared], parameters: ['/apps/*/db'], kmsKeys: [kmsKey] },
  }).filter((right) => !none.has(right) && !/-assets-|<StorageSealingKey>/.test(right));
  const expected = [
    `kms:Decrypt ${kmsKey}`,
    `secretsmanager:GetSecretValue arn:<Partition>:secretsmanager:<Region>:<AccountId>:secret:apps/*-??????`,
    `secretsmanager:GetSecretValue ${shared}`,
    `secretsmanager:GetSecretValue ${shared}-??????`,
    `ssm:GetParameter arn:<Partition>:ssm:<Region>:<AccountId>:parameter/apps/*/db`,
  ];
  assert.deepEqual(
    found.toSorted(),
    ['Reconcile', 'Sweep'].flatMap((name) => expected.map((right) => `${name} ${right}`)),
  );
});

test('no secret that a function has rights on for itself may be referred to, however wide the pattern', () => {
  const config: StackConfigInput = {
    ...sample,
    repositories: [
      ...sample.repositories,
      {
        name: 'app',
        url: 'https://github.com/acme/app.git',
        githubApp: { appId: 1, installationId: 2, privateKeySecret: 'acme/app-key' },
      },
      {
        name: 'ssh',
        url: 'ssh://git@git.example/acme/ssh.git',
        ssh: { secret: 'acme/ssh-key' },
        verify: { mode: 'require', gpgKeys: [{ secret: 'acme/gpg-keys' }] },
      },
    ],
    hooks: [
      { provider: 'github', redeliver: { of: 'repos/acme/app', id: 1, tokenSecret: 'acme/redeliver' } },
      { provider: 'gitlab', secret: 'acme/gitlab-hook' },
    ],
    sources: {
      charts: [{ url: 'https://charts.example/stable', secret: 'acme/charts' }],
      bases: [{ url: 'https://git.example/acme/bases.git', tokenSecret: 'acme/bases' }],
    },
    sops: { ageSecret: 'acme/age' },
    secretReferences: {
      secrets: ['acme*', 'trueup*', 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:a*'],
    },
  };
  const parsed = parseStackConfig(config);
  const own = rightsIn({ ...config, secretReferences: {} }).flatMap(
    (right) => /GetSecretValue .*:secret:(.*)-\?{6}$/.exec(right)?.[1] ?? [],
  );
  assert.ok(own.includes('acme/age') && own.includes('acme/bases') && own.includes('acme/edge-kubeconfig'));
  const arn = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:';
  for (const name of new Set(own)) {
    for (const spelling of [name, `${arn}${name}`, `${arn}${name}-Ab1Cd2`]) {
      assert.match(
        whyNotRead({ store: 'awssecrets', name: spelling }, parsed) ?? '',
        /trueup itself/,
        spelling,
      );
    }
  }
  assert.equal(whyNotRead({ store: 'awssecrets', name: 'acme/db' }, parsed), undefined);
  assert.match(
    whyNotRead({ store: 'awssecrets', name: 'trueup/acme/digest-key' }, parsed) ?? '',
    /trueup itself/,
  );
});
