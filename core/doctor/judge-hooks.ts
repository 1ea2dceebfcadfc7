import { judged, type Finding, type Seen } from './finding.ts';

export interface HookFact {
  /** Name of the hook, as in the ledger. */
  readonly name: string;
  readonly url: string;
  /** HTTP status of a request that proves nothing. */
  readonly unsigned: Seen<number>;
  /** HTTP status of one with the proof that its sender gives; absent where there is none that we could make. */
  readonly signed?: Seen<number>;
  /** Takes requests from named addresses alone: 403 is the answer to anybody else. */
  readonly isGuarded: boolean;
  /** Seconds since somebody delivered; undefined: nobody in the days that the ledger keeps. */
  readonly lastDelivery: Seen<number | undefined>;
}

const day = 86_400;

/** A webhook that answers, refuses strangers, knows its sender, and is called. */
export function judgeHooks(hooks: readonly HookFact[]): readonly Finding[] {
  return hooks.flatMap((hook) => {
    const door = judged('webhooks', `webhook ${hook.name}`, hook.unsigned, (status) =>
      judgeDoor(hook, status),
    );
    if (door.some(({ level }) => level !== 'ok')) return door;
    const proof =
      hook.signed === undefined
        ? []
        : judged('webhooks', `the proof of webhook ${hook.name}`, hook.signed, (status) =>
            judgeProof(hook, status),
          );
    return [...door, ...proof, ...judgeCalls(hook)];
  });
}

function judgeDoor({ name, url, isGuarded }: HookFact, status: number): readonly Finding[] {
  const finding = (level: Finding['level'], what: string, todo?: string): Finding[] => [
    {
      area: 'webhooks',
      level,
      what: `webhook ${name} at ${url} ${what}`,
      ...(todo !== undefined && { todo }),
    },
  ];
  if (status === 401 || status === 404) return finding('ok', 'answers, and refuses who proves nothing');
  if (status === 403 && isGuarded)
    return finding('ok', 'answers, and refuses this address, as its allowFrom says');
  if (status === 403)
    return finding(
      'fail',
      'answers 403',
      'something before the function refuses: see that its URL admits everybody, in its resource policy and in the policies of the organization',
    );
  if (status === 429)
    return finding(
      'fail',
      'answers 429',
      'the webhook function is throttled: raise its concurrency, or that of the account',
    );
  if (status >= 500)
    return finding('fail', `answers ${status}`, 'see what its log says: docs/runbook.md#webhook-errors');
  return finding(
    'fail',
    `takes a request that proves nothing (${status})`,
    'deploy the stack again, and see what stands before the function',
  );
}

function judgeProof({ name, isGuarded }: HookFact, status: number): readonly Finding[] {
  // 400: it was believed, and what it said was not understood, which a request without content is for.
  if (status === 202 || status === 400)
    return [{ area: 'webhooks', level: 'ok', what: `webhook ${name} takes a signed request` }];
  if (status === 403 && isGuarded) return [];
  return [
    {
      area: 'webhooks',
      level: 'fail',
      what: `webhook ${name} answers ${status} to a request that is signed with its own secret`,
      todo:
        status === 401
          ? 'the function knows another secret: it reads a new one within a minute; if this stays, see that it may read it'
          : 'see what its log says: docs/runbook.md#webhook-errors',
    },
  ];
}

function judgeCalls({ name, lastDelivery }: HookFact): readonly Finding[] {
  return judged('webhooks', `the deliveries of webhook ${name}`, lastDelivery, (seconds): Finding[] =>
    seconds === undefined
      ? [
          {
            area: 'webhooks',
            level: 'warn',
            what: `webhook ${name}: nobody has delivered in 30 days`,
            todo: 'enter its address and its secret at the sender: until then, pushes are found by polling alone',
          },
        ]
      : [{ area: 'webhooks', level: 'ok', what: `webhook ${name}: last delivery ${told(seconds)} ago` }],
  );
}

function told(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 2 * day ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / day)} days`;
}
