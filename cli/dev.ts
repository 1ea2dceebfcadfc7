import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, relative, resolve, sep } from 'node:path';
import { emitKeypressEvents } from 'node:readline';
import { watch } from 'chokidar';
import { apply } from './apply.ts';
import { exitCodes } from './cli-error.ts';
import { DevLoop, type Ask } from './dev-loop.ts';
import { asForeseen, isForeseen, textOf } from './error-text.ts';
import { callersFolder, storeOf, type LocalSession } from './local-session.ts';
import { appName, openSource, type ApplyOptions } from './local-source.ts';
import { plan } from './plan.ts';
import { print, type Report } from './report.ts';

export interface DevOptions extends ApplyOptions {
  readonly store?: string;
  /** On every save, instead of a plan. */
  readonly apply?: boolean;
}

const calmMs = 200;

/** Records of what was only tried out need no place of their own choosing. */
export function devStore(): string {
  const state = process.env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state');
  return `file:${join(state, 'trueup', 'dev')}`;
}

/**
 * Plans when a file is saved, applies when asked to, until Ctrl-C. Faults are told with their places, and watching goes on;
 * rejects with what is a bug of ours.
 */
export async function dev(session: LocalSession, path: string, options: DevOptions): Promise<Report> {
  // No save mends what stands on the line.
  appName(options.app);
  const { clock, interrupted } = session;
  const loop = new DevLoop(
    async (ask) => tellingFaults(async () => work(session, path, options, ask)),
    async () => clock.sleep(calmMs),
  );
  const watched = await placesOf(path, options);
  const watcher = watch([...watched], { ignoreInitial: true, ignored: ignoredBy(watched, options) });
  const onSave: Ask = options.apply === true ? 'apply' : 'plan';
  watcher.on('all', (_, file) => {
    process.stderr.write(`\n── ${relative(callersFolder(), file)}\n`);
    loop.want(onSave);
  });
  watcher.on('error', (error) => process.stderr.write(`trueup: cannot watch: ${textOf(error)}\n`));
  interrupted.addEventListener('abort', () => {
    loop.stop();
  });
  const release = listenToKeys(loop);
  loop.want(onSave);
  try {
    await loop.ended;
  } finally {
    release();
    await watcher.close();
  }
  return { data: null, text: '' };
}

async function work(session: LocalSession, path: string, options: DevOptions, ask: Ask): Promise<void> {
  const report = ask === 'apply' ? await apply(session, path, options) : await plan(session, path, options);
  await print(report, 'table');
  if (report.exitCode === exitCodes.ok) process.stderr.write(ask === 'plan' ? 'nothing to change\n' : '');
}

async function tellingFaults(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!isForeseen(asForeseen(error))) throw error;
    process.stderr.write(`trueup: ${textOf(error)}\n`);
  }
}

/** A base may lie anywhere in the repository; without one, there is only what was named. */
async function placesOf(path: string, { application }: DevOptions): Promise<readonly string[]> {
  const from = callersFolder();
  const { worktree } = await openSource(path);
  const isInGit = existsSync(join(worktree.directory, '.git'));
  const named = [path, ...(application === undefined ? [] : [application])].map((one) => resolve(from, one));
  return isInGit ? [worktree.directory, ...named] : named;
}

/** What every run writes must not ask for another one. */
function ignoredBy(watched: readonly string[], options: DevOptions): (file: string) => boolean {
  const store = storeOf(options) ?? '';
  const records = store.startsWith('file:')
    ? resolve(callersFolder(), store.slice('file:'.length))
    : undefined;
  return (file) => {
    if (records !== undefined && (file === records || file.startsWith(records + sep))) return true;
    const root = watched.find((place) => file === place || file.startsWith(place + sep)) ?? '';
    const inside = file.slice(root.length).split(sep);
    return inside.some((name) => name === 'node_modules' || (name.startsWith('.') && name.length > 1));
  };
}

/** At a terminal alone. Returns what gives the terminal back. */
function listenToKeys(loop: DevLoop): () => void {
  const { stdin } = process;
  if (!stdin.isTTY) {
    process.stderr.write('watching; Ctrl-C ends it\n');
    return () => undefined;
  }
  process.stderr.write('watching; keys: a apply, p plan, q quit\n');
  emitKeypressEvents(stdin);
  stdin.setRawMode(true);
  const onKey = (_: unknown, { name, ctrl }: { readonly name?: string; readonly ctrl?: boolean }): void => {
    // A terminal in raw mode makes no signal of it.
    if (ctrl === true && name === 'c') process.kill(process.pid, 'SIGINT');
    else if (name === 'q') loop.stop();
    else if (name === 'a') loop.want('apply');
    else if (name === 'p') loop.want('plan');
  };
  stdin.on('keypress', onKey);
  return () => {
    stdin.off('keypress', onKey);
    stdin.setRawMode(false);
    stdin.pause();
  };
}
