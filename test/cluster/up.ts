/** For people: `node test/cluster/up.ts` starts a control plane and keeps it until Ctrl-C. Stdout: the kubeconfig's path. */
import { once } from 'node:events';
import { startControlPlane } from './control-plane.ts';
import { findTools } from './tools.ts';
import { sharedClusterOptions } from './test-cluster.ts';

const progress = (line: string): void => console.error(line);
const controlPlane = await startControlPlane({ ...sharedClusterOptions, name: 'local', progress });
const { kubectl } = await findTools({ progress });
console.log(controlPlane.kubeconfigPath);
progress(`KUBECONFIG=${controlPlane.kubeconfigPath} ${kubectl} get nodes`);
progress(`logs: ${controlPlane.dir}; Ctrl-C ends it`);

// Neither a signal handler nor the parts keep Node's event loop alive.
const keepAlive = setInterval(() => undefined, 60_000);
const signals = [once(process, 'SIGINT'), once(process, 'SIGTERM')];
const ending = await Promise.race([...signals, ...controlPlane.processes().map(async (part) => part.ended)]);
if (typeof ending === 'string') progress(ending);
clearInterval(keepAlive);
await controlPlane.stop();
