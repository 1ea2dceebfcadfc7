import { judged, type Finding, type Seen } from './finding.ts';

export interface VersionFacts {
  /** Of this command, and of the Node that it runs on. */
  readonly tool: string;
  readonly node: string;
  /** What the newest snapshots say they were made with, such as kubectl and helm; undefined: there is none. */
  readonly rendered: Seen<Readonly<Record<string, string>> | undefined>;
}

/** Whether this command and the functions are of one version, and what renders. */
export function judgeVersions({ tool, node, rendered }: VersionFacts): readonly Finding[] {
  const own: Finding = {
    area: 'versions',
    level: 'ok',
    what: `this command: trueup ${tool} on Node ${node}`,
  };
  return [
    own,
    ...judged('versions', 'what rendered the newest snapshot', rendered, (versions): Finding[] => {
      if (versions === undefined) return [];
      const { trueup, ...others } = versions;
      const tools = Object.entries(others).map(([name, version]) => `${name} ${version}`);
      const what = `the newest snapshot: ${[`trueup ${trueup ?? '?'}`, ...tools].join(', ')}`;
      if (trueup === undefined || trueup === tool) return [{ area: 'versions', level: 'ok', what }];
      const todo = 'use the version that is deployed, or deploy this one';
      return [{ area: 'versions', level: 'warn', what, todo }];
    }),
  ];
}
