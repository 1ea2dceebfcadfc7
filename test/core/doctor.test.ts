import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { diagnose, type DoctorFacts } from '../../core/doctor.ts';

/** An installation in which everything is in order. */
const sound: DoctorFacts = {
  ahead: { seen: 0.4 },
  versions: { tool: '0.1.0', node: 'v24.1.0', rendered: { seen: { trueup: '0.1.0', kubectl: 'v1.36.3' } } },
  functions: [
    {
      name: 'sweep',
      configuration: { seen: { state: 'Active', update: 'Successful', why: '' } },
      sources: { seen: [{ state: 'Enabled', why: '', atOnce: 10 }] },
      rights: {
        seen: [{ action: 's3:PutObject', resource: 'arn:aws:s3:::b/checks/doctor', isAllowed: true }],
      },
    },
  ],
  unreserved: { seen: 990 },
  canLock: { seen: true },
  secrets: [{ name: 'trueup/hooks/github', use: 'webhook', of: 'webhook github', state: { seen: 'filled' } }],
  hooks: [
    {
      name: 'github',
      url: 'https://x.example/hooks/github',
      unsigned: { seen: 401 },
      signed: { seen: 202 },
      isGuarded: false,
      lastDelivery: { seen: 300 },
    },
  ],
  queues: [queue('sweeps'), { ...queue('sweeps'), isDeadLetters: true }],
  clusters: [
    {
      name: 'east',
      check: { seen: { secondsAgo: 60, targets: 3, unknown: 0 } },
      version: 'v1.36.3',
      eks: { seen: eks() },
      unserved: { seen: [] },
    },
  ],
  sweepSeconds: 300,
  audit: [],
  alarms: {
    alarms: { seen: [{ name: 'trueup-default-drift-east', state: 'OK', description: '' }] },
    subscriptions: { seen: { confirmed: 1, pending: 0 } },
  },
};

function queue(name: string, waiting = 0) {
  return {
    name,
    isDeadLetters: false,
    depth: { seen: { waiting, inFlight: 0, delayed: 0 } },
    oldestSeconds: { seen: undefined },
  };
}

function eks() {
  return {
    status: 'ACTIVE',
    isPublic: true,
    cidrs: ['0.0.0.0/0'],
    authentication: 'API',
    shutOut: [] as readonly string[],
  };
}

const [hook = assert.fail()] = sound.hooks;
const [cluster = assert.fail()] = sound.clusters;
const [sweep = assert.fail()] = sound.functions;
const [secret = assert.fail()] = sound.secrets;
const unreachable = { seen: { secondsAgo: 60, targets: 3, unknown: 3, unreachable: 'no answer within 5 s' } };

