import { alarmStates, subscriptionsOf } from '../../adapters/alarm-state.ts';
import { FunctionStates } from '../../adapters/function-state.ts';
import { ObjectVersions } from '../../adapters/object-versions.ts';
import { QueueStates } from '../../adapters/queue-state.ts';
import { RoleRights } from '../../adapters/role-rights.ts';
import type { DoctorFacts } from '../../core/doctor.ts';
import type { AlarmFacts } from '../../core/doctor/judge-alarms.ts';
import type { FunctionFact } from '../../core/doctor/judge-functions.ts';
import type { QueueFact } from '../../core/doctor/judge-queues.ts';
import { s3Client } from '../session.ts';
import { partName } from '../stack-part.ts';
import { look } from './look.ts';
import { rightsOf } from './rights.ts';
import type { DoctorWorld } from './world.ts';

/** Functions of the stack: how they stand, who feeds them, what their roles may. */
export async function seeFunctions(world: DoctorWorld): Promise<readonly FunctionFact[]> {
  const states = new FunctionStates();
  const roles = new RoleRights();
  const ours = partsOf(world, 'AWS::Lambda::Function', 'Function');
  return Promise.all(
    ours.map(async ({ name, physicalId }): Promise<FunctionFact> => {
      const configuration = await look(async () => states.state(physicalId));
      const rights = await look(async () => {
        if ('unseen' in configuration) throw new Error(configuration.unseen);
        const { roleArn } = configuration.seen;
        return Promise.all(
          rightsOf(name, world).map(async (right) => ({
            ...right,
            isAllowed: await roles.isAllowed(roleArn, right),
          })),
        );
      });
      return { name, configuration, sources: await look(async () => states.sources(physicalId)), rights };
    }),
  );
}

/** What the account and the bucket allow. */
export async function seeAccount({
  config,
  output,
}: DoctorWorld): Promise<Pick<DoctorFacts, 'unreserved' | 'canLock'>> {
  const versions = new ObjectVersions(output('bucket'), await s3Client());
  const [unreserved, canLock] = await Promise.all([
    look(async () => new FunctionStates().unreserved()),
    config.recordLock === undefined ? undefined : look(async () => versions.canLock()),
  ]);
  return { unreserved, canLock };
}

/** Queues of the stack, and their dead-letter queues. */
export async function seeQueues(world: DoctorWorld): Promise<readonly QueueFact[]> {
  const states = new QueueStates(world.clock);
  const all = [
    ...partsOf(world, 'AWS::SQS::Queue', 'Queue').map((queue) => ({ ...queue, isDeadLetters: false })),
    ...partsOf(world, 'AWS::SQS::Queue', 'DeadLetters').map((queue) => ({ ...queue, isDeadLetters: true })),
  ];
  return Promise.all(
    all.map(async ({ name, physicalId, isDeadLetters }): Promise<QueueFact> => ({
      name,
      isDeadLetters,
      depth: await look(async () => states.depth(physicalId)),
      oldestSeconds: isDeadLetters
        ? { seen: undefined }
        : await look(async () => states.oldestSeconds(physicalId)),
    })),
  );
}

/** Alarms of the fleet, and who hears them. */
export async function seeAlarms({ config, output }: DoctorWorld): Promise<AlarmFacts> {
  const [alarms, subscriptions] = await Promise.all([
    look(async () => alarmStates(`trueup-${config.fleet}-`)),
    look(async () => subscriptionsOf(output('alarmTopic'))),
  ]);
  return { alarms, subscriptions };
}

/** Resources of a type by the name of their part, those of networks, of the audit path and of options too. */
function partsOf(
  { resources, config }: DoctorWorld,
  type: string,
  kind: Parameters<typeof partName>[1],
): readonly { readonly name: string; readonly physicalId: string }[] {
  const networks = config.clusters.flatMap(({ network }) => network ?? []);
  return resources
    .filter((resource) => resource.type === type)
    .flatMap(({ logicalId, physicalId }) => {
      const name = partName(logicalId, kind, networks);
      return name === undefined ? [] : [{ name, physicalId }];
    });
}
