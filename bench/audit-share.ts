import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { auditFilterPattern } from '../core/contract/audit.ts';
import { auditWriteOf } from '../core/model/audit.ts';
import { compilePattern } from '../test/aws/filter-pattern.ts';
import { LocalWorld } from '../test/cli/local-world.ts';
import { clusterClient } from '../test/cluster/cluster-client.ts';
import { startControlPlane } from '../test/cluster/control-plane.ts';

/**
 * `npm run bench:audit-share`: what share of a real audit log the subscription's filter lets pass, and what of that the function
 * keeps. Needs TRUEUP_CORPORA with kube-prometheus.
 */

/** As near to what EKS logs as is known of its policy: reads with their request, Secrets without content, no events. */
const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    { level: 'None', resources: [{ group: '', resources: ['events'] }] },
    { level: 'None', resources: [{ group: 'events.k8s.io', resources: ['events'] }] },
    { level: 'None', nonResourceURLs: ['/healthz*', '/livez*', '/readyz*', '/version', '/openapi*'] },
    {
      level: 'Metadata',
      resources: [
        { group: '', resources: ['secrets', 'configmaps', 'serviceaccounts/token'] },
        { group: 'authentication.k8s.io', resources: ['tokenreviews'] },
      ],
    },
    { level: 'Request', verbs: ['get', 'list', 'watch'] },
    { level: 'RequestResponse' },
  ],
};

const passes = compilePattern(auditFilterPattern);
const progress = (line: string) => process.stderr.write(`${line}\n`);
const quietSeconds = 60;
const edits = 20;

const corpora = process.env['TRUEUP_CORPORA'];
if (corpora === undefined) throw new Error('set TRUEUP_CORPORA to a folder with kube-prometheus');
const plane = await startControlPlane({
  name: 'share',
  progress,
  nodes: 3,
  auditLog: true,
  auditPolicy,
  users: [
    { name: 'alice', groups: ['system:masters'] },
    { name: 'trueup', groups: ['system:masters'] },
  ],
});
const world = await LocalWorld.open(plane.kubeconfigPath);
const log = plane.auditLogPath ?? '';

/** Lines of the log from a place in it on, and how far it reaches. */
async function linesFrom(
  position: number,
): Promise<{ readonly lines: readonly string[]; readonly end: number }> {
  await using file = await open(log);
  const { size } = await file.stat();
  const { buffer } = await file.read(Buffer.alloc(size - position), 0, size - position, position);
  const text = buffer.toString('utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return { lines: whole.split('\n').slice(0, -1), end: position + Buffer.byteLength(whole) };
}

let position = (await readFile(log)).length;

/** Measures what the log got while something was done. */
async function measure(what: string, work: () => Promise<unknown>): Promise<void> {
  await work();
  await delay(2_000);
  const { lines, end } = await linesFrom(position);
  const bytes = end - position;
  position = end;
  const passed = lines.filter(passes);
  const kept = passed.filter((line) => auditWriteOf(JSON.parse(line)) !== undefined).length;
  const perLine = Math.round(bytes / Math.max(1, lines.length));
  const share = ((passed.length / Math.max(1, lines.length)) * 100).toFixed(1);
  console.log(
    `| ${what} | ${lines.length} | ${(bytes / 1e6).toFixed(2)} MB | ${perLine} | ${passed.length} (${share} %) | ${kept} |`,
  );
}

try {
  const alice = await clusterClient(plane.kubeconfig, 'alice');
  console.log(
    '| what | lines | bytes | bytes a line | pass the filter | kept |\n| --- | --- | --- | --- | --- | --- |',
  );
  await measure('kube-prometheus applied by trueup', async () => {
    const { code, err } = await world.run(['apply', join(corpora, 'kube-prometheus'), '--app', 'kp']);
    if (code !== 0) throw new Error(err);
  });
  await measure(`controllers at work, ${quietSeconds} s`, async () => delay(quietSeconds * 1000));
  const deployment = '/apis/apps/v1/namespaces/monitoring/deployments/grafana';
  await measure(`${edits} edits by a person, with what the controllers make of them`, async () => {
    for (let edit = 1; edit <= edits; edit += 1) {
      await alice.patch(deployment, {
        spec: { template: { metadata: { annotations: { edit: String(edit) } } } },
      });
      await delay(200);
    }
  });
  await measure('the namespace deleted by a person', async () => {
    await alice.remove('/api/v1/namespaces/monitoring');
    await delay(15_000);
  });
  await alice.close();
} finally {
  await world.close();
  await plane.stop();
}
