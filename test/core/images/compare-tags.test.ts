import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replaces } from '../../../core/images/compare-tags.ts';
import { canonicalRepository, parseImage } from '../../../core/images/image-reference.ts';
import type { ImagePolicy } from '../../../core/model/image-policy.ts';

type Following = Pick<ImagePolicy, 'policy' | 'filter'>;
const semver: Following = { policy: { semver: { range: '>=1.2 <3' } } };
const number: Following = {
  policy: { numerical: { order: 'asc' } },
  filter: { pattern: '^build-([0-9]+)$', extract: '$1' },
};

const cases: readonly (readonly [why: string, Following, from: string, to: string, boolean])[] = [
  ['a later version', semver, '1.2.3', '1.10.0', true],
  ['an earlier one', semver, '1.10.0', '1.2.3', false],
  ['with a v', semver, 'v1.2.3', 'v1.2.4', true],
  ['beyond the range', semver, '2.9.0', '3.0.0', false],
  ['a pre-release is asked for by name', semver, '1.2.3', '1.3.0-rc.1', false],
  ['what is not followed goes for anything that is', semver, 'latest', '1.2.0', true],
  ['a moving tag is no version', semver, '1.2.0', 'latest', false],
  ['numbers, not letters', number, 'build-99', 'build-100', true],
  ['and not below', number, 'build-100', 'build-99', false],
  ['not matching', number, 'build-100', 'pr-200', false],
  ['downwards', { policy: { numerical: { order: 'desc' } } }, '10', '9', true],
  ['by letters', { policy: { alphabetical: { order: 'asc' } } }, '2026-01-09', '2026-01-10', true],
  ['the last one pushed', { policy: { newest: {} } }, 'zeta', 'alpha', true],
  [
    'the last one pushed that matches',
    { policy: { newest: {} }, filter: { pattern: '^main-' } },
    'main-b',
    'pr-1',
    false,
  ],
];
for (const [why, following, from, to, expected] of cases) {
  test(`${why}: ${from} → ${to}`, () => {
    assert.equal(replaces(following, to, from, 'policy'), expected);
  });
}

test('references in all their spellings', () => {
  const digest = `sha256:${'0'.repeat(64)}`;
  assert.deepEqual(parseImage(`localhost:5000/a/b:1.2@${digest}`), {
    repository: 'localhost:5000/a/b',
    tag: '1.2',
    digest,
  });
  assert.deepEqual(parseImage('nginx'), { repository: 'nginx' });
  for (const bad of ['', 'UPPER/case', 'a:b:c', `a@sha256:12`, 'a:b@c@d', 'a b'])
    assert.equal(parseImage(bad), undefined, bad);
  const spellings = [
    'nginx',
    'library/nginx',
    'docker.io/nginx',
    'docker.io/library/nginx',
    'index.docker.io/library/nginx',
  ];
  assert.deepEqual([...new Set(spellings.map(canonicalRepository))], ['docker.io/library/nginx']);
  assert.equal(canonicalRepository('localhost:5000/a'), 'localhost:5000/a');
});
