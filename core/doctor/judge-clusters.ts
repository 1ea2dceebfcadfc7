import { judged, type Finding, type Seen } from './finding.ts';

/** An EKS cluster as AWS describes it to whoever asks. */
export interface EksFacts {
  readonly status: string;
  readonly isPublic: boolean;
  /** Ranges that the public endpoint admits. */
  readonly cidrs: readonly string[];
  /** `API`, `API_AND_CONFIG_MAP` or `CONFIG_MAP`. */
  readonly authentication: string;
  /** Roles of ours that have no access entry. */
  readonly shutOut: readonly string[];
}

export interface ClusterFact {
  readonly name: string;
  /** What the last sweep wrote; undefined: none has. */
  readonly check: Seen<
    | {
        readonly secondsAgo: number;
        readonly unreachable?: string;
        readonly targets: number;
        readonly unknown: number;
      }
    | undefined
  >;
  /** As the last sweep noted it, or as EKS says; absent where neither does. */
  readonly version?: string;
  /** Absent of a cluster by kubeconfig. */
  readonly eks?: Seen<EksFacts>;
  /** Kinds that applications want on it and that it does not serve. */
  readonly unserved: Seen<readonly { readonly application: string; readonly kinds: readonly string[] }[]>;
}

/** Oldest minor version whose lists are consistent without a word, and the newest that trueup is tested with. */
const minors = { oldest: 31, newest: 36 } as const;

const late = 3;

/** Clusters that are checked, that can be reached, and that serve what is wanted of them. */
export function judgeClusters(clusters: readonly ClusterFact[], sweepSeconds: number): readonly Finding[] {
  return clusters.flatMap((cluster) => [
    ...judged('clusters', `the checks of cluster ${cluster.name}`, cluster.check, (check) =>
      judgeCheck(cluster.name, check, sweepSeconds),
    ),
    ...(cluster.eks === undefined
      ? []
      : judged('clusters', `EKS cluster ${cluster.name}`, cluster.eks, (eks) =>
          judgeEks(cluster, eks, isReached(cluster)),
        )),
    ...(cluster.version === undefined ? [] : judgeVersion(cluster.name, cluster.version)),
    ...judged('clusters', `what cluster ${cluster.name} serves`, cluster.unserved, (unserved) =>
      unserved.map(({ application, kinds }) => ({
        area: 'clusters' as const,
        level: 'fail' as const,
        what: `application ${application} wants ${kinds.join(', ')}, which cluster ${cluster.name} does not serve`,
        todo: 'install what defines it, or change the version in Git to one that the cluster has',
      })),
    ),
  ]);
}

function isReached({ check }: ClusterFact): boolean {
  return 'seen' in check && check.seen !== undefined && check.seen.unreachable === undefined;
}

type Check = Extract<ClusterFact['check'], { seen: unknown }>['seen'];

function judgeCheck(name: string, check: Check, sweepSeconds: number): readonly Finding[] {
  const finding = (level: Finding['level'], what: string, todo?: string): Finding[] => [
    { area: 'clusters', level, what: `cluster ${name} ${what}`, ...(todo !== undefined && { todo }) },
  ];
  if (check === undefined) {
    return finding('fail', 'was never checked', 'see the queue sweeps and the function sweep, above');
  }
  const { secondsAgo, unreachable, targets, unknown } = check;
  if (unreachable !== undefined) {
    return finding('fail', `cannot be read: ${unreachable}`, 'docs/runbook.md#a-target-is-unknown');
  }
  const ago = `${Math.round(secondsAgo)} s ago`;
  if (secondsAgo > late * sweepSeconds)
    return finding('fail', `was last checked ${ago}`, 'docs/runbook.md#unchecked');
  if (unknown > 0) {
    return finding(
      'warn',
      `was checked ${ago}; ${unknown} of ${targets} targets are Unknown`,
      'see why with `trueup status`',
    );
  }
  return finding('ok', `was checked ${ago}, ${targets} targets`);
}

function judgeEks(
  { name }: ClusterFact,
  { status, isPublic, cidrs, authentication, shutOut }: EksFacts,
  reached: boolean,
): readonly Finding[] {
  const finding = (level: Finding['level'], what: string, todo: string): Finding => ({
    area: 'clusters',
    level,
    what: `cluster ${name} ${what}`,
    todo,
  });
  const found: Finding[] = [];
  if (status !== 'ACTIVE' && status !== 'UPDATING') {
    found.push(finding('fail', `is ${status}`, 'its targets are Unknown until it is ACTIVE'));
  }
  // What is reached is reached, however: functions in its VPC, an address that is admitted.
  if (!reached && !isPublic) {
    const todo = 'run the functions in its VPC (`addCluster` of the construct), or open its public endpoint';
    found.push(
      finding('fail', 'has a private endpoint alone, which functions outside its VPC cannot reach', todo),
    );
  } else if (!reached && !cidrs.includes('0.0.0.0/0')) {
    const todo =
      'functions outside a VPC have no fixed address: run them in its VPC (`addCluster` of the construct), or admit them';
    found.push(finding('fail', `admits only ${cidrs.join(', ')} to its public endpoint`, todo));
  }
  if (authentication === 'CONFIG_MAP') {
    const todo = 'let it take access entries (`aws eks update-cluster-config --access-config`)';
    found.push(finding('warn', 'lets in by its ConfigMap aws-auth alone, which cannot be looked at', todo));
    return found;
  }
  const todo = 'make one: docs/reference/clusters.md';
  return [...found, ...shutOut.map((role) => finding('fail', `has no access entry for ${role}`, todo))];
}

function judgeVersion(name: string, version: string): readonly Finding[] {
  const [, minor] = /^v1\.(\d+)/.exec(version) ?? [];
  const what = `cluster ${name} runs Kubernetes ${version}`;
  const number = Number(minor);
  if (minor === undefined || (number >= minors.oldest && number <= minors.newest))
    return [{ area: 'versions', level: 'ok', what }];
  const todo =
    number < minors.oldest
      ? `trueup is made for 1.${minors.oldest} and newer: upgrade the cluster`
      : `trueup was tested up to 1.${minors.newest}: look for a newer trueup`;
  return [{ area: 'versions', level: 'warn', what, todo }];
}
