import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import * as z from 'zod';
import { flatten, ofType, sample, synthesize } from './synthesized.ts';

/** Repositories that are read in every way: what the snapshot function may read for it, and nothing else may. */
const codeCommit = { provider: 'codecommit' as const };
const stack = synthesize({
  ...sample,
  repositories: [
    { name: 'public', url: 'https://git.example/acme/public.git' },
    { name: 'token', url: 'https://git.example/acme/token.git', tokenSecret: 'acme/token' },
    { name: 'again', url: 'https://git.example/acme/again.git', tokenSecret: 'acme/token' },
    {
      name: 'app',
      url: 'https://github.com/acme/app.git',
      githubApp: { appId: 1, installationId: 2, privateKeySecret: 'acme/app-key' },
    },
    {
      name: 'ssh',
      url: 'ssh://git@git.example/acme/ssh.git',
      ssh: { secret: 'acme/ssh-key' },
      verify: {
        mode: 'require',
        gpgKeys: ['inline', { secret: 'acme/gpg-keys' }],
        sshKeys: [{ secret: 'acme/signers' }],
      },
    },
    { ...codeCommit, name: 'here', url: 'https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/fleet' },
    {
      ...codeCommit,
      name: 'twice',
      url: 'https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/fleet',
      branch: 'other',
    },
    { name: 'ecr', url: 'oci://123456789012.dkr.ecr.eu-west-1.amazonaws.com/acme/fleet', tag: 'main' },
    {
      name: 'ghcr',
      url: 'oci://ghcr.io/acme/fleet',
      tag: 'main',
      registry: { secret: 'acme/ghcr' },
      verify: { mode: 'require', cosign: { keys: [{ secret: 'acme/cosign' }] } },
    },
    { name: 'object', url: 's3://acme-artifacts/fleet/main.tar.gz' },
    { name: 'object-too', url: 's3://acme-artifacts/fleet/other.tgz' },
  ],
});
after(() => stack[Symbol.dispose]());

const policySchema = z.object({
  PolicyDocument: z.object({
    Statement: z.array(
      z.object({ Action: z.union([z.string(), z.array(z.string())]), Resource: z.unknown() }),
    ),
  }),
  Roles: z.array(z.unknown()),
});

/** Resources of an action by role, our own secrets left out. */
function allowed(action: string): Readonly<Record<string, readonly string[]>> {
  const found: Record<string, string[]> = {};
  for (const [, { Properties }] of ofType(stack.resources, 'AWS::IAM::Policy')) {
    const { PolicyDocument, Roles } = policySchema.parse(Properties);
    const resources = PolicyDocument.Statement.filter(({ Action }) => [Action].flat().includes(action))
      .flatMap(({ Resource }) => (Array.isArray(Resource) ? Resource : [Resource]))
      .map(flatten)
      .filter((resource) => resource.startsWith('arn:'));
    if (resources.length > 0) found[Roles.map(flatten).join()] = resources.sort();
  }
  return found;
}

test('the snapshot function reads the secrets of repositories and their signers, each once', () => {
  const prefix = 'arn:<Partition>:secretsmanager:<Region>:<AccountId>:secret:acme/';
  const names = ['app-key', 'cosign', 'ghcr', 'gpg-keys', 'signers', 'ssh-key', 'token'].map(
    (name) => `${prefix}${name}-??????`,
  );
  assert.deepEqual(allowed('secretsmanager:GetSecretValue')['<FunctionsSnapshotRole>'], names);
});

test('it pulls from the configured repositories of CodeCommit; nobody else does', () => {
  assert.deepEqual(allowed('codecommit:GitPull'), {
    '<FunctionsSnapshotRole>': ['arn:<Partition>:codecommit:eu-west-1:<AccountId>:fleet'],
  });
});

const [bucket, artifact] = [
  'arn:<Partition>:s3:::acme-artifacts/',
  'arn:<Partition>:ecr:eu-west-1:123456789012:',
];

test('it reads the artifacts of ECR and the objects of S3 that are configured, and nothing beside them', () => {
  for (const action of ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer', 'ecr:ListImages']) {
    assert.deepEqual(allowed(action), { '<FunctionsSnapshotRole>': [`${artifact}repository/acme/fleet`] });
  }
  const objects = ['fleet/main.tar.gz', 'fleet/other.tgz'].map((key) => `${bucket}${key}`);
  assert.deepEqual(allowed('s3:GetObjectVersion'), { '<FunctionsSnapshotRole>': objects });
  assert.deepEqual(allowed('s3:GetObject')['<FunctionsSnapshotRole>'], objects);
});

test('new versions of these objects, and of no others, come from the default bus to the intake queue', () => {
  const rules = ofType(stack.resources, 'AWS::Events::Rule').flatMap(([, { Properties }]) => {
    const { EventPattern: pattern, EventBusName: bus } = Properties;
    const isObject = z.object({ source: z.tuple([z.literal('aws.s3')]) }).safeParse(pattern).success;
    return isObject ? [{ pattern, isOurs: bus !== undefined }] : [];
  });
  const pattern = {
    source: ['aws.s3'],
    'detail-type': ['Object Created'],
    detail: {
      bucket: { name: ['acme-artifacts'] },
      object: { key: ['fleet/main.tar.gz', 'fleet/other.tgz'] },
    },
  };
  assert.deepEqual(
    rules.sort((a, b) => Number(a.isOurs) - Number(b.isOurs)),
    [
      { pattern, isOurs: false },
      { pattern, isOurs: true },
    ],
  );
});
