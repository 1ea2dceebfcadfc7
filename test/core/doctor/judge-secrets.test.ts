import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { shapeOf, type SecretUse } from '../../../core/doctor/judge-secrets.ts';

const cases: readonly (readonly [value: string, use: SecretUse, shape: string])[] = [
  ['', 'token', 'empty'],
  [' \n', 'webhook', 'empty'],
  ['changeme', 'token', 'placeholder'],
  ['REPLACE_ME', 'webhook', 'placeholder'],
  ['<your token>', 'token', 'placeholder'],
  ['{"password":"a,b=c"}', 'token', 'placeholder'],
  ['ghp_0123456789', 'token', 'filled'],
  ['ghp_0123456789\n', 'token', 'filled'],
  ['s3cr3t-enough', 'webhook', 'filled'],
  ['s3cr3t-enough\n', 'webhook', 'padded'],
  ['apiVersion: v1\nclusters: []\n', 'kubeconfig', 'filled'],
  ['{"apiVersion":"v1","clusters":[]}', 'kubeconfig', 'filled'],
  ['hello', 'kubeconfig', 'not-a-kubeconfig'],
  ['-----BEGIN PRIVATE KEY-----\nx', 'key', 'filled'],
  ['AGE-SECRET-KEY-1XYZ', 'key', 'filled'],
  ['hello', 'key', 'not-pem'],
  ['ssh-ed25519 AAAA\n', 'text', 'filled'],
];

describe('shapeOf', () => {
  for (const [value, use, shape] of cases) {
    it(`calls ${JSON.stringify(value)} as a ${use} ${shape}`, () => assert.equal(shapeOf(value, use), shape));
  }
});
