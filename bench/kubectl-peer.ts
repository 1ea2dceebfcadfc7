import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { servePeer } from './peer-process.ts';

/** `kubectl diff --server-side` of a folder. It is a process each time, which is how people run it. */

const { values } = parseArgs({
  options: {
    kubectl: { type: 'string', default: 'kubectl' },
    kubeconfig: { type: 'string', default: '' },
    manifests: { type: 'string', default: '' },
  },
});

await servePeer(async () => {
  // The shell tells, at its end, what its children took.
  const script = '"$0" --kubeconfig "$1" diff --server-side -f "$2"; status=$?; times >&2; exit $status';
  const args = ['-c', script, values.kubectl, values.kubeconfig, values.manifests];
  const { status, stdout, stderr } = spawnSync('sh', args, {
    encoding: 'utf8',
    maxBuffer: 1e9,
    // Only whether files differ: the time that a whole `diff` takes is not kubectl's.
    env: { ...process.env, KUBECTL_EXTERNAL_DIFF: 'diff -N -q' },
  });
  if (status !== 0 && status !== 1) throw new Error(stderr.slice(0, 2_000));
  const times =
    stderr
      .trimEnd()
      .split('\n')
      .at(-1)
      ?.matchAll(/(\d+)m([\d.]+)s/g) ?? [];
  const cpuSeconds = [...times].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds),
    0,
  );
  return { changed: stdout.split('\n').filter((line) => line !== '').length, cpuSeconds };
});
