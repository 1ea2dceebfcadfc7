/** Environment variables that the stack sets and the functions read, each in one place. */
export const environment = {
  bucket: 'TRUEUP_BUCKET',
  bus: 'TRUEUP_BUS',
  /** `bucket/key` of the stack configuration, a JSON asset. */
  config: 'TRUEUP_CONFIG',
  fleet: 'TRUEUP_FLEET',
  /** FIFO queue of run requests, a message group per target. */
  runQueue: 'TRUEUP_RUN_QUEUE_URL',
  /** Standard queue of delayed run requests: health looked at again, retries. */
  laterQueue: 'TRUEUP_LATER_QUEUE_URL',
  /** Standard queue of PushReceived events and poll requests. */
  pushQueue: 'TRUEUP_PUSH_QUEUE_URL',
  /** Standard queue of sweep requests, a message per cluster. */
  sweepQueue: 'TRUEUP_SWEEP_QUEUE_URL',
  /** Standard queue of what previews of pull requests ask clusters. */
  questionQueue: 'TRUEUP_QUESTION_QUEUE_URL',
  /** Standard queue of the function that previews pull requests. */
  previewQueue: 'TRUEUP_PREVIEW_QUEUE_URL',
  /** Standard queue of what was heard that people may have to be told of. */
  noticeQueue: 'TRUEUP_NOTICE_QUEUE_URL',
  /** FIFO queue of messages to channels, a message group for each. */
  sendQueue: 'TRUEUP_SEND_QUEUE_URL',
  /** ARN of the topic of a channel of type `email` is `${prefix}${channel}`. */
  emailTopicPrefix: 'TRUEUP_EMAIL_TOPIC_PREFIX',
  /** Which network a function is in, or how it reaches those that are in one: JSON, as `adapters/networks.ts` reads it. */
  networks: 'TRUEUP_NETWORKS',
  /** Secret name of the webhook HMAC key per provider is `${prefix}/${provider}`. */
  hookSecretPrefix: 'TRUEUP_HOOK_SECRET_PREFIX',
  /** Secret that keys the digests of secret values. */
  digestKeySecret: 'TRUEUP_DIGEST_KEY_SECRET',
  /** KMS key that wraps the data keys of sealed snapshots. */
  sealingKey: 'TRUEUP_SEALING_KEY_ID',
} as const;

/** Names of the stack's outputs, which the command line and the demo read. */
export const outputs = {
  hookUrl: 'HookUrl',
  bucket: 'BucketName',
  bus: 'BusName',
  config: 'ConfigLocation',
  runQueue: 'RunQueueUrl',
  sweepQueue: 'SweepQueueUrl',
  alarmTopic: 'AlarmTopicArn',
  hookSecretPrefix: 'HookSecretPrefix',
  digestKeySecret: 'DigestKeySecretName',
  sealingKey: 'SealingKeyId',
  fleet: 'Fleet',
  dashboard: 'DashboardName',
  /** Roles to be let into a cluster, by an EKS access entry each: the first writes, the second checks. */
  reconcileRole: 'ReconcileRoleArn',
  sweepRole: 'SweepRoleArn',
} as const;

/** CloudFormation stack of an installation. */
export function stackName(fleet: string): string {
  return `trueup-${fleet}`;
}
