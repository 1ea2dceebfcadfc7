import { putAccessEntry } from '../adapters/access-entries.ts';
import { LocalClusters } from '../adapters/local-clusters.ts';
import { readLocalKubeconfig } from '../adapters/local-kubeconfig.ts';
import { stackConfigAt } from '../adapters/stack-config.ts';
import { stackResources } from '../adapters/stack-resources.ts';
import { placeOf } from '../core/contract/cluster-access.ts';
import { accessGroups, rbacManifests, type RbacManifest } from '../core/contract/rbac.ts';
import { readFleet, type FleetCluster } from '../core/fleet.ts';
import { dump } from 'js-yaml';
import { CliError } from './cli-error.ts';
import { neededOn, type Needed } from './granted-kinds.ts';
import { kubeconfigs, type LocalOptions } from './local-session.ts';
import type { Report } from './report.ts';
import { openOutputs, openSession, s3Client } from './session.ts';

export interface GrantOptions extends LocalOptions {
  readonly cluster: string;
  readonly entries?: boolean;
}

/** An IAM role and the Kubernetes group that it is to be a member of. */
interface Principal {
  readonly arn: string;
  readonly group: string;
}

const patienceMs = 60_000;

/**
 * RBAC of the least rights for what is on a cluster, with the kinds as the cluster of the kubeconfig serves them; with
 * `entries` the access entries of EKS as well. Changes nothing in the cluster: `kubectl apply -f -` does.
 */
export async function grant(stack: string, options: GrantOptions): Promise<Report> {
  const session = await openSession(stack);
  const output = await openOutputs(stack);
  const config = await stackConfigAt(output('config'), await s3Client())();
  const { clusters } = await readFleet({ store: session.store, config });
  const cluster = clusters.find(({ name }) => name === options.cluster);
  if (cluster === undefined) {
    const known = clusters.map(({ name }) => name).join(', ');
    throw new CliError(`${stack} serves no cluster ${options.cluster}. It serves: ${known}.`);
  }
  const context = await readLocalKubeconfig({ files: kubeconfigs(options), context: options.context });
  const deadline = session.clock.now() + patienceMs;
  const connection = await new LocalClusters(context, session.clock).connect(context.cluster, () => deadline);
  const needed = await neededOn(session.store, cluster.name, await connection.resources());
  const manifests = rbacManifests(needed.grants);
  const principals = await principalsOf(cluster, stack, {
    reconcile: output('reconcileRole'),
    sweep: output('sweepRole'),
  });
  const entered = options.entries === true ? await enter(cluster, principals) : [];
  const asked = options.entries === true ? [] : [entriesText(cluster, principals)];
  return {
    data: manifests,
    text: streamOf(manifests),
    yaml: streamOf(manifests),
    notes: [...notesOf(needed, cluster), ...entered, ...asked].filter((note) => note !== ''),
  };
}

/** A role of another account applies and checks alike: it is one principal. */
async function principalsOf(
  { access, network }: FleetCluster,
  stack: string,
  own: { readonly reconcile: string; readonly sweep: string },
): Promise<readonly Principal[]> {
  if (access.type === 'kubeconfig') return [];
  if (access.roleArn !== undefined) return [{ arn: access.roleArn, group: accessGroups.reconcile }];
  const roles = network === undefined ? own : await rolesOfNetwork(network, stack, own.reconcile);
  return [
    { arn: roles.reconcile, group: accessGroups.reconcile },
    { arn: roles.sweep, group: accessGroups.sweep },
  ];
}

async function rolesOfNetwork(network: string, stack: string, sibling: string) {
  const resources = await stackResources(stack);
  const start = `Network${network.replaceAll('-', '')}`;
  const roleOf = (name: 'Reconcile' | 'Sweep'): string => {
    const pattern = new RegExp(`${start}${name}Role[0-9A-F]{8}$`);
    const found = resources.find(
      ({ type, logicalId }) => type === 'AWS::IAM::Role' && pattern.test(logicalId),
    );
    if (found !== undefined) return `${sibling.slice(0, sibling.indexOf('/'))}/${found.physicalId}`;
    throw new CliError(`${stack} has no functions in the network ${network}: deploy it again.`);
  };
  return { reconcile: roleOf('Reconcile'), sweep: roleOf('Sweep') };
}

async function enter({ access }: FleetCluster, principals: readonly Principal[]): Promise<readonly string[]> {
  if (access.type === 'kubeconfig') {
    throw new CliError('--entries is for clusters of EKS: this one is entered by a kubeconfig.');
  }
  const place = placeOf(access);
  const lines: string[] = [];
  for (const { arn, group } of principals) {
    lines.push(`access entry ${await putAccessEntry(place, arn, group)}: ${arn} is in ${group}`);
  }
  return lines;
}

/** What `--entries` would do, for whoever does it otherwise. */
function entriesText({ access }: FleetCluster, principals: readonly Principal[]): string {
  if (access.type === 'kubeconfig') {
    return `The user of the kubeconfig has to be in the group ${accessGroups.reconcile}.`;
  }
  const { name, region } = placeOf(access);
  const where = `--cluster-name ${name}${region === undefined ? '' : ` --region ${region}`}`;
  return principals
    .map(
      ({ arn, group }) =>
        `aws eks create-access-entry ${where} --principal-arn ${arn} --kubernetes-groups ${group}`,
    )
    .join('\n');
}

function notesOf({ unserved, of, grants }: Needed, { name }: FleetCluster): readonly string[] {
  const ofRbac = grants.kinds.some(({ group }) => group === 'rbac.authorization.k8s.io');
  return [
    of === 'nobody'
      ? 'No application is known yet: these are common kinds. Run it again after the first push.'
      : '',
    of === 'installation' ? `No application is on ${name} yet: these are the kinds of all clusters.` : '',
    unserved.length === 0 ? '' : `Not served by this cluster, and so not granted: ${unserved.join(', ')}.`,
    ofRbac
      ? 'Applications hold RBAC: Kubernetes lets nobody give rights that they do not have. Grant those rights to trueup too, or the verbs bind and escalate on just these roles.'
      : '',
  ];
}

function streamOf(manifests: readonly RbacManifest[]): string {
  return manifests
    .map((manifest) => dump(manifest, { noRefs: true }))
    .join('---\n')
    .trimEnd();
}
