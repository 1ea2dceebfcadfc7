import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApiServer } from '../adapters/api-server.ts';
import { answerApi } from '../core/api.ts';
import type { ApiDeps } from '../core/api/deps.ts';
import type { Person } from '../core/api/person.ts';
import { messageOf } from '../core/errors.ts';

export interface UiOptions {
  /** 0: any free one. */
  readonly port: number;
}

/**
 * Serves the dashboard on loopback until it is stopped: whoever has the address that it gives is taken for this person.
 */
export async function startUi(
  deps: ApiDeps,
  person: Person,
  { port }: UiOptions,
): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  const site = await mkdtemp(join(tmpdir(), 'trueup-ui-'));
  const tidy = () => rm(site, { recursive: true, force: true });
  try {
    const { buildSite } = await import('../web/build.ts');
    await buildSite(site);
    const token = randomBytes(24).toString('base64url');
    const server = await startApiServer({
      site,
      token,
      port,
      answer: async (call) => answerApi({ ...call, person }, deps),
      failed: (error) => process.stderr.write(`trueup ui: ${messageOf(error)}\n`),
    });
    const stop = async (): Promise<void> => {
      await server.stop();
      await tidy();
    };
    return { url: `${server.url}#token=${token}`, stop };
  } catch (error) {
    await tidy();
    throw error;
  }
}
