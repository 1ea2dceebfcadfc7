import { createHash } from 'node:crypto';
import { CORE_SCHEMA, load } from 'js-yaml';
import * as z from 'zod';
import { Stop } from '../core/errors.ts';
import { pickVersion } from './chart-version.ts';
import { guardedFetch, statusFault, type Reach } from './guarded-fetch.ts';

const maxIndexBytes = 64 * 1024 * 1024;
const maxArchiveBytes = 32 * 1024 * 1024;

const versionSchema = z.object({
  version: z.string(),
  urls: z.array(z.string()).default([]),
  digest: z.string().nullish(),
});
// Entries of other charts may be as odd as they like.
const indexSchema = z.object({ entries: z.record(z.string(), z.unknown()) });
const entrySchema = z.array(versionSchema.catch({ version: '', urls: [] }));

/** A Helm repository and what it may be asked with. */
export interface RepositoryAccess {
  /** Without a slash at its end. */
  readonly url: string;
  readonly reach: Reach;
  readonly authorization: string | undefined;
  readonly secret: string | undefined;
}

/** What one exact version of a chart is. */
export interface FoundChart {
  readonly version: string;
  readonly url: string;
  /** 64 hex digits. */
  readonly sha256: string;
}

interface KnownIndex {
  readonly etag: string | null;
  readonly entries: Readonly<Record<string, unknown>>;
}

/** Indexes of Helm repositories, kept and asked for anew only where the server says that they changed. */
export class HelmIndexes {
  readonly #known = new Map<string, KnownIndex>();

  /** Throws Stop for a chart or version that is not there, or that nothing vouches for. */
  async find(access: RepositoryAccess, name: string, wanted: string): Promise<FoundChart> {
    const { url, reach } = access;
    const subject = `chart ${name} of ${url}`;
    const entries = await this.#entries(access);
    const versions = Object.hasOwn(entries, name) ? entrySchema.safeParse(entries[name]).data : undefined;
    if (versions === undefined)
      throw new Stop({ subject, message: 'is not in its index; mend its name or the address' });
    const version = pickVersion(wanted, versions.map((one) => one.version).filter(Boolean), subject);
    const found = versions.find((one) => one.version === version);
    const [first] = found?.urls ?? [];
    const sha256 = found?.digest?.replace(/^sha256:/, '') ?? '';
    if (first === undefined)
      throw new Stop({ subject, message: `has no address for ${version} in its index` });
    if (!/^[0-9a-f]{64}$/.test(sha256)) {
      const message = `has no digest for ${version} in its index of ${reach.subject}, so nothing vouches for the archive; let the repository be indexed anew`;
      throw new Stop({ subject, message });
    }
    return { version, url: new URL(first, `${url}/`).href, sha256 };
  }

  /** Versions of each chart by its name, as the index has them now; none of one that is not there. */
  async versions(access: RepositoryAccess): Promise<(name: string) => readonly string[]> {
    const entries = await this.#entries(access);
    return (name) => {
      const found = Object.hasOwn(entries, name) ? entrySchema.safeParse(entries[name]).data : undefined;
      return (found ?? []).map(({ version }) => version).filter(Boolean);
    };
  }

  async #entries(access: RepositoryAccess): Promise<KnownIndex['entries']> {
    const { url, reach, authorization } = access;
    const known = this.#known.get(url);
    const headers = typeof known?.etag === 'string' ? { 'if-none-match': known.etag } : {};
    const request = { headers, authorization, bytes: maxIndexBytes };
    const answer = await guardedFetch(`${url}/index.yaml`, reach, request);
    if (answer.status === 304 && known !== undefined) return known.entries;
    if (answer.status !== 200) throw statusFault(reach, answer.status, 'index.yaml', access.secret);
    const entries = parseIndex(answer.body, reach.subject);
    this.#known.set(url, { etag: answer.headers.get('etag'), entries });
    return entries;
  }
}

function parseIndex(body: Uint8Array, subject: string): KnownIndex['entries'] {
  const text = Buffer.from(body).toString('utf8');
  try {
    // JSON is read a hundred times faster, and large repositories give it.
    const value: unknown = text.trimStart().startsWith('{')
      ? JSON.parse(text)
      : load(text, { schema: CORE_SCHEMA });
    return indexSchema.parse(value).entries;
  } catch (cause) {
    throw new Stop({
      subject,
      message: 'has an index.yaml that cannot be read; is this a Helm repository?',
      cause,
    });
  }
}

/** The archive that an index names, its digest checked. */
export async function fetchArchive(
  access: RepositoryAccess,
  { url, sha256, version }: FoundChart,
): Promise<Uint8Array> {
  const { reach, authorization } = access;
  const isOwn = new URL(url).host === new URL(access.url).host;
  // As it lies there: some servers call an archive a compressed answer, and it would come unpacked.
  const headers = { 'accept-encoding': 'identity' };
  const request = { headers, bytes: maxArchiveBytes, ...(isOwn && { authorization }) };
  const { status, body } = await guardedFetch(url, reach, request);
  const shown = `${new URL(url).pathname.split('/').at(-1)}`;
  if (status !== 200) throw statusFault(reach, status, shown, access.secret);
  assertDigest(body, sha256, `${shown} of version ${version}`, reach.subject);
  return body;
}

/** Throws Stop when bytes are others than their digest says. */
export function assertDigest(bytes: Uint8Array, sha256: string, what: string, subject: string): void {
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found === sha256) return;
  const message = `gave ${what} with the digest ${found.slice(0, 12)}…, where ${sha256.slice(0, 12)}… was promised; nothing of it is used`;
  throw new Stop({ subject, message });
}
