import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import * as z from 'zod';
import { findTools } from '../test/cluster/tools.ts';
import { startGitServer, type GitServer } from '../test/git/git-server.ts';
import { cloneWorktree, commitFiles, push } from '../test/git/worktree.ts';
import { duration, megabytes, ratio, table, writeSection } from './report.ts';

/**
 * `npm run bench:monorepo`: pushes to a repository of many applications on ten shared bases, each followed by a process of
 * its own as a cold function would. `--write` puts the tables into RESULTS.md.
 */

const { values: options } = parseArgs({
  options: {
    sizes: { type: 'string', default: '1,100,1000' },
    write: { type: 'boolean', default: false },
    busy: { type: 'boolean', default: false },
  },
});
const token = 'a-token-of-the-bench';
const bases = 10;
const run = promisify(execFile);
const resultSchema = z.object({
  seconds: z.number(),
  cpuSeconds: z.number(),
  maxRssBytes: z.number(),
  gets: z.number(),
  puts: z.number(),
  lists: z.number(),
  renders: z.number(),
  outcome: z.string(),
});
type Result = z.infer<typeof resultSchema>;
interface Row extends Result {
  readonly applications: number;
  readonly what: string;
}

function baseOf(index: number, image: string): Record<string, string> {
  const folder = `bases/b${index}`;
  const meta = 'metadata: {name: web, labels: {app: web}}';
  return {
    [`${folder}/kustomization.yaml`]: 'resources: [deployment.yaml, service.yaml, config.yaml]\n',
    [`${folder}/deployment.yaml`]: `apiVersion: apps/v1\nkind: Deployment\n${meta}\nspec:\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: web, image: "${image}"}]}\n`,
    [`${folder}/service.yaml`]: `apiVersion: v1\nkind: Service\n${meta}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n`,
    [`${folder}/config.yaml`]: `apiVersion: v1\nkind: ConfigMap\n${meta}\ndata: {base: "${index}"}\n`,
  };
}

function applicationFiles(index: number): Record<string, string> {
  const name = `app-${index}`;
  const spec = `source: {path: apps/${name}}, namespace: ${name}, clusters: {names: [prod]}`;
  return {
    [`applications/${name}.yaml`]: `apiVersion: trueup.dev/v1\nkind: Application\nmetadata: {name: ${name}}\nspec: {${spec}}\n`,
    [`apps/${name}/kustomization.yaml`]: `resources: [../../bases/b${index % bases}]\nnamePrefix: a${index}-\nreplicas: [{name: web, count: 2}]\n`,
  };
}

/** One repository, and what following its pushes takes. */
class Monorepo {
  readonly #clone: string;
  readonly #follow: (before: string, after: string) => Promise<Result>;
  readonly #applications: number;
  readonly rows: Row[] = [];
  #head = '0'.repeat(40);

  constructor(
    applications: number,
    clone: string,
    follow: (before: string, after: string) => Promise<Result>,
  ) {
    this.#applications = applications;
    this.#clone = clone;
    this.#follow = follow;
  }

  async push(what: string, files: Record<string, string>): Promise<void> {
    const after = await commitFiles(this.#clone, files, what);
    await push(this.#clone);
    const result = await this.#follow(this.#head, after);
    this.#head = after;
    this.rows.push({ applications: this.#applications, what, ...result });
    process.stderr.write(`${this.#applications} ${what}: ${JSON.stringify(result)}\n`);
  }
}

async function measure(applications: number, server: GitServer, root: string): Promise<readonly Row[]> {
  const name = `monorepo-${applications}`;
  const dir = join(root, name);
  await server.createRepository(name);
  await cloneWorktree(server.urlWithToken(name), dir);
  const tools = dirname((await findTools({ progress: () => undefined })).kubectl);
  const script = join(import.meta.dirname, 'monorepo-push.ts');
  const fixed = ['--url', server.url(name), '--token', token, '--dir', `${dir}-work`, '--tools', tools];
  const monorepo = new Monorepo(applications, dir, async (before, after) => {
    const { stdout } = await run(process.execPath, [script, ...fixed, '--before', before, '--after', after]);
    return resultSchema.parse(JSON.parse(stdout));
  });
  const all = Array.from({ length: applications }, (_, index) => applicationFiles(index));
  const shared = Array.from({ length: bases }, (_, index) => baseOf(index, 'web:1'));
  await monorepo.push('first push: everything', Object.assign({}, ...shared, ...all));
  await monorepo.push('a file that nothing reads', { 'README.md': 'Fleet' });
  const path = 'apps/app-0/kustomization.yaml';
  const changed = (applicationFiles(0)[path] ?? '').replace('count: 2', 'count: 3');
  await monorepo.push('one application', { [path]: changed });
  await monorepo.push('a base of a tenth', baseOf(0, 'web:2'));
  // Above that the first push tells what everything costs.
  if (applications > 1 && applications <= 100) {
    const every = Array.from({ length: bases }, (_, index) => baseOf(index, 'web:3'));
    await monorepo.push('all bases: everything', Object.assign({}, ...every));
  }
  return monorepo.rows;
}

const root = await mkdtemp(join(tmpdir(), 'trueup-bench-'));
const server = await startGitServer({ dir: join(root, 'host'), token });
const rows: Row[] = [];
try {
  for (const size of options.sizes.split(',').map(Number)) rows.push(...(await measure(size, server, root)));
} finally {
  await server.stop();
  await rm(root, { recursive: true, force: true });
}
const cells = rows.map(
  ({ applications, what, seconds, cpuSeconds, maxRssBytes, renders, gets, puts, lists }) => {
    const everything = rows.findLast(
      (row) => row.applications === applications && row.renders === applications,
    );
    return [
      String(applications),
      what,
      String(renders),
      duration(seconds),
      duration(cpuSeconds),
      everything === undefined || renders === applications ? '' : ratio(cpuSeconds, everything.cpuSeconds),
      megabytes(maxRssBytes),
      `${gets} + ${puts} + ${lists}`,
    ];
  },
);
const head = [
  'applications',
  'push',
  'rendered',
  'time',
  'CPU',
  'CPU, of everything',
  'peak memory',
  'GET + PUT + LIST',
];
const text = `Each push is followed by a process of its own that keeps nothing but the store, over Git's own HTTP server: start, fetch,
read, render with kustomize, store, move the pointers. Every application is an overlay on one of ten shared bases. CPU is
user and system time of that process and of all that it starts; memory is that of the process itself, without the two
renderers at work beside it. ${cpus().length} cores, which everything shares${options.busy ? '; other work ran beside it, so compare CPU and not times' : ''}.

${table(head, cells)}`;
console.log(text);
if (options.write) await writeSection('A repository of many applications: `npm run bench:monorepo`', text);
