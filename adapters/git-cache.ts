import { createHash, randomUUID } from 'node:crypto';
import { link, lstat, mkdir, readFile, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { hasCode } from './file-fault.ts';

const sha = z.string().regex(/^[0-9a-f]{40}$/);
const packFile = z.string().regex(/^pack-[0-9a-f]{40}\.(pack|idx|promisor|rev)$/);

/** What a repository's cache holds. Replaced as a whole by a rename, so that a reader sees one state of it. */
const manifestSchema = z.object({
  version: z.literal(1),
  /** Newest first; each a shallow commit with all its trees. */
  commits: z.array(sha).min(1),
  /** Pack files by name, in bytes. */
  files: z.record(packFile, z.number().int()),
});
type Manifest = z.infer<typeof manifestSchema>;

export interface GitCacheLimits {
  /** Of all repositories together; the least recently used goes first. */
  readonly bytes: number;
  /** Of one repository: each push adds two. With more, the repository starts anew. */
  readonly packs: number;
}

const folderName = 'trueup-git-cache';
const manifestName = 'manifest.json';
/** What the host is told that we have: more than a few do not make its answer smaller. */
const commitsKept = 8;

/**
 * Packs of what was fetched before, a folder per repository, kept across invocations. A checkout gets hard links of them
 * and is its own from then on: nothing that becomes of the cache can hurt it. Whatever does not fit together is thrown
 * away and fetched again; so is what another process replaced meanwhile.
 */
export class GitCache {
  readonly #root: string;
  readonly #limits: GitCacheLimits;
  /** The last in line, per repository. */
  readonly #locks = new Map<string, Promise<unknown>>();

  constructor(scratch: string, limits: GitCacheLimits) {
    this.#root = join(scratch, folderName);
    this.#limits = limits;
  }

  /** Puts what is kept of a repository into a fresh one; the commits that came with it, newest first. */
  restore(url: string, gitDirectory: string): Promise<readonly string[]> {
    return this.#locked(url, async (folder) => {
      const manifest = (await this.#isOurs()) ? await readManifest(folder) : undefined;
      if (manifest === undefined) return [];
      const pack = join(gitDirectory, 'objects', 'pack');
      try {
        for (const [name, bytes] of Object.entries(manifest.files)) {
          await link(join(folder, name), join(pack, name));
          if ((await stat(join(pack, name))).size !== bytes) throw new Error(`${name} was cut off`);
        }
      } catch {
        // Damaged, or replaced by another process just now: a cache that is not all there is none.
        await Promise.all([emptied(pack), rm(folder, { recursive: true, force: true })]);
        return [];
      }
      const { commits } = manifest;
      const refs = commits.map((commit) => `${commit} refs/cached/${commit}\n`).toSorted();
      await writeFile(join(gitDirectory, 'packed-refs'), `# pack-refs with: sorted\n${refs.join('')}`);
      await writeFile(
        join(gitDirectory, 'shallow'),
        commits
          .map((commit) => `${commit}\n`)
          .toSorted()
          .join(''),
      );
      const now = new Date();
      await utimes(join(folder, manifestName), now, now).catch(() => undefined);
      return commits;
    });
  }

  /** Keeps what was fetched for a commit; `commits` are those that are complete in this repository, newest first. */
  save(url: string, gitDirectory: string, commits: readonly string[]): Promise<void> {
    return this.#locked(url, async (folder) => {
      try {
        await this.#write(folder, join(gitDirectory, 'objects', 'pack'), commits.slice(0, commitsKept));
      } catch (error) {
        // Another process threw the folder away, or there is no room: no checkout fails for that.
        if (!hasCode(error, 'ENOENT', 'ENOSPC', 'EDQUOT', 'EMLINK')) throw error;
        await this.#drop(folder);
      }
    });
  }

  async #write(folder: string, pack: string, commits: string[]): Promise<void> {
    const names = (await readdir(pack)).filter((name) => packFile.safeParse(name).success);
    const files: Record<string, number> = {};
    for (const name of names) files[name] = (await stat(join(pack, name))).size;
    const packs = names.filter((name) => name.endsWith('.pack'));
    const bytes = Object.values(files).reduce((sum, size) => sum + size, 0);
    if (packs.length > this.#limits.packs || bytes > this.#limits.bytes) return this.#drop(folder);
    await mkdir(this.#root, { recursive: true, mode: 0o700 });
    if (!(await this.#isOurs())) return;
    await mkdir(folder, { recursive: true });
    for (const name of names) await link(join(pack, name), join(folder, name)).catch(unlessThere);
    const manifest: Manifest = { version: 1, commits, files };
    const draft = join(folder, `${manifestName}.${randomUUID()}`);
    await writeFile(draft, JSON.stringify(manifest));
    await rename(draft, join(folder, manifestName));
    await this.#evict(folder);
  }

  /** Git believes what its packs say: in a scratch space that others share, nobody else may have put them there. */
  async #isOurs(): Promise<boolean> {
    const root = await lstat(this.#root).catch(() => undefined);
    return root?.isDirectory() === true && root.uid === process.getuid?.() && (root.mode & 0o022) === 0;
  }

  drop(url: string): Promise<void> {
    return this.#locked(url, (folder) => this.#drop(folder));
  }

  async #drop(folder: string): Promise<void> {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }

  /** Until all that is kept is within the limit. Links count once here, and never where a checkout has them too. */
  async #evict(current: string): Promise<void> {
    const folders = (await readdir(this.#root)).map((name) => join(this.#root, name));
    const kept = await Promise.all(folders.map(async (folder) => ({ folder, ...(await weight(folder)) })));
    let total = kept.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { folder, bytes } of kept.toSorted((a, b) => a.usedAt - b.usedAt)) {
      if (total <= this.#limits.bytes || folder === current) continue;
      await this.#drop(folder);
      total -= bytes;
    }
  }

  /** One at a time for each repository, in this process. Other processes see whole manifests or none. */
  async #locked<T>(url: string, work: (folder: string) => Promise<T>): Promise<T> {
    const name = createHash('sha256').update(url).digest('hex').slice(0, 32);
    const before = this.#locks.get(name);
    const own = (async () => {
      await before?.catch(() => undefined);
      return work(join(this.#root, name));
    })();
    this.#locks.set(name, own);
    try {
      return await own;
    } finally {
      if (this.#locks.get(name) === own) this.#locks.delete(name);
    }
  }
}

async function readManifest(folder: string): Promise<Manifest | undefined> {
  try {
    return manifestSchema.parse(JSON.parse(await readFile(join(folder, manifestName), 'utf8')));
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) await rm(folder, { recursive: true, force: true });
    return undefined;
  }
}

async function emptied(pack: string): Promise<void> {
  const names = await readdir(pack);
  await Promise.all(names.map((name) => rm(join(pack, name), { force: true })));
}

/** Another checkout of the repository has put the same pack there. */
function unlessThere(error: unknown): void {
  if (!hasCode(error, 'EEXIST')) throw error;
}

async function weight(folder: string): Promise<{ readonly bytes: number; readonly usedAt: number }> {
  let bytes = 0;
  let usedAt = 0;
  for (const name of await readdir(folder).catch(() => [])) {
    const { size, mtimeMs } = await stat(join(folder, name)).catch(() => ({ size: 0, mtimeMs: 0 }));
    bytes += size;
    if (name === manifestName) usedAt = mtimeMs;
  }
  return { bytes, usedAt };
}
