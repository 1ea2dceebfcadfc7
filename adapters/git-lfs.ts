import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { RepositoryConfig } from '../core/contract/config.ts';
import { Stop } from '../core/errors.ts';
import { guardedFetch, statusFault, type Reach } from './guarded-fetch.ts';

/** What Git keeps in place of a content: its SHA-256 and its length. */
export interface LfsPointer {
  readonly oid: string;
  readonly size: number;
}

export interface PlacedPointer extends LfsPointer {
  readonly path: string;
}

/** Bytes that a pointer has at most, by its specification. */
export const largestPointer = 1024;
const pointerLine = 'version https://git-lfs.github.com/spec/v1\n';
const mediaType = 'application/vnd.git-lfs+json';
/** What one question to the host may be about. */
const batch = 100;
const answerBytes = 4 * 1024 * 1024;

const answerSchema = z.object({
  objects: z.array(
    z.object({
      oid: z.string(),
      actions: z
        .object({
          download: z
            .object({ href: z.url(), header: z.record(z.string(), z.string()).default({}) })
            .optional(),
        })
        .optional(),
      error: z.object({ code: z.number(), message: z.string() }).optional(),
    }),
  ),
});
type Download = NonNullable<
  NonNullable<z.infer<typeof answerSchema>['objects'][number]['actions']>['download']
>;

export function isLfsPointer(bytes: Uint8Array): boolean {
  return bytes.length <= largestPointer && Buffer.from(bytes).toString('latin1').startsWith(pointerLine);
}

/** Undefined for what is no pointer, or one that is broken. */
export function readPointer(bytes: Uint8Array): LfsPointer | undefined {
  if (!isLfsPointer(bytes)) return undefined;
  const text = Buffer.from(bytes).toString('latin1');
  const [, oid] = /^oid sha256:([0-9a-f]{64})$/m.exec(text) ?? [];
  const [, size] = /^size (\d{1,15})$/m.exec(text) ?? [];
  return oid === undefined || size === undefined ? undefined : { oid, size: Number(size) };
}

/**
 * Fetches contents by the batch API of Git LFS, from the host of the repository and those that are declared: where a
 * commit says they are (`.lfsconfig`) is not looked at. Throws Stop for what is not there or leads elsewhere.
 */
export async function fetchLfs(
  repository: RepositoryConfig,
  authorization: string | undefined,
  pointers: readonly PlacedPointer[],
  write: (path: string, content: Uint8Array) => Promise<void>,
): Promise<void> {
  const { name, url, lfs, tokenSecret } = repository;
  const subject = `Git LFS of repository ${name}`;
  const { hosts = [], internal = false } = lfs ?? {};
  const reach: Reach = { subject, hosts: [new URL(url).host, ...hosts], internal };
  const all = Map.groupBy(pointers, ({ oid }) => oid);
  const oids = [...all.keys()];
  for (let start = 0; start < oids.length; start += batch) {
    const wanted = oids.slice(start, start + batch).flatMap((oid) => all.get(oid)?.slice(0, 1) ?? []);
    const downloads = await ask(repository, authorization, reach, wanted);
    for (const pointer of wanted) {
      const download = downloads.get(pointer.oid);
      if (download === undefined) {
        const message = `has no content of ${pointer.path} (${pointer.oid.slice(0, 12)}); push it with git lfs push --all`;
        throw new Stop({ subject, message });
      }
      const content = await fetchContent(pointer, download, { url, authorization, reach, tokenSecret });
      for (const { path } of all.get(pointer.oid) ?? []) await write(path, content);
    }
  }
}

async function ask(
  { url, tokenSecret }: RepositoryConfig,
  authorization: string | undefined,
  reach: Reach,
  pointers: readonly PlacedPointer[],
): Promise<ReadonlyMap<string, Download>> {
  const endpoint = `${url.replace(/\/+$/, '').replace(/\.git$/, '')}.git/info/lfs/objects/batch`;
  const objects = pointers.map(({ oid, size }) => ({ oid, size }));
  const { status, body } = await guardedFetch(endpoint, reach, {
    headers: { accept: mediaType, 'content-type': mediaType },
    authorization,
    body: JSON.stringify({ operation: 'download', transfers: ['basic'], hash_algo: 'sha256', objects }),
    bytes: answerBytes,
  });
  if (status !== 200) throw statusFault(reach, status, 'contents', tokenSecret);
  const parsed = answerSchema.safeParse(parseJson(body));
  if (!parsed.success) {
    throw new Stop({ subject: reach.subject, message: 'the host answers with something else than Git LFS' });
  }
  return new Map(
    parsed.data.objects.flatMap(({ oid, actions }) =>
      actions?.download === undefined ? [] : [[oid, actions.download]],
    ),
  );
}

interface Asking {
  readonly url: string;
  readonly authorization: string | undefined;
  readonly reach: Reach;
  readonly tokenSecret: string | undefined;
}

async function fetchContent(
  { oid, size, path }: PlacedPointer,
  { href, header }: Download,
  { url, authorization, reach, tokenSecret }: Asking,
): Promise<Uint8Array> {
  const named = Object.fromEntries(Object.entries(header).map(([key, value]) => [key.toLowerCase(), value]));
  const { authorization: given, ...headers } = named;
  // Our own goes to the host of the repository alone, and only where the host names none.
  const own = new URL(href).origin === new URL(url).origin ? authorization : undefined;
  const { status, body } = await guardedFetch(href, reach, {
    headers,
    authorization: given ?? own,
    bytes: size,
  });
  if (status !== 200) throw statusFault(reach, status, `content of ${path}`, tokenSecret);
  if (createHash('sha256').update(body).digest('hex') === oid) return body;
  const message = `the content of ${path} is not the one that its pointer names (${oid.slice(0, 12)})`;
  throw new Stop({ subject: reach.subject, message });
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return undefined;
  }
}
