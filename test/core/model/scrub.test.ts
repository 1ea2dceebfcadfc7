import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scrub } from '../../../core/model/scrub.ts';

// Put together here, so that nobody's scanner takes them for real ones.
const pem = ['RSA', 'PRIVATE', 'KEY'].join(' ');
const key = `-----BEGIN ${pem}-----\nMIIEow+/=\n-----END ${pem}-----`;
const jwt = ['eyJhbGciOiJIUzI1NiJ9', 'eyJzdWIiOiIxIn0', 'c2lnbmF0dXJl'].join('.');

const cases: readonly (readonly [what: string, text: string, expected: string])[] = [
  ['a text without secrets stays', 'Deployment shop/web: not found', 'Deployment shop/web: not found'],
  [
    'names, digests, commits and paths stay',
    'commit 4be1c2d0aa11bb22cc33dd44ee55ff6677889900 of apps/overlays/production/europe/frontend/base/kustomization at sha256:7f5b2640fe6fb4f46592dfd3410c4a79dac4f89e4782432e0378abcd12345678',
    'commit 4be1c2d0aa11bb22cc33dd44ee55ff6677889900 of apps/overlays/production/europe/frontend/base/kustomization at sha256:7f5b2640fe6fb4f46592dfd3410c4a79dac4f89e4782432e0378abcd12345678',
  ],
  ['words about secrets stay', 'secret acme/token: does not exist', 'secret acme/token: does not exist'],
  ['a private key', `cannot use ${key} here`, 'cannot use … here'],
  ['a private key that is cut off', key.slice(0, 45), '…'],
  ['a key of AWS', 'key AKIAIOSFODNN7EXAMPLE is off', 'key … is off'],
  ['a token of GitHub', `used ghp_${'a1'.repeat(18)} there`, 'used … there'],
  ['a token of GitLab', `used glpat-${'a1'.repeat(10)} there`, 'used … there'],
  ['a token of Slack', 'used xoxb-123456789012-abcdef there', 'used … there'],
  ['a signing key', 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD is short', '… is short'],
  ['a token in three parts', `got ${jwt}, expired`, 'got …, expired'],
  [
    'a password in an address',
    'clone https://bot:hunter2@git.example/x failed',
    'clone https://…@git.example/x failed',
  ],
  ['a header', 'sent Authorization: Bearer abcdef.ghijkl-mn', 'sent Authorization: Bearer …'],
  ['a signed address', 'GET /x?sig=aB%2F3&v=1 failed', 'GET /x?sig=…&v=1 failed'],
  ['an assignment', 'env DB_PASSWORD=hunter2 is set twice', 'env DB_PASSWORD=… is set twice'],
  ['a quoted value', 'db.password: "hunter2" is no number', 'db.password: … is no number'],
  ['a long random text', `value ${'Zm9vYmFyYmF6cXV4'.repeat(4)}1 is wrong`, 'value … is wrong'],
  [
    'what the API server quotes: a string',
    'Secret shop/db is invalid: data.password: Invalid value: "hun\\"ter2: x": must be base64',
    'Secret shop/db is invalid: data.password: Invalid value: …: must be base64',
  ],
  [
    'what the API server quotes: an object',
    'spec.selector: Invalid value: {"matchLabels":{"app":"x: y","b":"}"}}: field is immutable',
    'spec.selector: Invalid value: …: field is immutable',
  ],
  [
    'what the API server quotes: a Go struct',
    'spec: Invalid value: core.PodSpec{Volumes:[]core.Volume(nil), Env:map[string]string{"A":"b"}}: pod updates may not change fields',
    'spec: Invalid value: …: pod updates may not change fields',
  ],
  [
    'what the API server quotes: two of them',
    'a: Invalid value: 7: too large; b: Unsupported value: "x": supported values: "y", "z"',
    'a: Invalid value: …: too large; b: Unsupported value: …: supported values: "y", "z"',
  ],
  ['lines and control characters become spaces', 'a\n\tb\u0007\u001B[31mc', 'a b [31mc'],
  ['marks that turn text around go', 'a\u202Eb\u2066c', 'abc'],
];

for (const [what, text, expected] of cases) {
  test(`scrub: ${what}`, () => assert.equal(scrub(text), expected));
}

test('scrub: a text is cut at 400 characters, and not in the middle of one', () => {
  assert.equal(scrub('x'.repeat(500)).length, 400);
  const cut = scrub('😀'.repeat(300));
  assert.ok(cut.isWellFormed() && cut.endsWith('…') && cut.length <= 400);
});

test('scrub: what a stranger makes up costs no time', () => {
  const hostile = [
    '-----BEGIN PRIVATE KEY'.repeat(200),
    'a'.repeat(4000),
    'aA1'.repeat(1400),
    'Invalid value: "'.repeat(300),
    'Invalid value: {'.repeat(300),
    `x${'password'.repeat(500)}=`,
    'token: '.repeat(600),
    'eyJ'.repeat(1300),
    '://'.repeat(1300),
  ];
  const started = process.cpuUsage();
  for (const text of hostile) scrub(text);
  const { user } = process.cpuUsage(started);
  assert.ok(user < 2_000_000, `${user / 1000} ms of CPU`);
});
