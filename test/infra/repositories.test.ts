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
  ],
});
after(() => stack[Symbol.dispose]());

const policySchema = z.object({
  PolicyDocument: z.object({ Statement: z.array(z.object({ Action: z.unknown(), Resource: z.unknown() })) }),
  Roles: z.array(z.unknown()),
});

/** Resources of an action by role, our own secrets left out. */
function allowed(action: string): Readonly<Record<string, readonly string[]>> {
  const found: Record<string, string[]> = {};
  for (const [, { Properties }] of ofType(stack.resources, 'AWS::IAM::Policy')) {
    const { PolicyDocument, Roles } = policySchema.parse(Properties);
    const resources = PolicyDocument.Statement.filter(({ Action }) => Action === action)
      .flatMap(({ Resource }) => (Array.isArray(Resource) ? Resource : [Resource]))
      .map(flatten)
      .filter((resource) => resource.startsWith('arn:'));
    if (resources.length > 0) found[Roles.map(flatten).join()] = resources.sort();
  }
  return found;
}

test('the snapshot function reads the secrets of repositories and their signers, each once', () => {
  const prefix = 'arn:<Partition>:secretsmanager:<Region>:<AccountId>:secret:acme/';
  const names = ['app-key', 'gpg-keys', 'signers', 'ssh-key', 'token'].map(
    (name) => `${prefix}${name}-??????`,
  );
  assert.deepEqual(allowed('secretsmanager:GetSecretValue')['<FunctionsSnapshotRole>'], names);
});

test('it pulls from the configured repositories of CodeCommit; nobody else does', () => {
  assert.deepEqual(allowed('codecommit:GitPull'), {
    '<FunctionsSnapshotRole>': ['arn:<Partition>:codecommit:eu-west-1:<AccountId>:fleet'],
  });
});
