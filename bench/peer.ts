import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import * as z from 'zod';

/** What one command took, as the process itself measured it: its start is not in it. */
const measureSchema = z.object({
  seconds: z.number(),
  cpuSeconds: z.number(),
  /** Peak of the process so far. */
  maxRssBytes: z.number(),
  /** Objects that were looked at, and those that were not as they should be. */
  objects: z.number().optional(),
  changed: z.number().optional(),
  /** Objects in a watch cache. */
  cached: z.number().optional(),
  /** Microseconds since the epoch. */
  at: z.number().optional(),
  error: z.string().optional(),
});
export type Measure = z.infer<typeof measureSchema>;

/**
 * An engine in a process of its own, which stays between commands. The protocol: `{"ready":true}` when it has started;
 * then for each line on its stdin one line of JSON on its stdout (`measureSchema`).
 */
export class Peer implements AsyncDisposable {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(name: string, child: ChildProcess, lines: AsyncIterator<string>) {
    this.#name = name;
    this.#child = child;
    this.#lines = lines;
  }

  static async start(name: string, command: string, args: readonly string[]): Promise<Peer> {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const peer = new Peer(name, child, lines);
    await peer.#line();
    return peer;
  }

  /** Throws when the engine says that it failed. */
  async ask(command: string): Promise<Measure> {
    this.#child.stdin?.write(`${command}\n`);
    const measure = measureSchema.parse(JSON.parse(await this.#line()));
    if (measure.error !== undefined) throw new Error(`${this.#name}: ${command}: ${measure.error}`);
    return measure;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`${this.#name} ended (its own words are above)`);
    return value;
  }
}
