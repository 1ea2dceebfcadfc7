import { suspensionOf } from '../core/model/suspension.ts';
import { targetKey } from '../core/model/target.ts';
import { readSuspensions } from '../core/suspend.ts';
import { stateOf, type TargetState } from '../core/view/target-view.ts';
import { exitCodes } from './cli-error.ts';
import { coloured, type Report } from './report.ts';
import type { Session } from './session.ts';
import { readTargets, type Selection } from './targets.ts';

export interface WaitOptions extends Selection {
  readonly app: string;
  readonly for: 'healthy' | 'synced';
  /** Seconds. */
  readonly timeout: number;
}

interface Waited extends TargetState {
  readonly target: string;
  readonly isMet: boolean;
}

const pauseMs = 2000;

/**
 * Waits until every target of an application is as asked, by its records; what was seen meanwhile goes to `tell`.
 * Exit status 1 when the time is over.
 */
export async function wait(
  session: Pick<Session, 'store' | 'clock'>,
  options: WaitOptions,
  tell: (line: string) => void,
): Promise<Report> {
  const { clock } = session;
  const deadline = clock.now() + options.timeout * 1000;
  let told: ReadonlyMap<string, string> = new Map();
  for (;;) {
    const all = await look(session, options);
    const left = all.filter(({ isMet }) => !isMet);
    const data = { for: options.for, targets: all };
    if (left.length === 0) return { data, text: all.map(lineOf).join('\n') };
    if (clock.now() >= deadline) {
      const late = `not ${options.for} after ${options.timeout} s; see \`trueup history --app ${options.app}\``;
      return { data, text: all.map(lineOf).join('\n'), notes: [late], exitCode: exitCodes.found };
    }
    const lines = new Map(left.map((one) => [one.target, lineOf(one)]));
    for (const [target, line] of lines) if (told.get(target) !== line) tell(`waiting: ${line}`);
    told = lines;
    await clock.sleep(pauseMs);
  }
}

async function look(
  { store, clock }: Pick<Session, 'store' | 'clock'>,
  options: WaitOptions,
): Promise<readonly Waited[]> {
  const now = clock.now();
  const suspensions = await readSuspensions(store);
  return (await readTargets(store, options)).map((view) => {
    const state = stateOf(view, suspensionOf(suspensions, view.target, now), now);
    return { target: targetKey(view.target), ...state, isMet: isReached(state, options.for) };
  });
}

/** Health of an earlier commit is no answer; drift that is only observed does not make an application less healthy. */
function isReached({ sync, health }: TargetState, goal: WaitOptions['for']): boolean {
  if (goal === 'synced') return sync === 'Synced';
  return health === 'Healthy' && (sync === 'Synced' || sync === 'Drifted');
}

function lineOf({ target, sync, health, message }: Waited): string {
  return `${target}: ${coloured(sync)}, ${coloured(health)}${message === '' ? '' : `: ${message}`}`;
}
