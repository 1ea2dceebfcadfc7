import type { Target } from '../model/target.ts';

/** Top-level folders of the bucket; lifecycle rules and IAM statements are written in these terms. */
export const prefixes = {
  deliveries: 'deliveries/',
  bodies: 'bodies/',
  repositories: 'repositories/',
  snapshots: 'snapshots/',
  desired: 'desired/',
  inventory: 'inventory/',
  leases: 'leases/',
  runs: 'runs/',
  drift: 'drift/',
  openDrift: 'open-drift/',
  heals: 'heals/',
  checks: 'checks/',
  memory: 'memory/',
  renders: 'renders/',
  facts: 'facts/',
  asked: 'asked/',
  audit: 'audit/',
  clusters: 'clusters/',
  holds: 'holds/',
  images: 'images/',
  reports: 'reports/',
  previews: 'previews/',
  notices: 'notices/',
  promoted: 'promoted/',
} as const;

/** Day partition that Athena reads without a crawler: `date=2026-11-23`. */
function partition(at: string): string {
  return `date=${at.slice(0, 10)}`;
}

function pathOf(target: Target): string {
  return `${target.cluster}/${target.application}`;
}

/** Every S3 key, spelled once. `at` is ISO 8601 in UTC; digests look like `sha256:…`. */
export const keys = {
  /** Of a store that a command line made: in which format its documents are. */
  format: 'store.json',
  /** Likewise: which cluster its records of that name are of. */
  identity: (cluster: string) => `identity/${cluster}.json`,
  delivery: (provider: string, id: string) => `${prefixes.deliveries}${provider}/id/${id}.json`,
  deliveryBody: (provider: string, bodyDigest: string) =>
    `${prefixes.deliveries}${provider}/body/${bodyDigest.replace(':', '-')}.json`,
  /** Sorts by time of arrival, so that a listing is a history; the delivery itself is in its own record. */
  deliveryLog: (provider: string, receivedAt: string, id: string) =>
    `${prefixes.deliveries}log/${partition(receivedAt)}/${receivedAt}_${provider}_${id}`,
  body: (provider: string, bodyDigest: string) =>
    `${prefixes.bodies}${provider}/${bodyDigest.replace(':', '-')}.json.gz`,
  repository: (name: string, ref: string) =>
    `${prefixes.repositories}${name}/${encodeURIComponent(ref)}.json`,
  /** No ref has that name. */
  readers: (name: string) => `${prefixes.repositories}${name}/readers.json`,
  /** Likewise: preview environments of its pull requests. */
  environments: (name: string) => `${prefixes.repositories}${name}/environments.json`,
  snapshot: (application: string, digest: string) =>
    `${prefixes.snapshots}${application}/${digest.replace(':', '-')}.json.gz`,
  desired: (target: Target) => `${prefixes.desired}${pathOf(target)}.json`,
  desiredOfCluster: (cluster: string) => `${prefixes.desired}${cluster}/`,
  inventory: (target: Target) => `${prefixes.inventory}${pathOf(target)}.json`,
  lease: (target: Target) => `${prefixes.leases}${pathOf(target)}.json`,
  /** Run ids sort by start time, so that a listing is a history. */
  run: (target: Target, startedAt: string, id: string) =>
    `${prefixes.runs}${partition(startedAt)}/${pathOf(target)}/${id}.json`,
  drift: (target: Target, openedAt: string, id: string) =>
    `${prefixes.drift}${partition(openedAt)}/${pathOf(target)}/${id}.json`,
  driftOfDay: (target: Target, at: string) => `${prefixes.drift}${partition(at)}/${pathOf(target)}/`,
  openDrift: (target: Target) => `${prefixes.openDrift}${pathOf(target)}.json`,
  heals: (target: Target) => `${prefixes.heals}${pathOf(target)}.json`,
  /** Of each target of whose objects the audit log told. */
  audit: (target: Target) => `${prefixes.audit}${pathOf(target)}.json.gz`,
  check: (cluster: string) => `${prefixes.checks}${cluster}.json`,
  memory: (cluster: string) => `${prefixes.memory}${cluster}.json.gz`,
  renders: (repository: string, ref: string) =>
    `${prefixes.renders}${repository}/${encodeURIComponent(ref)}.json.gz`,
  pointers: (repository: string, ref: string) =>
    `${prefixes.renders}${repository}/${encodeURIComponent(ref)}.pointers.json.gz`,
  facts: (cluster: string) => `${prefixes.facts}${cluster}.json.gz`,
  /** Of each repository that has such an application: who may not have it must not touch the record of who does. */
  lookups: (target: Target, repository: string) => `${prefixes.facts}${pathOf(target)}/${repository}.json.gz`,
  lookupsOfCluster: (cluster: string) => `${prefixes.facts}${cluster}/`,
  asked: (cluster: string, repository: string, ref: string) =>
    `${prefixes.asked}${cluster}/${repository}/${encodeURIComponent(ref)}.json.gz`,
  /** Which clusters were found: one document for the installation. */
  clusterRegistry: `${prefixes.clusters}registry.json`,
  /** What was written of images into a repository. */
  images: (repository: string) => `${prefixes.images}${repository}.json`,
  /** Tags that its registries had when they were asked last. */
  imageTags: (repository: string) => `${prefixes.images}${repository}.tags.json.gz`,
  /** What the Git host was told of the commits of a repository. */
  report: (repository: string) => `${prefixes.reports}${repository}.json.gz`,
  /** Of what people were told: one document for the installation. */
  notices: `${prefixes.notices}memory.json.gz`,
  /** What was said to a pull request last. */
  preview: (repository: string, id: string) => `${prefixes.previews}${repository}/${id}.json.gz`,
  /** What a cluster is asked about one head of it, and what it answered. */
  previewQuestion: (repository: string, id: string, head: string, cluster: string) =>
    `${prefixes.previews}${repository}/${id}/${head}/${cluster}.question.json.gz`,
  previewAnswer: (repository: string, id: string, head: string, cluster: string) =>
    `${prefixes.previews}${repository}/${id}/${head}/${cluster}.answer.json.gz`,
  /** Folder of renders and snapshots that only this pull request has. */
  previewKept: (repository: string, id: string) => `${prefixes.previews}${repository}/${id}/kept/`,
  /** What is suspended: one document for the installation. */
  suspensions: `${prefixes.holds}suspensions.json`,
  /** Stages of an application's rollout that a person promoted. */
  promotions: (application: string) => `${prefixes.holds}promotions/${application}.json`,
  /** What was promoted to an environment, by the name of its repository. */
  promoted: (repository: string) => `${prefixes.promoted}${repository}.json`,
  askedOfCluster: (cluster: string) => `${prefixes.asked}${cluster}/`,
} as const;
