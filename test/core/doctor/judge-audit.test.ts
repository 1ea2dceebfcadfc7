import assert from 'node:assert/strict';
import { it } from 'node:test';
import { auditFilterPattern } from '../../../core/contract/audit.ts';
import { judgeAudit, type LogSubscription } from '../../../core/doctor/judge-audit.ts';

const arn = (name: string): string => `arn:aws:lambda:us-east-1:000000000000:function:${name}`;
const ours: LogSubscription = { name: 'trueup', pattern: auditFilterPattern, destination: arn('audit-1') };
const other = (name: string): LogSubscription => ({ name, pattern: '', destination: arn(name) });

const cases: readonly (readonly [
  what: string,
  subscriptions: readonly LogSubscription[] | undefined,
  level: string,
  says: RegExp,
])[] = [
  ['is followed', [other('siem'), ours], 'ok', /^\/aws\/eks\/east\/cluster is followed $/],
  [
    'passes on other lines',
    [{ ...ours, pattern: '{ $.a = 1 }' }],
    'warn',
    /trueup .* other lines .* deploy the stack/,
  ],
  ['is followed by nobody', [other('siem')], 'fail', /nobody follows .* deploy the stack again/],
  [
    'has no room',
    [other('siem'), other('lake')],
    'fail',
    /2 subscriptions already: siem .* and lake .* remove one/,
  ],
  ['is not there', undefined, 'fail', /no log group .* switch on the audit log/],
];

for (const [what, subscriptions, level, says] of cases) {
  it(`tells that a log ${what}`, () => {
    const facts = [{ eksName: 'east', functionName: 'audit-1', subscriptions: { seen: subscriptions } }];
    const [finding] = judgeAudit(facts);
    assert.equal(finding?.level, level);
    assert.match(`${finding.what} ${finding.todo ?? ''}`, says);
  });
}

it('says so where it may not look', () => {
  const facts = [
    { eksName: 'east', functionName: 'audit-1', subscriptions: { unseen: 'you lack logs:Describe' } },
  ];
  assert.deepEqual(judgeAudit(facts), [
    {
      area: 'audit logs',
      level: 'warn',
      what: '/aws/eks/east/cluster could not be looked at',
      todo: 'you lack logs:Describe',
    },
  ]);
});
