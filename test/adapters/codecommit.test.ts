import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { codeCommitCredentials, roleSigning } from '../../adapters/codecommit.ts';
import { GitAccesses } from '../../adapters/git-access.ts';
import { repositorySchema } from '../../core/contract/repository.ts';

const url = 'https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/fleet';
const clock = { now: () => Date.parse('2026-11-23T09:05:07.123Z') };
const identity = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCY' };
const { sha256 } = roleSigning();

/** The signature of git-remote-codecommit, by its own steps. */
function expected(): string {
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  const request = [
    'GIT',
    '/v1/repos/fleet',
    '',
    'host:git-codecommit.eu-west-1.amazonaws.com',
    '',
    'host',
    '',
  ].join('\n');
  const digest = createHash('sha256').update(request).digest('hex');
  const scope = ['20261123', 'eu-west-1', 'codecommit', 'aws4_request'];
  const text = ['AWS4-HMAC-SHA256', '20261123T090507', scope.join('/'), digest].join('\n');
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${identity.secretAccessKey}`);
  return `20261123T090507Z${hmac(key, text).toString('hex')}`;
}

test('the password is the signature that git-remote-codecommit makes', async () => {
  const signing = { credentials: async () => identity, sha256, clock };
  assert.equal(await codeCommitCredentials(url, 'eu-west-1', signing), `AKIDEXAMPLE:${expected()}`);
});

test('a session token goes behind the user name', async () => {
  const credentials = async () => ({ ...identity, sessionToken: 'SESSION/+=' });
  const text = await codeCommitCredentials(url, 'eu-west-1', { credentials, sha256, clock });
  assert.equal(text, `AKIDEXAMPLE%SESSION/+=:${expected()}`);
});

test('git sends it to that host and to no other', async () => {
  const accesses = new GitAccesses({
    secrets: { get: () => assert.fail('no secret is needed') },
    scratch: tmpdir(),
    clock,
    codeCommit: { credentials: async () => identity, sha256 },
  });
  const repository = repositorySchema.parse({ name: 'fleet', url, provider: 'codecommit' });
  await using access = await accesses.open(repository);
  const encoded = Buffer.from(`AKIDEXAMPLE:${expected()}`).toString('base64');
  assert.deepEqual(access.config, {
    'remote.origin.url': url,
    'http.https://git-codecommit.eu-west-1.amazonaws.com/.extraHeader': `Authorization: Basic ${encoded}`,
  });
});
