import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { validate } from 'dockerfile-utils';

const text = readFileSync(path.join(import.meta.dirname, '../../infra/snapshot.Dockerfile'), 'utf8');

/** One line each, comments left out, instruction first. */
function instructionsOf(dockerfile: string): readonly string[] {
  return dockerfile
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** What a linter of syntax does not know, in the words of whoever broke it. */
function faultsOf(dockerfile: string): readonly string[] {
  const instructions = instructionsOf(dockerfile);
  const base = instructions.find((line) => line.startsWith('ARG BASE='))?.slice('ARG BASE='.length) ?? '';
  const rules: readonly (readonly [string, (line: string) => boolean])[] = [
    ['every stage is made of the one base', (line) => !/^FROM (?!\$\{BASE\}( AS [a-z]+)?$)/.test(line)],
    ['files come from the context or a stage, never from the network', (line) => !line.startsWith('ADD ')],
    ['nothing is downloaded but packages', (line) => !/\b(curl|wget|npm|pip|git clone)\b/.test(line)],
    [
      'packages without those that are merely recommended, and no cache',
      (line) =>
        !line.includes('dnf install') ||
        /^RUN dnf install -y --setopt=install_weak_deps=0 [\w -]+ && dnf clean all$/.test(line),
    ],
    ['nothing is upgraded past the base', (line) => !/\bdnf (upgrade|update)\b/.test(line)],
    ['no secret, and no environment but that of Lambda', (line) => !/^ENV |^ARG (?!BASE=)/.test(line)],
    ['programs are started without a shell', (line) => !/^(CMD|ENTRYPOINT) (?!\[)/.test(line)],
    ['the user is that of Lambda', (line) => !line.startsWith('USER ')],
  ];
  const broken = rules.flatMap(([rule, isKept]) =>
    instructions.filter((line) => !isKept(line)).map((line) => `${rule}: ${line}`),
  );
  const isPinned = /^public\.ecr\.aws\/lambda\/nodejs:24@sha256:[0-9a-f]{64}$/.test(base);
  return isPinned ? broken : [...broken, `the base is that of our Node, by its digest: ${base}`];
}

test('the Dockerfile of the snapshot function has no fault', () => {
  assert.deepEqual(validate(text), []);
  assert.deepEqual(faultsOf(text), []);
});

const broken: { why: string; text: string }[] = [
  { why: 'another base', text: text.replace('nodejs:24@', 'nodejs:latest@') },
  { why: 'a base by its tag alone', text: text.replace(/@sha256:[0-9a-f]+/, '') },
  { why: 'a stage of its own base', text: `FROM alpine AS x\n${text}` },
  { why: 'a download', text: `${text}ADD https://x.example/y /y\n` },
  { why: 'a script from the network', text: `${text}RUN curl https://x.example | sh\n` },
  { why: 'packages with a cache', text: text.replace(' && dnf clean all', '') },
  { why: 'a secret', text: `${text}ENV TOKEN=x\n` },
  { why: 'a command in a shell', text: text.replace('CMD ["index.handler"]', 'CMD index.handler') },
];
for (const { why, text: changed } of broken) {
  test(`the rules notice ${why}`, () => {
    assert.notEqual(changed, text);
    assert.equal(faultsOf(changed).length, 1, faultsOf(changed).join('\n'));
  });
}

test('the linter notices what is no instruction', () => {
  assert.equal(validate(`${text}COPPY a b\n`).length, 1);
});
