import type { StackConfig } from './contract/config.ts';
import { trackedRef } from './contract/tracked-ref.ts';
import { Blocked, Retry } from './errors.ts';
import type { GitHost } from './host-ports.ts';
import type { PreviewQueues } from './preview-ports.ts';
import { readPreview } from './previews/records.ts';
import type { Store } from './ports.ts';

export interface PollPullsDeps {
  readonly store: Store;
  readonly host: Pick<GitHost, 'openPullRequests'>;
  readonly queues: Pick<PreviewQueues, 'preview'>;
  readonly config: Pick<StackConfig, 'repositories'>;
}

/**
 * Has those open pull requests looked at whose head nobody told of: a status that is required would else never come.
 * Returns what came of it. A host that does not answer is left alone until the next poll, which is the retry.
 */
export async function pollPulls({ store, host, queues, config }: PollPullsDeps): Promise<string> {
  const told: string[] = [];
  for (const repository of config.repositories) {
    if (repository.preview === undefined) continue;
    const { name } = repository;
    try {
      for (const { id, head, base } of await host.openPullRequests(repository)) {
        if (`refs/heads/${base.branch}` !== trackedRef(repository)) continue;
        const known = (await readPreview(store, { repository: name, id }))?.value;
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
