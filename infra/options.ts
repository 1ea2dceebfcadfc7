import type { Construct } from 'constructs';
import type { Alarms } from './alarms.ts';
import { Environments } from './environments.ts';
import { Images } from './images.ts';
import { Notices } from './notices.ts';
import { Preview } from './preview.ts';
import { Promotion } from './promotion.ts';
import { Report } from './report.ts';
import { Revert } from './revert.ts';
import type { Functions } from './functions.ts';
import type { GitPackaging } from './function-code.ts';
import type { Queues } from './queues.ts';
import type { TargetWorld } from './target-functions.ts';

interface OptionsProps extends GitPackaging {
  readonly world: TargetWorld;
  readonly queues: Queues;
  readonly alarms: Alarms;
  readonly functions: Pick<Functions, 'snapshot'>;
}

/** What an installation has only where its configuration asks for it: nobody pays for what nobody uses. */
export function addOptions(
  scope: Construct,
  { world, bundles, snapshotPackaging, queues, alarms, functions }: OptionsProps,
): void {
  const { config } = world;
  if (config.repositories.some(({ images }) => images !== undefined)) {
    const images = new Images(scope, 'Images', { ...world, bundles, snapshotPackaging, queues });
    alarms.watchBacklog(images.work);
    alarms.watchDeadLetters(images.work);
  }
  if (config.repositories.some(({ preview }) => preview !== undefined)) {
    const preview = new Preview(scope, 'Preview', { ...world, bundles, snapshotPackaging, queues });
    alarms.watchBacklog(preview.work);
    alarms.watchDeadLetters(preview.work);
  }
  if (config.repositories.some(({ environments }) => environments !== undefined)) {
    new Environments(scope, 'Environments', { ...world, queues, snapshot: functions.snapshot });
  }
  if (config.repositories.some(({ status }) => status !== undefined)) {
    const report = new Report(scope, 'Report', { ...world, queues });
    alarms.watchBacklog(report.work);
    alarms.watchDeadLetters(report.work);
  }
  if (config.repositories.some(({ reverts }) => reverts !== undefined)) {
    const revert = new Revert(scope, 'Revert', { ...world, bundles, snapshotPackaging, queues });
    alarms.watchBacklog(revert.work);
    alarms.watchDeadLetters(revert.work);
  }
  if (config.repositories.some(({ promotion }) => promotion !== undefined)) {
    const promotion = new Promotion(scope, 'Promotion', { ...world, queues });
    alarms.watchBacklog(promotion.work);
    alarms.watchDeadLetters(promotion.work);
  }
  if (config.notifications !== undefined) {
    const { notifications } = config;
    const alarmTopic = alarms.topic;
    const notices = new Notices(scope, 'Notices', { ...world, notifications, alarmTopic, queues });
    alarms.watchBacklog(notices.work);
    alarms.watchDeadLetters(notices.work);
  }
}
