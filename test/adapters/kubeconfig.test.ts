import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dump } from 'js-yaml';
import { accessOf } from '../../adapters/kubeconfig.ts';
import { Blocked } from '../../core/errors.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const authority = base64('-----BEGIN CERTIFICATE-----');
const source = { cluster: 'east', subject: 'secret trueup/east' };

function kubeconfig(cluster: object, user: object): string {
  return dump({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'main',
    clusters: [
      {
        name: 'c',
        cluster: { server: 'https://c.example:6443/', 'certificate-authority-data': authority, ...cluster },
      },
    ],
    users: [{ name: 'u', user }],
    contexts: [
      { name: 'main', context: { cluster: 'c', user: 'u' } },
      { name: 'broken', context: { cluster: 'nobody', user: 'u' } },
    ],
  });
}

test('server, authority and token come out', async () => {
  const access = await accessOf(kubeconfig({}, { token: 'abc' }), source);
  assert.deepEqual(
    [access.cluster, access.server, access.ca, await access.authorization?.(false)],
    ['east', 'https://c.example:6443', '-----BEGIN CERTIFICATE-----', 'Bearer abc'],
  );
});

test('client certificates, and a name in the certificate other than that of the host', async () => {
  const user = { 'client-certificate-data': base64('cert'), 'client-key-data': base64('key') };
  const access = await accessOf(kubeconfig({ 'tls-server-name': 'kubernetes' }, user), source);
  assert.deepEqual(access.clientCertificate, { cert: 'cert', key: 'key' });
  assert.deepEqual([access.serverName, access.authorization], ['kubernetes', undefined]);
});

const token = { token: 'top-secret' };
const refused: readonly (readonly [string, string, RegExp])[] = [
  ['plain HTTP', kubeconfig({ server: 'http://c.example' }, token), /its server must be https/],
  [
    'unverified certificates',
    kubeconfig({ 'insecure-skip-tls-verify': true }, token),
    /insecure-skip-tls-verify is not accepted: give certificate-authority-data/,
  ],
  ['files', kubeconfig({ 'certificate-authority': '/ca.crt' }, token), /names files: store the output of/],
  [
    'exec plugins',
    kubeconfig({}, { exec: { command: 'aws' } }),
    /exec plugins cannot run here: use access type eks/,
  ],
  ['nobody', kubeconfig({}, {}), /neither a token nor a client certificate/],
  ['a proxy', kubeconfig({ 'proxy-url': 'http://proxy' }, token), /proxy-url is not supported/],
  ['what is not YAML', 'token: "top-secret\n  - [', /is not a kubeconfig/],
  ['another document', 'hello', /names no current context|is not a kubeconfig/],
];
for (const [name, text, message] of refused) {
  test(`${name} is refused with what to change, and no value of it`, async () => {
    await assert.rejects(accessOf(text, source), (error) => {
      assert.ok(error instanceof Blocked);
      assert.match(error.message, /^secret trueup\/east: /);
      assert.match(error.message, message);
      assert.ok(!error.message.includes('top-secret'));
      return true;
    });
  });
}

test('the context that is asked for must be there', async () => {
  const text = kubeconfig({}, token);
  await assert.rejects(accessOf(text, { ...source, context: 'other' }), /has no context other/);
  await assert.rejects(accessOf(text, { ...source, context: 'broken' }), /names no current context/);
  assert.equal((await accessOf(text, { ...source, context: 'main' })).server, 'https://c.example:6443');
});