/** What is changed of the sound one, and all that is found wrong then. */
const cases: readonly {
  readonly name: string;
  readonly facts: Partial<DoctorFacts>;
  readonly wrong: readonly string[];
}[] = [
  { name: 'nothing', facts: {}, wrong: [] },
  {
    name: 'a clock that is off',
    facts: { ahead: { seen: -90 } },
    wrong: ["warn clock: this computer's clock is 90 s behind that of AWS"],
  },
  {
    name: 'a clock that AWS refuses',
    facts: { ahead: { seen: 400 } },
    wrong: ["fail clock: this computer's clock is 400 s ahead of that of AWS"],
  },
  {
    name: 'functions of another version',
    facts: { versions: { ...sound.versions, rendered: { seen: { trueup: '0.2.0' } } } },
    wrong: ['warn versions: the newest snapshot: trueup 0.2.0'],
  },
  {
    name: 'a fact that may not be asked',
    facts: { functions: [{ ...sweep, rights: { unseen: 'AWS refused iam:SimulatePrincipalPolicy' } }] },
    wrong: ['warn permissions: the role of function sweep could not be looked at'],
  },
  {
    name: 'a role that lost a right',
    facts: {
      functions: [
        { ...sweep, rights: { seen: [{ action: 's3:PutObject', resource: 'arn:x', isAllowed: false }] } },
      ],
    },
    wrong: ['fail permissions: the role of function sweep may not s3:PutObject on arn:x'],
  },
  {
    name: 'a function that nobody feeds',
    facts: {
      functions: [
        { ...sweep, sources: { seen: [{ state: 'Disabled', why: 'USER_INITIATED', atOnce: 10 }] } },
      ],
    },
    wrong: ['fail functions: function sweep is not fed: its event source is Disabled (USER_INITIATED)'],
  },
  {
    name: 'an account that is new, and may run few functions at once',
    facts: { unreserved: { seen: 9 } },
    wrong: [
      'warn functions: the account may run 9 functions at once beside what is reserved, and the queues ask for 10 at most',
    ],
  },
  {
    name: 'records that were to be locked in a bucket that cannot',
    facts: { canLock: { seen: false } },
    wrong: [
      'fail records: records are to be locked, and Object Lock is not enabled on the bucket: every run fails',
    ],
  },
  { name: 'records that nobody wants locked', facts: { canLock: undefined }, wrong: [] },
  {
    name: 'a function that is broken',
    facts: {
      functions: [
        { ...sweep, configuration: { seen: { state: 'Failed', update: 'Failed', why: 'no image' } } },
      ],
    },
    wrong: ['fail functions: function sweep is Failed, its last update Failed: no image'],
  },
  {
    name: 'a secret that is not there',
    facts: { secrets: [{ ...secret, state: { seen: 'absent' } }] },
    wrong: [
      'fail secrets: secret trueup/hooks/github (webhook github) does not exist in this account and region',
    ],
  },
  {
    name: 'a secret that holds a placeholder',
    facts: {
      secrets: [
        secret,
        { ...secret, name: 'token', of: 'repository config', state: { seen: 'placeholder' } },
      ],
    },
    wrong: ['fail secrets: secret token (repository config) holds a placeholder and not a value'],
  },
  {
    name: 'a webhook that cannot be reached',
    facts: { hooks: [{ ...hook, unsigned: { unseen: 'https://x.example: nobody answers there' } }] },
    wrong: ['warn webhooks: webhook github could not be looked at'],
  },
  {
    name: 'a webhook that fails',
    facts: { hooks: [{ ...hook, unsigned: { seen: 503 } }] },
    wrong: ['fail webhooks: webhook github at https://x.example/hooks/github answers 503'],
  },
  {
    name: 'a webhook that lets anybody in',
    facts: { hooks: [{ ...hook, unsigned: { seen: 200 } }] },
    wrong: [
      'fail webhooks: webhook github at https://x.example/hooks/github takes a request that proves nothing (200)',
    ],
  },
  {
    name: 'a webhook for other addresses',
    facts: { hooks: [{ ...hook, unsigned: { seen: 403 }, signed: { seen: 403 }, isGuarded: true }] },
    wrong: [],
  },
  {
    name: 'a webhook that knows another secret',
    facts: { hooks: [{ ...hook, signed: { seen: 401 } }] },
    wrong: ['fail webhooks: webhook github answers 401 to a request that is signed with its own secret'],
  },
  {
    name: 'a webhook that nobody calls',
    facts: { hooks: [{ ...hook, lastDelivery: { seen: undefined } }] },
    wrong: ['warn webhooks: webhook github: nobody has delivered in 30 days'],
  },
  {
    name: 'work that was given up',
    facts: { queues: [{ ...queue('runs', 2), isDeadLetters: true }] },
    wrong: ['fail queues: 2 messages were given up and lie in the dead-letter queue of runs'],
  },
  {
    name: 'work that waits for long',
    facts: { queues: [{ ...queue('runs', 40), oldestSeconds: { seen: 1_800 } }] },
    wrong: ['warn queues: queue runs: 40 waiting, 0 in work, 0 delayed; the oldest for 30 min'],
  },
  {
    name: 'a cluster that was never checked',
    facts: { clusters: [{ ...cluster, check: { seen: undefined } }] },
    wrong: ['fail clusters: cluster east was never checked'],
  },
  {
    name: 'a cluster that is checked no more',
    facts: { clusters: [{ ...cluster, check: { seen: { secondsAgo: 1_000, targets: 3, unknown: 0 } } }] },
    wrong: ['fail clusters: cluster east was last checked 1000 s ago'],
  },
  {
    name: 'a cluster that does not answer',
    facts: { clusters: [{ ...cluster, check: unreachable }] },
    wrong: ['fail clusters: cluster east cannot be read: no answer within 5 s'],
  },
  {
    name: 'a cluster that does not answer, and admits few addresses',
    facts: {
      clusters: [{ ...cluster, check: unreachable, eks: { seen: { ...eks(), cidrs: ['198.51.100.0/24'] } } }],
    },
    wrong: [
      'fail clusters: cluster east cannot be read: no answer within 5 s',
      'fail clusters: cluster east admits only 198.51.100.0/24 to its public endpoint',
    ],
  },
  {
    name: 'a private cluster that is reached all the same',
    facts: { clusters: [{ ...cluster, eks: { seen: { ...eks(), isPublic: false } } }] },
    wrong: [],
  },
  {
    name: 'a cluster that lets the sweep not in',
    facts: {
      clusters: [{ ...cluster, eks: { seen: { ...eks(), shutOut: ['arn:aws:iam::1:role/sweep'] } } }],
    },
    wrong: ['fail clusters: cluster east has no access entry for arn:aws:iam::1:role/sweep'],
  },
  {
    name: 'a cluster that is too old',
    facts: { clusters: [{ ...cluster, version: 'v1.29.4-eks-0a1b2c3' }] },
    wrong: ['warn versions: cluster east runs Kubernetes v1.29.4-eks-0a1b2c3'],
  },
  {
    name: 'a kind that the cluster does not serve',
    facts: {
      clusters: [
        {
          ...cluster,
          unserved: { seen: [{ application: 'web', kinds: ['policy/v1beta1/PodDisruptionBudget'] }] },
        },
      ],
    },
    wrong: [
      'fail clusters: application web wants policy/v1beta1/PodDisruptionBudget, which cluster east does not serve',
    ],
  },
  {
    name: 'an alarm that nobody hears',
    facts: {
      alarms: {
        alarms: {
          seen: [{ name: 'trueup-default-drift-east', state: 'ALARM', description: 'docs/runbook.md#drift' }],
        },
        subscriptions: { seen: { confirmed: 0, pending: 1 } },
      },
    },
    wrong: [
      'warn alarms: alarm trueup-default-drift-east rings',
      'warn alarms: nobody hears the alarms: 1 subscriptions are not confirmed',
    ],
  },
];

describe('doctor', () => {
  for (const { name, facts, wrong } of cases) {
    it(`finds ${name}`, () => {
      const findings = diagnose({ ...sound, ...facts });
      const told = findings.filter(({ level }) => level !== 'ok');
      assert.deepEqual(
        told.map(({ level, area, what }) => `${level} ${area}: ${what}`),
        wrong,
      );
      // Whoever is told of a fault is told what to do.
      assert.ok(told.every(({ todo = '' }) => todo !== ''));
    });
  }

  it('tells what is in order too, area by area', () => {
    const seen = diagnose(sound).map(({ area }) => area);
    assert.deepEqual(
      [...new Set(seen)],
      [
        'clock',
        'versions',
        'permissions',
        'functions',
        'records',
        'secrets',
        'webhooks',
        'queues',
        'clusters',
        'alarms',
      ],
    );
  });
});
