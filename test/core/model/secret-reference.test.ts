import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isAllowed, secretReferencesSchema } from '../../../core/contract/secret-references.ts';
import { parseReference, placeText, rotationsBetween } from '../../../core/model/secret-reference.ts';

const arn = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:acme/db-Ab1Cd2';

/** Spelling, place as records name it, path into the value. */
const read: readonly (readonly [string, string, readonly string[]])[] = [
  ['ref+awssecrets://acme/db', 'ref+awssecrets://acme/db', []],
  ['ref+awssecrets://acme/db#/password', 'ref+awssecrets://acme/db', ['password']],
  ['ref+awssecrets://acme/db#password', 'ref+awssecrets://acme/db', ['password']],
  ['ref+awssecrets://acme/db#/a/b%20c%2Fd', 'ref+awssecrets://acme/db', ['a', 'b c/d']],
  [`ref+awssecrets://${arn}#/a`, `ref+awssecrets://${arn}`, ['a']],
  ['ref+awssecrets://db?version_stage=AWSPREVIOUS', 'ref+awssecrets://db?version_stage=AWSPREVIOUS', []],
  ['ref+awssecrets://db?version_id=1f2e#/a', 'ref+awssecrets://db?version_id=1f2e', ['a']],
  ['ref+awsssm://acme/db', 'ref+awsssm://acme/db', []],
  ['ref+awsssm:///acme/db', 'ref+awsssm://acme/db', []],
  ['ref+awsssm://acme/db?version=3', 'ref+awsssm://acme/db?version=3', []],
  ['ref+awsssm://acme/db?mode=singleparam#/a/b', 'ref+awsssm://acme/db', ['a', 'b']],
  ['ref+awsssm://acme/db?mode=singleparam&version=12#/a', 'ref+awsssm://acme/db?version=12', ['a']],
];

describe('a reference is read as vals spells it', () => {
  for (const [text, place, path] of read) {
    test(text, () => {
      const parsed = parseReference(text);
      assert.ok(parsed?.kind === 'reference', JSON.stringify(parsed));
      assert.equal(placeText(parsed.reference.place), place);
      assert.deepEqual(parsed.reference.path, path);
      assert.equal(parsed.reference.place.name.startsWith('/'), text.includes('awsssm'));
    });
  }
});

