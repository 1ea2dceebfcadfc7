import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRemote } from '../../../core/render/kustomize-path.ts';

const remote: readonly string[] = [
  'http://127.0.0.1/a',
  'HTTPS:a',
  'k=http://127.0.0.1/a',
  'a/b=http://127.0.0.1/a',
  '../a/b=git@acme.example:web',
  'git@github.com:acme/web',
  '@@a:',
  'a@b@c:d',
  'git::ssh://acme.example/web',
  'github.com/acme/web',
  'acme.example/web?ref=main',
  'acme.example/web.git',
];
const local = ['a/b.yaml', 'k=a/b.yaml', 'a/b=c/d.yaml', 'a/b@c:d', '@a:b', 'a@b/c:d', '../../base', 'http'];

test('an address is known by its form, whatever key stands before it', () => {
  assert.deepEqual([...remote, ...local].filter(isRemote), remote);
});

test('an entry of megabytes is judged as fast as it is read', () => {
  assert.equal(isRemote('a@'.repeat(1_000_000)), false);
  assert.equal(isRemote(`${'a='.repeat(1_000_000)}b`), false);
  assert.equal(isRemote(`k=${'@'.repeat(1_000_000)}`), false);
});
