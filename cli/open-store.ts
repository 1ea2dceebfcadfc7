import { existsSync, readdirSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { FileStore } from '../adapters/file-store.ts';
import { keys, prefixes } from '../core/contract/keys.ts';
import { messageOf } from '../core/errors.ts';
import type { Store } from '../core/ports.ts';
import { CliError } from './cli-error.ts';

/** Grows when an older trueup could misread what a newer one wrote. */
const format = 1;

/**
 * The store that `--store` names: `file:DIR` or `s3://BUCKET/PREFIX`. Throws CliError for what is none, and for one that
 * a newer trueup wrote. `isNew`: nothing was ever written there.
 */
export async function openStore(
  place: string,
  from: string,
): Promise<{ readonly store: Store; readonly isNew: boolean }> {
  const store = place.startsWith('file:')
    ? folderStore(place.slice('file:'.length), from)
    : await s3Store(place);
  const marker = await store.get(keys.format).catch((cause: unknown) => {
    const { name } = cause instanceof Error ? cause : { name: '' };
    if (name === 'NoSuchBucket') throw new CliError(`--store ${place}: there is no such bucket.`, { cause });
    throw cause;
  });
  if (marker !== undefined) assertReadable(place, marker.text);
  return { store, isNew: marker === undefined };
}

/** Marks a store as one of this format. */
export async function markStore(store: Store): Promise<void> {
  await store.put(keys.format, JSON.stringify({ version: format }), 'absent');
}

function folderStore(folder: string, from: string): Store {
  if (folder === '') throw new CliError('--store file:DIR needs a folder, such as file:./state.');
  const directory = resolve(from, folder);
  if (!existsSync(directory)) return new FileStore(directory);
  if (!statSync(directory).isDirectory()) {
    throw new CliError(
      `--store file:${folder}: ${directory} is a file. Name a folder; it is made when it is not there.`,
    );
  }
  const known = new Set<string>([
    keys.format,
    ...Object.values(prefixes).map((prefix) => prefix.slice(0, -1)),
  ]);
  const names = readdirSync(directory).filter((name) => !name.startsWith('.'));
  if (names.length > 0 && !names.some((name) => known.has(name))) {
    throw new CliError(
      `--store file:${folder}: ${directory} holds other files (${names[0]}). Name an empty folder, or one that is not there yet.`,
    );
  }
  return new FileStore(directory);
}

async function s3Store(place: string): Promise<Store> {
  const [, bucket, prefix = ''] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(place) ?? [];
  if (bucket === undefined) {
    throw new CliError(`--store ${place}: it must be file:DIR or s3://BUCKET/PREFIX.`);
  }
  const [{ S3Client }, { S3Store }, { awsClient }] = await Promise.all([
    import('@aws-sdk/client-s3'),
    import('../adapters/s3-store.ts'),
    import('../adapters/aws-client.ts'),
  ]);
  // A local AWS knows its buckets by path, not by host name.
  const forcePathStyle = process.env['AWS_ENDPOINT_URL'] !== undefined;
  const below = prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`;
  return new S3Store(bucket, new S3Client({ ...awsClient, forcePathStyle }), below);
}

function assertReadable(place: string, text: string): void {
  let version: unknown;
  try {
    ({ version } = JSON.parse(text));
  } catch (cause) {
    throw new CliError(`--store ${place}: its ${keys.format} cannot be read (${messageOf(cause)}).`, {
      cause,
    });
  }
  if (version === format) return;
  throw new CliError(
    `--store ${place}: it was written by a newer trueup (format ${String(version)}; this one knows ${format}). Update trueup.`,
  );
}
