import type { Construct } from 'constructs';
import type { Alarms } from './alarms.ts';
import { DashboardSite } from './dashboard-site.ts';
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
import { isWanted } from './wanted-functions.ts';

interface OptionsProps extends GitPackaging {
  readonly world: TargetWorld;
  readonly queues: Queues;
  readonly alarms: Alarms;
  readonly functions: Pick<Functions, 'snapshot'>;
  readonly hookConcurrency: number | undefined;
  /** Folder of the built dashboard; asked for where there is to be one. */
  readonly site: () => string;
}

/** What an installation has only where its configuration asks for it: nobody pays for what nobody uses. */
export function addOptions(
  scope: Construct,
  { world, bundles, snapshotPackaging, queues, alarms, functions, hookConcurrency, site }: OptionsProps,
): void {
  const { config } = world;
  if (isWanted('images', config)) {
    const images = new Images(scope, 'Images', { ...world, bundles, snapshotPackaging, queues });
    alarms.watchBacklog(images.work);
    alarms.watchDeadLetters(images.work);
  }
  if (isWanted('preview', config)) {
    const preview = new Preview(scope, 'Preview', { ...world, bundles, snapshotPackaging, queues });
    alarms.watchBacklog(preview.work);
    alarms.watchDeadLetters(preview.work);
  }
  if (config.repositories.some(({ environments }) => environments !== undefined)) {
    new Environments(scope, 'Environments', { ...world, queues, snapshot: functions.snapshot });
  }
  if (isWanted('report', config)) {
    const report = new Report(scope, 'Report', { ...world, queues });
    alarms.watchBacklog(report.work);
    alarms.watchDeadLetters(report.work);
  }
  if (isWanted('revert', config)) {
    const revert = new Revert(scope, 'Revert', { ...world, bundles, snapshotPackaging, queues });
    alarms.watchBacklog(revert.work);
    alarms.watchDeadLetters(revert.work);
  }
  if (isWanted('promotion', config)) {
    const promotion = new Promotion(scope, 'Promotion', { ...world, bundles, snapshotPackaging, queues });
    alarms.watchBacklog(promotion.work);
    alarms.watchDeadLetters(promotion.work);
  }
  if (config.dashboard !== undefined) {
    const { dashboard } = config;
    const concurrency = hookConcurrency;
    const made = new DashboardSite(scope, 'DashboardSite', {
      ...world,
      dashboard,
      queues,
      site: site(),
      concurrency,
    });
    alarms.watchDashboard(made.function);
  }
  if (config.notifications !== undefined) {
    const { notifications } = config;
    const alarmTopic = alarms.topic;
    const notices = new Notices(scope, 'Notices', { ...world, notifications, alarmTopic, queues });
    alarms.watchBacklog(notices.work);
    alarms.watchDeadLetters(notices.work);
  }
}
