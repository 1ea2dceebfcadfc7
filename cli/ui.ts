import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startApiServer, type ApiCall, type ApiServerOptions } from '../adapters/api-server.ts';
import { answerApi } from '../core/api.ts';
import type { ApiDeps } from '../core/api/deps.ts';
import type { Person } from '../core/api/person.ts';
import { messageOf } from '../core/errors.ts';

export interface UiOptions {
  /** 0: any free one. */
  readonly port: number;
}

/** The site as the npm package brings it; a checkout builds it. */
const built = resolve(import.meta.dirname, '../site');

/**
 * Serves the dashboard on loopback until it is stopped: whoever has the address that it gives is taken for this person.
 */
export async function startUi(
  deps: ApiDeps,
  person: Person,
  { port }: UiOptions,
): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  const token = randomBytes(24).toString('base64url');
  const options = {
    token,
    port,
    answer: async (call: ApiCall) => answerApi({ ...call, person }, deps),
    failed: (error: unknown) => process.stderr.write(`trueup ui: ${messageOf(error)}\n`),
  } satisfies Omit<ApiServerOptions, 'site'>;
  const { url, stop } = existsSync(built)
    ? await startApiServer({ ...options, site: built })
    : await builtFirst(async (site) => startApiServer({ ...options, site }));
  return { url: `${url}#token=${token}`, stop };
}

/** The server reads the site once, when it starts. */
async function builtFirst<T>(serve: (site: string) => Promise<T>): Promise<T> {
  const site = await mkdtemp(join(tmpdir(), 'trueup-ui-'));
  try {
    const { buildSite } = await import('../web/build.ts');
    await buildSite(site);
    return await serve(site);
  } finally {
    await rm(site, { recursive: true, force: true });
  }
}
