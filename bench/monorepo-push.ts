import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FileStore } from '../adapters/file-store.ts';
import { HttpGit } from '../adapters/git.ts';
import { LocalRenderers } from '../adapters/renderers.ts';
import { SystemClock } from '../adapters/system-clock.ts';
import { parseStackConfig } from '../core/contract/config.ts';
import { produce } from '../core/produce.ts';
import { noCharts } from '../core/render/context.ts';
import { MemorySealer } from '../test/fakes/memory-sealer.ts';
import { RecordingBus, RecordingMetrics, RecordingQueues } from '../test/fakes/recorders.ts';

/** One push as a cold function follows it: a process of its own, with nothing kept but the store. Prints what it took. */

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: '' },
    token: { type: 'string', default: '' },
    before: { type: 'string', default: '' },
    after: { type: 'string', default: '' },
    dir: { type: 'string', default: '' },
    tools: { type: 'string', default: '' },
  },
});
const path = `${values.tools}:${process.env['PATH'] ?? ''}`;
const scratch = join(values.dir, `scratch-${process.pid}`);
await mkdir(scratch, { recursive: true });
const store = new FileStore(join(values.dir, 'store'));
const counts = { gets: 0, puts: 0, lists: 0, renders: 0 };
const get = store.get.bind(store);
store.get = async (key) => {
  counts.gets += 1;
  if (key.startsWith('snapshots/')) counts.renders += 1;
  return get(key);
};
const put = store.put.bind(store);
store.put = async (...written) => {
  counts.puts += 1;
  return put(...written);
};
const entries = store.entries.bind(store);
store.entries = async (prefix) => {
  counts.lists += 1;
  return entries(prefix);
};
const secrets = { get: async () => ({ current: values.token }) };
const deps = {
  store,
  git: new HttpGit({ secrets, scratch, path }),
  renderers: await LocalRenderers.find(path),
  charts: { ...noCharts, newest: async () => [] },
  sealer: new MemorySealer(),
  bus: new RecordingBus(),
  queues: new RecordingQueues(),
  metrics: new RecordingMetrics(),
  clock: new SystemClock(),
  build: 'bench',
  config: parseStackConfig({
    repositories: [{ name: 'fleet', url: values.url, tokenSecret: 'token' }],
    clusters: [{ name: 'prod', access: { type: 'eks', name: 'prod' } }],
  }),
};
const { before, after } = values;
const push = { version: 1, at: new Date().toISOString(), provider: 'github', deliveryId: after } as const;
const started = performance.now();
const detail = { ...push, repository: 'fleet', ref: 'refs/heads/main', before, after, deleted: false };
const outcome = await produce(detail, 1, deps);
const seconds = (performance.now() - started) / 1000;
// Of this process and of all that it started and waited for: user and system time of both, in ticks of 10 ms.
const ticks = (await readFile('/proc/self/stat', 'utf8')).split(') ')[1]?.split(' ').slice(11, 15) ?? [];
const cpuSeconds = ticks.reduce((sum, each) => sum + Number(each), 0) / 100;
const maxRssBytes = process.resourceUsage().maxRSS * 1024;
console.log(JSON.stringify({ seconds, cpuSeconds, maxRssBytes, ...counts, outcome }));
