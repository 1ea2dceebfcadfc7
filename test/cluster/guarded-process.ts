import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

/**
 * The guard is a shell that outlives us by a moment. It reads `+ PID` and `- PID` lines from a pipe that only we hold
 * open; when the pipe ends, because we ended in whatever way (SIGKILL included), it kills the process groups still on
 * its list. Node has no PR_SET_PDEATHSIG, and etcd from KUBEBUILDER_ASSETS would not know ours.
 */
const guardScript = `
pids=' '
while read -r sign pid; do
  case $sign in
    +) pids="$pids$pid " ;;
    -) case $pids in *" $pid "*) pids="\${pids%% $pid *} \${pids#* $pid }" ;; esac ;;
  esac
done
for pid in $pids; do kill -s KILL -- "-$pid" 2>/dev/null; done
`;

let guard: ChildProcess | undefined;

/** A process of ours that never outlives us, its own children included. Its output goes to `logPath`. */
export interface GuardedProcess {
  readonly name: string;
  readonly pid: number;
  readonly logPath: string;
  /** Settles with one sentence about how it ended; never rejects. */
  readonly ended: Promise<string>;
  /** How it ended, undefined while it runs. */
  readonly ending: () => string | undefined;
  readonly signal: (signal: NodeJS.Signals) => void;
  /** Sends the signal, SIGKILL after 5 s if that did not do, and returns when the process is gone. */
  readonly stop: (signal: 'SIGTERM' | 'SIGKILL') => Promise<void>;
}

/** What to start, and under which name errors speak of it. */
export interface GuardedCommand {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly logPath: string;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Starts a command that ends with this process. Throws when it cannot be started at all. */
export async function spawnGuarded(options: GuardedCommand): Promise<GuardedProcess> {
  const { name, logPath } = options;
  const log = openSync(logPath, 'a');
  // A session of its own: Ctrl-C at the terminal reaches us alone, and we end the parts in order.
  const child = spawn(options.command, options.args, {
    stdio: ['ignore', log, log],
    detached: true,
    env: options.env ?? process.env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  closeSync(log);
  const { pid } = child;
  if (pid === undefined) throw await spawnError(child, options);
  tellGuard(`+ ${pid}`);
  let ending: string | undefined;
  const ended = new Promise<string>((settle) => {
    child.once('exit', (code, signal) => {
      tellGuard(`- ${pid}`);
      ending = signal === null ? `${name} ended with status ${code}` : `${name} was ended by ${signal}`;
      settle(ending);
    });
  });
  child.unref();
  const signal = (which: NodeJS.Signals): void => signalGroup(pid, which);
  const stop: GuardedProcess['stop'] = async (how) => {
    if (ending !== undefined) return;
    signal(how);
    // The timer also keeps our event loop alive, which the child itself does not.
    const deadline = setTimeout(() => signal('SIGKILL'), 5_000);
    await ended;
    clearTimeout(deadline);
  };
  return { name, pid, logPath, ended, ending: () => ending, signal, stop };
}

/** The last lines of a log file, for an error message. */
export function lastLines(path: string, count = 15): string {
  return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Gone already: its end is reported by `ended`.
  }
}

function tellGuard(line: string): void {
  guard ??= startGuard();
  guard.stdin?.write(`${line}\n`);
}

function startGuard(): ChildProcess {
  const child = spawn('sh', ['-c', guardScript, 'trueup-guard'], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  child.unref();
  // An open pipe would keep this process from ending by itself; `unref` is there on sockets, not in the Writable type.
  if (child.stdin !== null && 'unref' in child.stdin && typeof child.stdin.unref === 'function') {
    child.stdin.unref();
  }
  return child;
}

async function spawnError(child: ChildProcess, { name, command }: GuardedCommand): Promise<Error> {
  return new Promise((settle) => {
    child.once('error', (cause) =>
      settle(new Error(`${name}: cannot start ${command}: ${cause.message}`, { cause })),
    );
  });
}
