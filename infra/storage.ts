import { Duration, Stack, Validations } from 'aws-cdk-lib/core';
import type { RemovalPolicy } from 'aws-cdk-lib/core';
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { PolicyStatementProps } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, CfnBucket, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import type { LifecycleRule } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { prefixes } from '../core/contract/keys.ts';
import type { RecordLock } from '../core/contract/record-lock.ts';
import type { TrueUpFunction } from './trueup-function.ts';

export type Folder = keyof typeof prefixes;

/** Days that objects live. `current`: after the last write, never for `keep`; `old`: after being overwritten. */
const lifetimes: { readonly [F in Folder]: { readonly current: number | 'keep'; readonly old: number } } = {
  deliveries: { current: 30, old: 7 },
  // Other people's commit messages and addresses: only as long as a replay is likely to be asked for.
  bodies: { current: 3, old: 1 },
  repositories: { current: 'keep', old: 90 },
  // Any age: a pointer or a rollback may name it. What nothing points at is found by its own job, never by age.
  snapshots: { current: 'keep', old: 30 },
  desired: { current: 'keep', old: 90 },
  inventory: { current: 'keep', old: 90 },
  // Never by age, since the fencing token in it only ever grows. Renewed every 20 s while a run is at work: old
  // versions are by far the most objects of the bucket.
  leases: { current: 'keep', old: 1 },
  runs: { current: 400, old: 30 },
  drift: { current: 400, old: 30 },
  openDrift: { current: 'keep', old: 30 },
  heals: { current: 30, old: 7 },
  // Written at every sweep.
  checks: { current: 'keep', old: 1 },
  // Of no worth once it is overwritten; without it everything is compared exactly once.
  memory: { current: 'keep', old: 1 },
  // Without it everything is rendered once.
  renders: { current: 'keep', old: 1 },
  // Sealed secrets may be in it: what nobody looks up any more goes.
  facts: { current: 'keep', old: 1 },
  asked: { current: 'keep', old: 1 },
  // Which clusters were found, under which names, and who had one forgotten.
  clusters: { current: 'keep', old: 90 },
  // Who wrote what, for drift that is found later; what nobody found by then the sweeps did.
  audit: { current: 2, old: 1 },
  // Who suspended and promoted what, and why.
  holds: { current: 'keep', old: 400 },
  // Small, and what people took back must not be written again years later.
  images: { current: 'keep', old: 7 },
  // Without it everything is told once more.
  reports: { current: 'keep', old: 1 },
  // Made anew for a pull request that is still open then, when it changes.
  previews: { current: 30, old: 1 },
  // Likewise, of what lasts.
  notices: { current: 'keep', old: 1 },
  // Which commit an environment follows, who promoted it, and why.
  promoted: { current: 'keep', old: 400 },
};

function lifecycleRules(lock: RecordLock | undefined): LifecycleRule[] {
  const perFolder = Object.entries(lifetimes).map(([folder, { current, old }]) => ({
    id: folder,
    prefix: prefixes[folder as Folder],
    noncurrentVersionExpiration: Duration.days(old),
    // What is locked stays listed for as long as it is there.
    ...(current === 'keep'
      ? {}
      : { expiration: Duration.days(isRecord(folder) ? Math.max(current, lock?.days ?? 0) : current) }),
  }));
  const leftovers = {
    id: 'leftovers',
    abortIncompleteMultipartUploadAfter: Duration.days(1),
    expiredObjectDeleteMarker: true,
  };
  return [...perFolder, leftovers];
}

function isRecord(folder: string): boolean {
  return folder === 'runs' || folder === 'drift';
}

export interface StorageProps {
  readonly removalPolicy: RemovalPolicy;
  /** Records of runs and drift are kept under Object Lock. */
  readonly recordLock: RecordLock | undefined;
}

/** Folders that a function may use. */
export interface FolderAccess {
  readonly read?: readonly Folder[];
  /** Reading too: compare-and-set needs the ETag. */
  readonly write?: readonly Folder[];
  /** Never reading: for a function that must not see what others put there. Written without a condition. */
  readonly add?: readonly Folder[];
  readonly delete?: readonly Folder[];
}

/** The bucket of everything that trueup knows, and the KMS key that seals secret values inside snapshots (rule 9). */
export class Storage extends Construct {
  readonly bucket: Bucket;
  readonly sealingKey: Key;
  readonly #locksRecords: boolean;

