import { judged, type Finding, type Seen } from './finding.ts';

/**
 * Whether the bucket can lock records, where the configuration has them locked; undefined where it does not. A bucket that
 * cannot refuses every record, and with its record each run.
 */
export function judgeLock(canLock: Seen<boolean> | undefined): readonly Finding[] {
  if (canLock === undefined) return [];
  return judged('records', 'the lock of the bucket', canLock, (isEnabled): Finding[] => [
    isEnabled
      ? { area: 'records', level: 'ok', what: 'the bucket locks records, as recordLock says' }
      : {
          area: 'records',
          level: 'fail',
          what: 'records are to be locked, and Object Lock is not enabled on the bucket: every run fails',
          todo: 'enable it with `aws s3api put-object-lock-configuration --object-lock-configuration ObjectLockEnabled=Enabled --bucket` and the output BucketName, or take recordLock out and deploy',
        },
  ]);
}
