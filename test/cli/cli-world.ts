import { stripVTControlCharacters } from 'node:util';
import type { Report } from '../../cli/report.ts';
import type { Session } from '../../cli/session.ts';
import { keys } from '../../core/contract/keys.ts';
import type { SweepRequest } from '../../core/contract/events.ts';
import type { RunRecord, RunRequest } from '../../core/model/run.ts';
import { isoTime } from '../../core/model/time.ts';
import { sweepCluster } from '../../core/sweep.ts';
import { scriptedWorld, type SweepWorld } from '../core/sweep/sweep-world.ts';

/** An installation at the terminal: the records of a scripted cluster, whose sweeps and runs happen when asked for. */
export interface CliWorld {
  readonly world: SweepWorld;
  readonly session: Session;
  /** What becomes of a run that is asked for; undefined: nothing, as when the function is broken. */
  onRun: (request: RunRequest) => Promise<void>;
  onSweep: (request: SweepRequest) => Promise<void>;
}

export function cliWorld(): CliWorld {
  const world = scriptedWorld();
  const made: CliWorld = {
    world,
    onRun: async () => undefined,
    onSweep: async (request) => {
      if (request.scope === 'cluster') await sweepCluster(request, world.deps);
    },
    session: {
      store: world.store,
      clock: world.clock,
      ids: world.ids,
      bus: world.bus,
      whoAmI: async () => 'arn:aws:sts::123456789012:assumed-role/Admin/alice',
      queues: {
        run: async (request) => made.onRun(request),
        sweep: async (request) => made.onSweep(request),
      },
    },
  };
  return made;
}

/** A run as its record tells it, ended after ten seconds. */
export async function putRun(
  { store, clock, ids }: Pick<SweepWorld, 'store' | 'clock' | 'ids'>,
  change: Partial<RunRecord> = {},
): Promise<RunRecord> {
  const startedAt = isoTime(clock.now());
  clock.advance(10_000);
  const at = isoTime(clock.now());
  const person = { name: 'Ada', email: 'ada@example.com', at: startedAt };
  const counts = { created: 1, updated: 0, unchanged: 3, pruned: 2, failed: 0 };
  const run: RunRecord = {
    version: 1,
    id: ids.next(),
    target: { cluster: 'east', application: 'web' },
    reason: 'push',
    requestedBy: 'webhook',
    revision: 1,
    snapshot: 'sha256:0',
    commit: {
      repository: 'config',
      ref: 'refs/heads/main',
      sha: 'c0ffee'.padEnd(40, '0'),
      author: person,
      committer: person,
      subject: 'change',
    },
    startedAt,
    plan: { actions: [] },
    outcome: { kind: 'applied', at, message: '', counts, objects: [], faults: [] },
    health: { status: 'Healthy', at, objects: [] },
    ...change,
  };
  await store.put(keys.run(run.target, startedAt, run.id), JSON.stringify(run), 'any');
  return run;
}

/** Lines as a pipe gets them. */
export function linesOf({ text }: Report): readonly string[] {
  return stripVTControlCharacters(text).split('\n');
}
