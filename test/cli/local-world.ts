import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import * as z from 'zod';
import { bareEnvironment } from './bare-environment.ts';

/** The program as a person runs it, on a kubeconfig and a folder: no AWS, no home. */

const root = resolve(import.meta.dirname, '../..');

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export class LocalWorld {
  readonly folder: string;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(folder: string, kubeconfig: string) {
    this.folder = folder;
    this.#env = {
      ...bareEnvironment,
      HOME: folder,
      INIT_CWD: folder,
      KUBECONFIG: kubeconfig,
      TRUEUP_STORE: 'file:state',
    };
  }

  static async open(kubeconfig: string): Promise<LocalWorld> {
    return new LocalWorld(await mkdtemp(join(tmpdir(), 'trueup-cli-')), kubeconfig);
  }

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  async write(file: string, text: string): Promise<void> {
    const path = join(this.folder, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }

  async remove(file: string): Promise<void> {
    await rm(join(this.folder, file), { recursive: true, force: true });
  }

  async run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    return new Promise((done) => {
      const options = { cwd: root, env: { ...this.#env, ...env }, maxBuffer: 64 * 1024 * 1024 };
      const child = execFile(process.execPath, ['cli/trueup.ts', ...args], options, (_, out, err) => {
        done({ code: child.exitCode ?? -1, out, err });
      });
    });
  }

  /** As a terminal starts it, to be spoken to while it runs. */
  start(args: readonly string[]): ChildProcess {
    const stdio = ['ignore', 'pipe', 'pipe'] as const;
    return spawn(process.execPath, ['cli/trueup.ts', ...args], {
      cwd: root,
      env: this.#env,
      stdio: [...stdio],
    });
  }

  /** What `-o json` printed. */
  async json<S extends z.ZodType>(args: readonly string[], schema: S): Promise<z.infer<S>> {
    const { out, err } = await this.run([...args, '-o', 'json']);
    try {
      return schema.parse(JSON.parse(out));
    } catch (cause) {
      throw new Error(`trueup ${args.join(' ')} printed ${out} and ${err}`, { cause });
    }
  }
}

export const planShape = z.strictObject({
  app: z.string(),
  cluster: z.string(),
  changes: z.array(
    z.strictObject({
      action: z.string(),
      apiVersion: z.string().optional(),
      group: z.string(),
      kind: z.string(),
      namespace: z.string(),
      name: z.string(),
      why: z.string(),
      fields: z.array(
        z.strictObject({ path: z.string(), live: z.json().optional(), desired: z.json().optional() }),
      ),
    }),
  ),
  summary: z.record(z.string(), z.number()),
  refusal: z.string().optional(),
});

export const driftShape = z.object({
  open: z.array(
    z.object({
      drift: z.object({
        ref: z.object({ kind: z.string(), name: z.string() }),
        kind: z.string(),
        fields: z.array(z.object({ path: z.string(), manager: z.string().optional() })),
      }),
      who: z.object({ user: z.string() }).optional(),
    }),
  ),
});
