import {
  CloudWatchLogsClient,
  paginateDescribeLogGroups,
  paginateFilterLogEvents,
} from '@aws-sdk/client-cloudwatch-logs';
import type { Installation } from './installation.ts';

const refused = /AWS refused [^"]*/;

/**
 * What AWS refused the functions of an installation, each once. A refusal ends as a line in a log, and as something that is
 * silently not done: the roles of the template must allow whatever a test has functions do.
 */
export async function refusals({
  clients,
  stack,
}: Pick<Installation, 'clients' | 'stack'>): Promise<readonly string[]> {
  const client = new CloudWatchLogsClient(clients);
  const told = new Set<string>();
  for await (const { logGroups = [] } of paginateDescribeLogGroups({ client }, {})) {
    for (const { logGroupName = '' } of logGroups.filter((one) => one.logGroupName?.includes(`/${stack}/`))) {
      const [, name] = /\/([^/]*?)Log[0-9A-F]{8}/.exec(logGroupName) ?? [];
      for await (const { events = [] } of paginateFilterLogEvents({ client }, { logGroupName })) {
        for (const { message = '' } of events) {
          const [words] = refused.exec(message) ?? [];
          const [, what] = /"error":"([^"]*?): AWS refused/.exec(message) ?? [];
          if (words !== undefined) told.add(`${name}: ${what ?? ''}: ${words}`);
        }
      }
    }
  }
  client.destroy();
  return [...told];
}