  constructor(scope: Construct, id: string, { removalPolicy, recordLock }: StorageProps) {
    super(scope, id);
    this.bucket = new Bucket(this, 'Bucket', {
      versioned: true,
      // Not KMS: every GET would cost a KMS request, and secret values are sealed under a key of their own anyway.
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      lifecycleRules: lifecycleRules(recordLock),
      removalPolicy,
    });
    this.#locksRecords = recordLock !== undefined;
    if (this.#locksRecords) this.#enableObjectLock();
    Validations.of(this.bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'Only our functions read it, each by a role of its own; versions tell what was written when. CloudTrail data events are the way to audit reads, by choice of the account, since access logs need a second bucket.',
    });
    this.sealingKey = new Key(this, 'SealingKey', {
      description: 'Wraps the data keys of secret values in trueup snapshots',
      enableKeyRotation: true,
      removalPolicy,
    });
  }

  /**
   * No default retention: it would hold leases and memories too. And not `objectLockEnabled`, the property beside it:
   * to change that one, CloudFormation makes a new bucket, and an installation would start with nothing.
   */
  #enableObjectLock(): void {
    this.#cfnBucket().objectLockConfiguration = { objectLockEnabled: 'Enabled' };
  }

  #cfnBucket(): CfnBucket {
    const bucket = this.bucket.node.defaultChild;
    if (!CfnBucket.isCfnBucket(bucket)) throw new Error('the bucket has no CfnBucket');
    return bucket;
  }

  /** Object permissions by folder, and the bucket's name in the environment. */
  grant(to: TrueUpFunction, access: FolderAccess): void {
    const { read = [], write = [], add = [], delete: remove = [] } = access;
    this.#allow(to, 's3:GetObject', [...read, ...write]);
    this.#allow(to, 's3:PutObject', [...write, ...add]);
    if (this.#locksRecords) this.#allow(to, 's3:PutObjectRetention', [...write, ...add].filter(isRecord));
    this.#allow(to, 's3:DeleteObject', remove);
    to.allow(this.#listing([...read, ...write]));
    to.set('bucket', this.bucket.bucketName);
  }

  #allow(to: TrueUpFunction, action: string, folders: readonly Folder[]): void {
    if (folders.length === 0) return;
    const resources = folders.map((folder) => this.bucket.arnForObjects(`${prefixes[folder]}*`));
    to.allow(new PolicyStatement({ effect: Effect.ALLOW, actions: [action], resources }));
    const name = Stack.of(this).getLogicalId(this.#cfnBucket());
    for (const folder of folders) {
      Validations.of(to).acknowledge({
        id: `AwsSolutions-IAM5[Resource::<${name}.Arn>/${prefixes[folder]}*]`,
        reason: `Keys below ${prefixes[folder]} are made at run time; the function may use this folder and no other that is not named here.`,
      });
    }
  }

  /**
   * S3 answers 403 instead of 404 for an absent key without s3:ListBucket. IfExists, because a GetObject carries no
   * prefix and a plain condition would deny it; the price is that names (never contents) can be listed without one.
   */
  #listing(folders: readonly Folder[]): PolicyStatement {
    return new PolicyStatement({
      actions: ['s3:ListBucket'],
      resources: [this.bucket.bucketArn],
      conditions: { StringLikeIfExists: { 's3:prefix': folders.map((folder) => `${prefixes[folder]}*`) } },
    });
  }

  /** May make new data keys for sealing; opening them is granted apart. */
  grantSeal(to: TrueUpFunction): void {
    this.#grantKey(to, 'kms:GenerateDataKey');
  }

  grantUnseal(to: TrueUpFunction): void {
    this.#grantKey(to, 'kms:Decrypt');
  }

  /** What charts look up, and neither snapshots nor anything else that is sealed. */
  grantUnsealLookups(to: TrueUpFunction): void {
    this.#grantKey(to, 'kms:Decrypt', { StringEquals: { 'kms:EncryptionContext:trueup:purpose': 'lookup' } });
  }

  #grantKey(to: TrueUpFunction, action: string, conditions?: PolicyStatementProps['conditions']): void {
    const statement = { actions: [action], resources: [this.sealingKey.keyArn] };
    to.allow(new PolicyStatement({ ...statement, ...(conditions && { conditions }) }));
    to.set('sealingKey', this.sealingKey.keyArn);
  }
}
