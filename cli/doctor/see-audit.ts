import { logSubscriptions } from '../../adapters/log-subscriptions.ts';
import { auditLogGroup } from '../../core/contract/audit.ts';
import { placeOf } from '../../core/contract/cluster-access.ts';
import type { AuditFact } from '../../core/doctor/judge-audit.ts';
import { look } from './look.ts';
import type { DoctorWorld } from './world.ts';

/** Log groups of the clusters whose audit log is to be followed, and who hears of each. */
export async function seeAudit({ config, resources }: DoctorWorld): Promise<readonly AuditFact[]> {
  const functionName = resources.find(
    ({ type, logicalId }) => type === 'AWS::Lambda::Function' && /AuditFunction[0-9A-F]{8}$/.test(logicalId),
  )?.physicalId;
  const names = config.clusters.flatMap(({ access, audit }) =>
    audit === true && access.type === 'eks' ? [placeOf(access).name] : [],
  );
  return Promise.all(
    names.map(async (eksName) => ({
      eksName,
      functionName,
      subscriptions: await look(async () => logSubscriptions(auditLogGroup(eksName))),
    })),
  );
}
