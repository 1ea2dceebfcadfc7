import { MemoryGitHost } from '../memory-git-host.ts';
import { previewHours } from './applications.ts';

interface Pull {
  readonly id: string;
  readonly sha: string;
  readonly branch: string;
  readonly isOpen: boolean;
  /** When it last was another, and when its commit came, in virtual milliseconds. */
  readonly changedAt: number;
  readonly committedAt: number;
}

/** Pull requests of one repository as their host has them, and when each last changed. */
export class PullRequests {
  readonly repository: string;
  readonly host = new MemoryGitHost();
  readonly #pulls = new Map<string, Pull>();

  constructor(repository: string) {
    this.repository = repository;
  }

  open(sha: string, now: number): Pull {
    const branch = `feature-${this.#pulls.size + 1}`;
    const id = this.host.open(this.repository, { branch, sha });
    return this.#note({ id, sha, branch, isOpen: true, changedAt: now, committedAt: now });
  }

  /** A commit, or with none it is closed, or opened again. */
  change({ id }: Pull, next: { readonly sha?: string; readonly isOpen: boolean }, now: number): Pull {
    const before = this.#pulls.get(id);
    const { branch = '', sha: last = '', committedAt: lastAt = now } = before ?? {};
    const { sha = last, isOpen } = next;
    this.host.change(this.repository, id, {
      state: isOpen ? 'open' : 'closed',
      head: { branch, sha, isFork: false },
    });
    return this.#note({ id, sha, branch, isOpen, changedAt: now, committedAt: sha === last ? lastAt : now });
  }

  #note(pull: Pull): Pull {
    this.#pulls.set(pull.id, pull);
    return pull;
  }

  get all(): readonly Pull[] {
    return [...this.#pulls.values()];
  }

  /** Open, not too old for its environments, and as it was before `since`. */
  isLiving(id: string, since: number, now: number): boolean {
    const pull = this.#pulls.get(id);
    if (pull === undefined || !pull.isOpen) return false;
    return pull.changedAt < since && now - pull.committedAt < previewHours * 3_600_000;
  }
}
