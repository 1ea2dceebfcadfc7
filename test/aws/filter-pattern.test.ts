import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compilePattern, matchesPattern } from './filter-pattern.ts';

/** The examples of the CloudWatch Logs user guide, "Filter and pattern syntax", with what it says of each. */

const trail = {
  eventType: 'UpdateTrail',
  sourceIPAddress: '111.111.111.111',
  arrayKey: ['value', 'another value'],
  objectList: [
    { name: 'a', id: 1 },
    { name: 'b', id: 2 },
  ],
  SomeObject: null,
  ThisFlag: true,
};
const people = {
  user: { id: 1, email: 'John.Stiles@example.com' },
  users: [
    { id: 2, email: 'John.Doe@example.com' },
    { id: 3, email: 'Jane.Doe@example.com' },
  ],
  actions: ['GET', 'PUT', 'DELETE'],
  coordinates: [
    [0, 1, 2],
    [4, 5, 6],
    [7, 8, 9],
  ],
};

const cases: readonly (readonly [event: object, pattern: string, matches: boolean])[] = [
  [{ foo: 'bar' }, '{$.foo = bar}', true],
  [{ foo: 'bar' }, '{$.foo = baz }', false],
  [{ foo: 'baz' }, '{ $.foo = bar || $.foo = baz }', true],
  [trail, '{ $.eventType = "UpdateTrail" }', true],
  [trail, '{ $.sourceIPAddress != 123.123.* }', true],
  [{ ...trail, sourceIPAddress: '123.123.0.1' }, '{ $.sourceIPAddress != 123.123.* }', false],
  [trail, '{ $.arrayKey[0] = "value" }', true],
  [{ arrayKey: 'value' }, '{ $.arrayKey[0] = "value" }', false],
  [trail, '{ $.objectList[1].id = 2 }', true],
  [trail, '{ $.SomeObject IS NULL }', true],
  [trail, '{ $.SomeOtherObject NOT EXISTS }', true],
  [trail, '{ $.SomeObject NOT EXISTS }', false],
  [trail, '{ $.ThisFlag IS TRUE }', true],
  [trail, '{ $.ThisFlag IS FALSE }', false],
  [people, '{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }', true],
  [people, '{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }', false],
  [
    people,
    '{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = nonmatch && $.actions[2] = nomatch }',
    true,
  ],
  [
    people,
    '{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = nonmatch) && $.actions[2] = nomatch }',
    false,
  ],
  [{ users: [1, 2, 3] }, '{$.users = 1}', false],
  [{ users: [1, 2, 3] }, '{$.users != 1}', false],
  [{ name: 'PutEvent' }, '{ $.name = *Event }', true],
  [{ name: 'EventId' }, '{ $.name = "Event*" }', true],
  [{ name: 'Evident' }, '{ $.name = "Ev*ent" }', false],
  [{ name: 'Ev*ent' }, '{ $.name = "Ev*ent" }', true],
  [{ latency: 500 }, '{ $.latency >= 500 }', true],
  [{ numbers: [2000] }, '{ $.numbers[0] < 10e3 }', true],
  [{ numbers: [2] }, '{ $.numbers[0] < 10e-3 }', false],
  [{ errorCode: 400 }, '{ $.errorCode != 500 }', true],
  [{ latency: 1000 }, '{ $.latency > +1000 }', false],
];

describe('a JSON filter pattern', () => {
  for (const [event, pattern, matches] of cases) {
    it(`${pattern} ${matches ? 'fits' : 'does not fit'} ${JSON.stringify(event).slice(0, 60)}`, () => {
      assert.equal(matchesPattern(pattern, JSON.stringify(event)), matches);
    });
  }

  it('is false on a field that is not there, != too, as found on AWS', () => {
    const pattern =
      '{($.errorCode = "AccessDenied") && ($.userIdentity.invokedBy != "cloudfront.amazonaws.com")}';
    const event = { errorCode: 'AccessDenied', userIdentity: { accountId: 'anonymous' } };
    assert.equal(matchesPattern(pattern, JSON.stringify(event)), false);
  });

  it('fits no line that is not JSON, such as one that was cut off', () => {
    assert.equal(
      matchesPattern('{ $.a NOT EXISTS }', '{"kind":"Event","requestObject":{[Truncated...]'),
      false,
    );
  });

  it('is refused where it is none', () => {
    for (const pattern of [
      '{ $.a = }',
      '{ $.a = 1',
      '{ a = 1 }',
      '{ $.a > x }',
      '{ ($.a = 1 }',
      '{ $.a = 1 } x',
    ])
      assert.throws(() => compilePattern(pattern), /invalid filter pattern/);
  });
});
