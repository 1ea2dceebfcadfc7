import { spawn } from 'node:child_process';

/** What one run may take. */
export interface SandboxLimits {
  readonly seconds: number;
  /** Of standard output; one file that it writes may be as large. */
  readonly bytes: number;
  /** Of memory that the program takes while it works; elsewhere than on Linux nobody looks. */
  readonly megabytes: number;
}

export interface SandboxOptions {
  readonly cwd: string;
  /** Given on standard input; absent: there is none. */
  readonly input?: string;
  readonly limits: SandboxLimits;
  /** On top of `bareEnvironment`. */
  readonly env?: Readonly<Record<string, string>>;
}

/** `failed`: it ended by itself, and these are its last words. `limit`: it was stopped, or could not go on. */
export type SandboxResult =
  | { readonly kind: 'done'; readonly output: string }
  | { readonly kind: 'failed'; readonly stderr: string }
  | { readonly kind: 'limit'; readonly limit: keyof SandboxLimits };

/**
 * Nothing of our own environment: no credentials, no home, no PATH, so that nothing is found to be started (git for a
 * remote base, a plugin); and a proxy that is not there, for whatever else should try to leave the machine. Go asks no
 * proxy for localhost and 127.0.0.1, where Lambda has its runtime: no address may get as far as being run.
 */
const bareEnvironment = {
  HOME: '/nonexistent',
  HTTP_PROXY: 'http://127.0.0.1:1',
  HTTPS_PROXY: 'http://127.0.0.1:1',
};

/** What kubectl and helm take before they have read anything, rounded up. */
const startingMegabytes = 96;
const errorBytes = 64 * 1024;

/**
 * Limits come from the shell, which execs the program in its own place: Lambda has no cgroups to put it in. Memory is
 * that of RLIMIT_DATA, what is private and written to: of address space (`-v`) Go reserves more than a gigabyte and uses
 * none of it. No core dump, no file beyond the output's size. Where a limit cannot be set, a lower one is in force.
 */
const script = `{ ulimit -c 0; ulimit -f "$1"; ulimit -d "$2"; } 2>/dev/null
shift 2; exec "$@"`;

function limitArgs({ bytes, megabytes }: SandboxLimits): string[] {
  // The shell counts files in blocks of 512 bytes and memory in kilobytes.
  return [String(Math.ceil(bytes / 512)), String((megabytes + startingMegabytes) * 1024)];
}

/**
 * Runs a program that reads what strangers wrote, in a process group of its own, which never outlives the call.
 * `program` is an absolute path. Rejects only where no process can be started at all.
 */
export function runSandboxed(
  program: string,
  args: readonly string[],
  { cwd, input, limits, env = {} }: SandboxOptions,
): Promise<SandboxResult> {
  const child = spawn('/bin/sh', ['-c', script, 'sh', ...limitArgs(limits), program, ...args], {
    cwd,
    env: { ...bareEnvironment, GOMEMLIMIT: `${limits.megabytes}MiB`, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  let limit: keyof SandboxLimits | undefined;
  const stop = (reached: keyof SandboxLimits) => {
    limit ??= reached;
    killGroup(child.pid);
  };
  const timer = setTimeout(() => stop('seconds'), limits.seconds * 1000);
  const output = collect(child.stdout, limits.bytes, () => stop('bytes'));
  const words = collect(child.stderr, errorBytes, () => undefined);
  // A program that does not read its input to the end is none of our trouble.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input ?? '');
  // Whatever it left behind would hold the pipes open.
  child.once('exit', () => killGroup(child.pid));
  return new Promise((settle, reject) => {
    child.once('error', reject);
    child.once('close', (status) => {
      clearTimeout(timer);
      const stderr = words();
      if (limit !== undefined) settle({ kind: 'limit', limit });
      else if (status === 0) settle({ kind: 'done', output: output() });
      else settle(isOutOfMemory(stderr) ? { kind: 'limit', limit: 'megabytes' } : { kind: 'failed', stderr });
    });
  });
}

/** Text of a stream, at most so many bytes of it. */
function collect(stream: NodeJS.ReadableStream, bytes: number, onMore: () => void): () => string {
  const chunks: Buffer[] = [];
  let left = bytes;
  stream.on('data', (chunk: Buffer) => {
    if (chunk.length > left) onMore();
    if (left > 0) chunks.push(chunk.subarray(0, left));
    left -= chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It is gone already, as is usual.
  }
}

/** As Go says it, in its several ways. */
function isOutOfMemory(stderr: string): boolean {
  return /^(?:fatal error: |runtime: )?.*(?:out of memory|cannot allocate memory|failed to reserve)/m.test(
    stderr,
  );
}
