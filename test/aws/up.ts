import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { startLocalAws } from './local-aws.ts';

// A local AWS for a person: node test/aws/up.ts [--port 4566] [--alarm-speed 6] [--path FOLDER]…

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    'alarm-speed': { type: 'string', default: '1' },
    path: { type: 'string', multiple: true, default: [] },
  },
});

const dir = await mkdtemp(path.join(tmpdir(), 'trueup-aws-'));
const aws = await startLocalAws({
  dir,
  ...(values.port === undefined ? {} : { port: Number(values.port) }),
  alarmSpeed: Number(values['alarm-speed']),
  extraPath: values.path,
  progress: (line) => process.stderr.write(`${line}\n`),
});
const exported = Object.entries(aws.env).map(([name, value]) => `export ${name}=${value}`);
process.stdout.write(`${exported.join('\n')}\n`);
process.stderr.write(`Logs: ${aws.logPath}, ${aws.functionLogPath}\nCtrl-C ends it.\n`);

const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
process.once('SIGINT', ask);
process.once('SIGTERM', ask);
const alive = setInterval(() => {}, 60_000);
await asked;
clearInterval(alive);
await aws.stop();
