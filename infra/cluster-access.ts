import { CfnAccessEntry } from 'aws-cdk-lib/aws-eks';
import { Construct } from 'constructs';
import { accessGroups, commonKinds, rbacManifests, type GrantedKind } from '../core/contract/rbac.ts';
import type { Network } from './network.ts';
import type { TrueUp } from './trueup.ts';

/** A cluster as `aws-cdk-lib/aws-eks` has it, or just its name. */
interface EnteredCluster {
  /** Of a cluster in the account and region of this stack, whose authentication mode takes access entries. */
  readonly clusterName: string;
  /** Installs manifests; a cluster that the same app makes has it, and an imported one with a kubectl layer. */
  addManifest?(id: string, ...manifests: Record<string, unknown>[]): unknown;
}

export interface ClusterAccessProps {
  /** Which installation is let in. */
  readonly trueup: TrueUp;
  readonly cluster: EnteredCluster;
  /**
   * What the cluster has as its `network`.
   * @default - it is reached from outside a VPC
   */
  readonly network?: Network;
  /**
   * What applications consist of: the roles may do nothing with other kinds. Of no effect without `addManifest`.
   * @default - common kinds; no custom ones and no RBAC
   */
  readonly kinds?: readonly GrantedKind[];
}

/**
 * Lets an installation into an EKS cluster with the least rights: an access entry for the role that applies and one for
 * the role that checks, each in a Kubernetes group of its own; and, where the cluster can install manifests, the RBAC of
 * these groups. Without it `trueup grant` prints that.
 */
export class ClusterAccess extends Construct {
  constructor(
    scope: Construct,
    id: string,
    { trueup, cluster, network, kinds = commonKinds }: ClusterAccessProps,
  ) {
    super(scope, id);
    const roles = trueup.rolesFor(network);
    for (const name of ['reconcile', 'sweep'] as const) {
      new CfnAccessEntry(this, name, {
        clusterName: cluster.clusterName,
        principalArn: roles[name].roleArn,
        kubernetesGroups: [accessGroups[name]],
      });
    }
    cluster.addManifest?.(`trueup-${this.node.addr}`, ...rbacManifests({ kinds }));
  }
}