const wrong: readonly (readonly [string, RegExp])[] = [
  ['ref+vault://hunter2', /scheme ref\+vault, which is not read/],
  ['ref+://hunter2', /scheme ref\+,/],
  ['secretref+awssecrets://hunter2', /no secretref/],
  ['ref+awssecrets://hunter2\n', /no line end/],
  ['ref+awssecrets://hunter2 and more', /nothing else/],
  ['ref+awssecrets://', /must name a secret/],
  ['ref+awssecrets://#/hunter2', /must name a secret/],
  ['ref+awssecrets://a*hunter2', /must name a secret/],
  ['ref+awssecrets://a+hunter2', /must name a secret/],
  ['ref+awssecrets://arn:aws:s3:eu-west-1:123456789012:secret:hunter2', /must name a secret/],
  ['ref+awssecrets://a#/', /key behind #/],
  ['ref+awssecrets://a#/hunter2//b', /key behind #/],
  ['ref+awssecrets://a#/%E0hunter2', /key behind #/],
  ['ref+awssecrets://a?role_arn=hunter2', /option role_arn that is not read; known are version_id/],
  ['ref+awssecrets://a?region=hunter2', /option region that is not read/],
  ['ref+awssecrets://a?Hunter2=1', /an option that is not read/],
  ['ref+awssecrets://a?version_id=hunter2&version_stage=b', /either a version_id or a version_stage/],
  ['ref+awssecrets://a?version_id=', /either a version_id/],
  ['ref+awsssm://', /must name a parameter/],
  ['ref+awsssm://a/hunter2/', /must name a parameter/],
  ['ref+awsssm://a:hunter2', /must name a parameter/],
  ['ref+awsssm://a?version=hunter2', /as a number/],
  ['ref+awsssm://a?version=0', /as a number/],
  ['ref+awsssm://a#/hunter2', /mode=singleparam/],
  ['ref+awsssm://a?mode=hunter2', /mode=singleparam/],
  ['ref+awsssm://a?recursive=true', /option recursive/],
  ['ref+awsssm://aws/reference/secretsmanager/trueup/acme/digest-key', /parameter of AWS itself/],
  ['ref+awsssm:////AWS/reference/secretsmanager/hunter2', /parameter of AWS itself/],
];

describe('a misspelt reference is told without what it holds', () => {
  for (const [text, fault] of wrong) {
    test(JSON.stringify(text), () => {
      const parsed = parseReference(text);
      assert.ok(parsed?.kind === 'fault', JSON.stringify(parsed));
      assert.match(parsed.fault, fault);
      assert.doesNotMatch(parsed.fault, /hunter2/i);
    });
  }

  test('what does not begin as one is none', () => {
    for (const text of ['', 'ref', 'ref+', 'href+awssecrets://a', ' ref+awssecrets://a', 'ref+a b://']) {
      assert.equal(parseReference(text), undefined, text);
    }
  });
});

test('patterns allow what the same words allow in a policy of IAM, and nothing more', () => {
  const allowed = secretReferencesSchema.parse({
    secrets: [
      'acme/db',
      'web-*',
      'x*-public',
      'a/*/b*c',
      `arn:aws:secretsmanager:eu-west-1:123456789012:secret:acme/*`,
    ],
    parameters: ['/acme/*'],
  });
  const secret = (name: string) => isAllowed({ store: 'awssecrets', name }, allowed);
  const parameter = (name: string) => isAllowed({ store: 'awsssm', name }, allowed);
  for (const name of ['acme/db', 'web-', 'web-a/b', 'x-public', 'xx-public', 'a/x/bc', 'a/x/y/bzzc', arn])
    assert.ok(secret(name), name);
  for (const name of [
    'acme/db2',
    'acme/dbx',
    'Acme/db',
    'web',
    'aweb-a',
    'public',
    'a/bc',
    'a/x/b',
    'a/x/bcd',
    '/acme/db',
  ])
    assert.ok(!secret(name), name);
  assert.ok(!secret(arn.replace('eu-west-1', 'eu-west-2')));
  assert.ok(parameter('/acme/a/b'));
  for (const name of ['/acme', '/acmex', '/x/acme/a']) assert.ok(!parameter(name), name);
  // The start and the end of a name must not share characters.
  const shared = secretReferencesSchema.parse({ secrets: ['ab*ba'] });
  assert.ok(!isAllowed({ store: 'awssecrets', name: 'aba' }, shared));
  assert.ok(isAllowed({ store: 'awssecrets', name: 'abba' }, shared));
  assert.ok(!isAllowed({ store: 'awssecrets', name: 'abba' }, secretReferencesSchema.parse({})));
});

test('a pattern for everything is refused', () => {
  const wild = ['*', '/*', '**', 'a?', 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:*', 'arn:*'];
  for (const secret of wild)
    assert.ok(!secretReferencesSchema.safeParse({ secrets: [secret] }).success, secret);
  for (const parameter of ['*', '/*', 'acme/db', '/', '//*']) {
    assert.ok(!secretReferencesSchema.safeParse({ parameters: [parameter] }).success, parameter);
  }
});

test('a rotation is another version of a place that is still referred to', () => {
  assert.deepEqual(rotationsBetween({ a: '1', b: '1', gone: '1' }, { a: '1', b: '2', c: '1' }), [
    { place: 'b', current: '2', applied: '1' },
    { place: 'c', current: '1', applied: undefined },
  ]);
  assert.deepEqual(rotationsBetween(undefined, undefined), []);
});
