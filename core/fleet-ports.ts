import type { Discovery } from './contract/discovery.ts';

/** An EKS cluster as AWS describes it. */
export interface EksCluster {
  readonly name: string;
  readonly arn: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly version?: string;
  readonly status?: string;
}

/** All EKS clusters of an account and region. */
export interface EksListing {
  readonly clusters: readonly EksCluster[];
  /** Those that are there and could not be described: by name, the first reason. */
  readonly unread: { readonly names: readonly string[]; readonly reason: string } | undefined;
}

export interface ClusterFinder {
  /** Throws Retry and Blocked where the account cannot be entered or does not list what it has. */
  list(where: Pick<Discovery, 'region' | 'roleArn' | 'externalId'>): Promise<EksListing>;
}
