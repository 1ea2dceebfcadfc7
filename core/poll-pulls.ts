import type { StackConfig } from './contract/config.ts';
import { trackedRef } from './contract/tracked-ref.ts';
import { Blocked, Retry } from './errors.ts';
import type { GitHost } from './host-ports.ts';
import type { PullPreview } from './model/pull-preview.ts';
import { isoTime, millisecondsOf } from './model/time.ts';
import type { PreviewQueues } from './preview-ports.ts';
import { giveUp } from './previews/give-up.ts';
import { readPreview } from './previews/records.ts';
import type { Clock, Store } from './ports.ts';

export interface PollPullsDeps {
  readonly store: Store;
  readonly host: Pick<GitHost, 'openPullRequests' | 'comment' | 'status'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly queues: Pick<PreviewQueues, 'preview'>;
  readonly config: Pick<StackConfig, 'repositories'>;
}

/** Longer than all receives of one message take: nobody begins that head any more by itself. */
const stuckMs = 40 * 60_000;

/**
 * Has those open pull requests looked at whose head nobody told of: a status that is required would else never come,
 * and says of those whose function died that they are not previewed. Returns what came of it. A host that does not answer is left alone until the next poll, which is the retry.
 */
export async function pollPulls(deps: PollPullsDeps): Promise<string> {
  const { store, host, queues, config, clock } = deps;
  const told: string[] = [];
  for (const repository of config.repositories) {
    if (repository.preview === undefined) continue;
    const { name } = repository;
    try {
      for (const { id, head, base } of await host.openPullRequests(repository)) {
        if (`refs/heads/${base.branch}` !== trackedRef(repository)) continue;
        const known = (await readPreview(store, { repository: name, id }))?.value;
        if (known?.head === head.sha && isStuck(known, clock.now())) {
          await giveUp(repository, known, 'its function died of it each time', deps);
          told.push(`${name} ${id} given up`);
        }
        // One that was begun and given up lies in the dead-letter queue: a person decides about it, and not a clock.
        if (known?.head === head.sha && known.state !== 'closed' && known.state !== 'elsewhere') continue;
        await queues.preview({ version: 1, preview: 'look', repository: name, id }, 0);
        told.push(`${name} ${id}`);
      }
    } catch (error) {
      if (!(error instanceof Retry || error instanceof Blocked)) throw error;
      told.push(`${name} not asked: ${error.message}`);
    }
  }
  return told.length === 0 ? 'nothing was missed' : told.join('; ');
}

function isStuck({ state, work }: PullPreview, now: number): boolean {
  return state === 'rendering' && now >= millisecondsOf(work?.begun ?? isoTime(0)) + stuckMs;
}
