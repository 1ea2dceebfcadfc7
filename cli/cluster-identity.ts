import * as z from 'zod';
import { keys } from '../core/contract/keys.ts';
import { readDocument, writeDocument } from '../core/documents.ts';
import { Blocked } from '../core/errors.ts';
import { isoTime } from '../core/model/time.ts';
import { CliError } from './cli-error.ts';
import type { LocalSession } from './local-session.ts';

/** Which cluster the records of a context are of. Contexts are mere names: one may lead elsewhere tomorrow. */
const identitySchema = z.object({ version: z.literal(1), uid: z.string(), at: z.string() });

/** The kube-system namespace lives as long as its cluster. Undefined where we may not read it. */
async function identityOf({ ports, cluster }: LocalSession): Promise<string | undefined> {
  const connection = await ports.clusters.connect(cluster, () => ports.deadline);
  try {
    const live = await connection.get({ apiVersion: 'v1', plural: 'namespaces', name: 'kube-system' });
    return live?.metadata.uid;
  } catch (error) {
    if (error instanceof Blocked) return undefined;
    throw error;
  }
}

/**
 * Throws CliError when the records in the store are of another cluster: what is not there would be made again, and all
 * else be foreign. `note`: writes down which cluster it is, where nothing says so yet.
 */
export async function assertSameCluster(
  session: LocalSession,
  { note = false }: { readonly note?: boolean } = {},
): Promise<void> {
  const { store, cluster, clock } = session;
  const key = keys.identity(cluster);
  const known = (await readDocument(store, key, identitySchema))?.value;
  if (known === undefined && !note) return;
  const uid = await identityOf(session);
  if (uid === undefined || uid === known?.uid) return;
  if (known === undefined) {
    await writeDocument(store, key, { version: 1, uid, at: isoTime(clock.now()) }, 'absent');
    return;
  }
  throw new CliError(
    `The records of cluster ${cluster} in this store are of another cluster: its kube-system namespace had the uid ` +
      `${known.uid} on ${known.at.slice(0, 10)}, and this one has ${uid}. Choose the context of that cluster, or another ` +
      `--store. If it was made anew and everything is to be applied again, delete ${key} from the store.`,
  );
}
