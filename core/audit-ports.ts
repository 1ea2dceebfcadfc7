import type { AuditWrite } from './model/audit.ts';
import type { Target } from './model/target.ts';

/** What the audit log of a cluster's API server says; it may be late, and it may be cut off. */
export interface AuditTrail {
  /**
   * Writes between two times (milliseconds since the epoch), in any order; those of controllers and ours left out. At least
   * those to objects of `target`.
   */
  writes(since: number, until: number, target: Target): AsyncIterable<AuditWrite>;
}
