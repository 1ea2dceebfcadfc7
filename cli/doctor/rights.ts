import type { Right } from '../../adapters/role-rights.ts';
import { placeOf } from '../../core/contract/cluster-access.ts';
import { prefixes } from '../../core/contract/keys.ts';
import type { DoctorWorld } from './world.ts';

/**
 * What a function cannot do without, one resource of each kind: enough to see a policy that somebody took away, a boundary
 * or a policy of the organization. The whole list is in the template.
 */
export function rightsOf(name: string, world: DoctorWorld): readonly Right[] {
  const { output, greeting, region } = world;
  const [, partition = 'aws'] = greeting.arn.split(':');
  const arn = (service: string, resource: string, where = region): string =>
    `arn:${partition}:${service}:${where}:${greeting.account}:${resource}`;
  const object = (action: 'GetObject' | 'PutObject', folder: keyof typeof prefixes): Right => ({
    action: `s3:${action}`,
    resource: `arn:${partition}:s3:::${output('bucket')}/${prefixes[folder]}doctor`,
  });
  const publish: Right = {
    action: 'events:PutEvents',
    resource: arn('events', `event-bus/${output('bus')}`),
  };
  const send = (queue: 'runQueue' | 'sweepQueue'): Right => ({
    action: 'sqs:SendMessage',
    resource: arn('sqs', output(queue).slice(output(queue).lastIndexOf('/') + 1)),
  });
  // What is in a network its own functions enter.
  const outside = world.config.clusters.filter(({ network }) => network === undefined);
  const enter = outside.map(({ access }): Right => {
    if (access.type === 'kubeconfig') {
      const resource = arn('secretsmanager', `secret:${access.secret}-AbCdEf`);
      return { action: 'secretsmanager:GetSecretValue', resource };
    }
    if (access.roleArn !== undefined) return { action: 'sts:AssumeRole', resource: access.roleArn };
    const place = placeOf(access);
    return {
      action: 'eks:DescribeCluster',
      resource: arn('eks', `cluster/${place.name}`, place.region ?? region),
    };
  });
  const rights: Readonly<Record<string, readonly Right[]>> = {
    webhook: [object('PutObject', 'deliveries'), publish],
    intake: [object('PutObject', 'deliveries'), publish],
    snapshot: [object('PutObject', 'snapshots'), object('PutObject', 'desired'), publish, send('runQueue')],
    reconcile: [
      object('GetObject', 'snapshots'),
      object('PutObject', 'inventory'),
      object('PutObject', 'runs'),
      publish,

      ...enter,
    ],
    sweep: [
      object('GetObject', 'inventory'),
      object('GetObject', 'repositories'),
      object('PutObject', 'checks'),
      publish,
      send('sweepQueue'),

      ...enter,
    ],
  };
  return rights[name] ?? [];
}
