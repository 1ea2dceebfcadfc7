import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { alarmName } from '../../core/contract/alarms.ts';
import type { SweepRequest } from '../../core/contract/events.ts';
import type { DriftRecord } from '../../core/model/drift.ts';
import { describeRef } from '../../core/model/object.ts';
import { targetKey, type Target } from '../../core/model/target.ts';
import { openAlarmInbox } from './alarm-inbox.ts';
import type { Keyed } from './records.ts';
import { targetsOf, trueup, type Stage } from './stage.ts';
import { until } from './until.ts';

/** What the schedule sends once a minute, sent now so that nobody waits. */
export async function sweepNow({ installation: { clients, output }, cluster }: Stage): Promise<void> {
  const request: SweepRequest = { version: 1, scope: 'cluster', cluster, requestedBy: 'demo' };
  await new SQSClient(clients).send(
    new SendMessageCommand({ QueueUrl: output('sweepQueue'), MessageBody: JSON.stringify(request) }),
  );
}

function show(value: unknown): string {
  return value === undefined ? '(none)' : JSON.stringify(value);
}

/** The newest episode of a target that has come to `state`. Asks for sweeps until it has. */
async function watchEpisode(
  { records }: Stage,
  target: Target,
  state: DriftRecord['state'],
): Promise<Keyed<DriftRecord>> {
  return until(`drift of ${targetKey(target)} ${state}`, async () =>
    (await records.drifts(target)).findLast(({ value }) => value.state === state),
  );
}

function tellEpisode({ narrator }: Stage, { key, value }: Keyed<DriftRecord>): void {
  narrator.step('drift recorded', undefined, `${targetKey(value.target)}: ${describeRef(value.drift.ref)}`);
  for (const field of value.drift.fields) {
    narrator.say(`             ${field.path}`);
    narrator.say(`               desired ${show(field.desired)}, live ${show(field.live)}`);
    narrator.say(
      `               ${field.class} by ${field.manager ?? 'nobody'} (${field.operation ?? '-'}) at ${field.at ?? '-'}`,
    );
  }
  narrator.say(`             record s3://…/${key}`);
}

/** Two edits by hand: one is healed and one only reported, and the people on call hear of it. */
export async function driftChapter(stage: Stage): Promise<void> {
  const { narrator, kubectl, cluster, installation } = stage;
  const { healed, observed } = targetsOf(cluster);
  const inbox = await openAlarmInbox(installation);
  const alarm = alarmName(installation.fleet, 'drift');

  narrator.chapter('Somebody edits production by hand');
  await kubectl('s/nginx:1.29.2/nginx:1.27.0/', 'edit', 'deployment/web', '--namespace', 'storefront');
  narrator.say('kubectl edit deployment/web: image nginx:1.29.2 → nginx:1.27.0 (storefront, drift: heal)');
  await kubectl('set', 'env', 'deployment/api', 'LOG_LEVEL=debug', '--namespace', 'payments');
  narrator.say('kubectl set env deployment/api LOG_LEVEL=debug (payments, drift: observe)');
  await sweepNow(stage);
  narrator.say('asked for a sweep; the schedule would have come within a minute');

  tellEpisode(stage, await watchEpisode(stage, observed, 'open'));
  const mended = await watchEpisode(stage, healed, 'healed');
  tellEpisode(stage, mended);
  const raised = await inbox.notice(alarm, 'ALARM', 180);
  narrator.step(
    'alarm',
    undefined,
    `${alarm} is ALARM; SNS: ${raised.AlarmDescription ?? raised.NewStateReason}`,
  );
  const image = await kubectl(
    'get',
    'deployment/web',
    '--namespace',
    'storefront',
    '--output',
    'jsonpath={..image}',
  );
  if (image !== 'nginx:1.29.2')
    throw new Error(`storefront was recorded as healed, but its image is ${image}`);
  narrator.step(
    'healed',
    undefined,
    `${targetKey(healed)}: image is ${image}, ${mended.value.secondsToHeal ?? '?'} s after it was found`,
  );

  const still = await kubectl(
    'get',
    'deployment/api',
    '--namespace',
    'payments',
    '--output',
    'jsonpath={..env[0].value}',
  );
  if (still !== 'debug')
    throw new Error(`payments is only observed, but its LOG_LEVEL was changed to ${still}`);
  narrator.step('left alone', undefined, `${targetKey(observed)}: LOG_LEVEL is still ${still}`);
  const told = await trueup(installation, 'sync', '--app', observed.application, '--wait');
  narrator.say(`trueup sync --app ${observed.application} --wait: a person decides. ${told}`);
  const closed = await watchEpisode(stage, observed, 'healed');
  narrator.step('episode closed', undefined, `${targetKey(observed)}: ${closed.value.state}`);
  await inbox.notice(alarm, 'OK', 240);
  narrator.step('alarm over', undefined, `${alarm} is OK`);
}
