import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Binaries, Component } from './binaries.ts';
import { filesIn } from './component-flags.ts';
import { type GuardedProcess, lastLines, spawnGuarded } from './guarded-process.ts';

/** The running parts of one control plane. */
export interface Parts {
  /**
   * Starts a part and polls `ready` until it says yes; an error counts as "not yet". Throws with the last lines of the
   * part's log when it ends before that or takes over a minute. Does nothing when these binaries lack the part.
   */
  readonly start: (name: Component, flags: readonly string[], ready: () => Promise<boolean>) => Promise<void>;
  /** Throws when there is no such part. */
  readonly get: (name: Component) => GuardedProcess;
  readonly all: () => readonly GuardedProcess[];
}

/** Parts of these binaries, each with its log in `dir`. */
export function partsIn(dir: string, binaries: Binaries): Parts {
  const running = new Map<Component, GuardedProcess>();
  return {
    start: async (name, flags, ready) => {
      const found = binaries.commands[name];
      if (found === undefined) return;
      const [command, ...first] = found;
      const args = [...first, ...flags];
      const part = await spawnGuarded({ name, command, args, logPath: filesIn(dir).logOf(name) });
      running.set(name, part);
      await waitUntilReady(part, ready);
    },
    get: (name) => {
      const part = running.get(name);
      if (part === undefined) throw new Error(`this control plane has no ${name}`);
      return part;
    },
    all: () => [...running.values()],
  };
}

const readySeconds = 60;

async function waitUntilReady(part: GuardedProcess, ready: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + readySeconds * 1000;
  while (!(await ready().catch(() => false))) {
    const late = Date.now() > deadline ? `${part.name} is not ready after ${readySeconds} s` : undefined;
    const ending = part.ending() ?? late;
    if (ending !== undefined) {
      throw new Error(`${ending}; the end of ${part.logPath}:\n${lastLines(part.logPath)}`);
    }
    await delay(50);
  }
}

/**
 * Starts a server on a free port and, when another process was faster to take that port, on another one: between
 * asking for a free port and listening on it there is always a moment.
 */
export async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await start(await freePort());
    } catch (error) {
      const clash = error instanceof Error && error.message.includes('address already in use');
      if (!clash || tries === 5) throw error;
    }
  }
}

async function freePort(): Promise<number> {
  return new Promise((settle, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => settle(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
