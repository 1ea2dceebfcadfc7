import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whyClaimsDiffer } from '../../../core/receive/claims.ts';

const github = {
  sub: 'repo:acme/shop:ref:refs/heads/main',
  repository: 'acme/shop',
  run_attempt: 1,
  repository_owner_id: '42',
};

type Case = readonly [
  subject: string | undefined,
  claims: Readonly<Record<string, string>>,
  says: string | RegExp | undefined,
];

for (const [subject, claims, says] of [
  ['repo:acme/shop:ref:refs/heads/main', {}, undefined],
  ['repo:acme/*', {}, undefined],
  ['repo:*:ref:refs/heads/*', {}, undefined],
  ['*', {}, undefined],
  [undefined, { repository: 'acme/shop', run_attempt: '1' }, undefined],
  ['repo:acme/sho', {}, 'claim sub of the token is not repo:acme/sho'],
  ['acme/*', {}, 'claim sub of the token is not acme/*'],
  ['*:ref:refs/heads/mai', {}, 'claim sub of the token is not *:ref:refs/heads/mai'],
  ['repo:acme/shop:ref:refs/heads/main*main', {}, /is not/],
  ['repo:acme/*', { repository_owner_id: '43' }, 'claim repository_owner_id of the token is not 43'],
  [undefined, { absent: '*' }, 'claim absent of the token is not *'],
  [undefined, { constructor: '*' }, /claim constructor/],
] as readonly Case[]) {
  test(`${subject ?? ''} ${JSON.stringify(claims)}: ${says === undefined ? 'fits' : 'does not'}`, () => {
    const rules = { issuer: 'https://ci.example.com', audience: 'trueup', claims };
    const why = whyClaimsDiffer(github, subject === undefined ? rules : { ...rules, subject });
    if (says instanceof RegExp) assert.match(why ?? '', says);
    else assert.equal(why, says);
  });
}
