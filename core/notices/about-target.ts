import { defaultProject } from '../contract/projects.ts';
import type { DesiredPointer } from '../model/desired.ts';
import type { StackConfig } from '../contract/config.ts';
import type { News } from '../model/notice.ts';
import type { Target } from '../model/target.ts';
import { commitLink, dashboardLink, type Place } from '../notify/links.ts';
import type { Store } from '../ports.ts';
import { scrub } from '../model/scrub.ts';

/** What reading how a subject stands takes. */
export interface ReadDeps {
  readonly store: Store;
  readonly config: Pick<StackConfig, 'repositories'>;
  readonly place: Place;
}

/** What all news of a target share. */
export type AboutTarget = Pick<News, 'scope' | 'subject' | 'links' | 'commit'> & {
  readonly target: Target;
  readonly project: string;
  /** Of a preview environment: nobody is woken for it. */
  readonly isPassing: boolean;
  readonly place: Place;
};

export function aboutTarget(pointer: DesiredPointer, { config, place }: ReadDeps): AboutTarget {
  const { target, settings, commit, repository } = pointer;
  const configured = config.repositories.find(({ name }) => name === repository);
  const project = settings.project ?? configured?.project ?? defaultProject;
  const { sha, subject, author } = commit;
  const link = configured === undefined ? undefined : commitLink(configured, sha);
  return {
    target,
    project,
    scope: { applications: [target.application], clusters: [target.cluster], projects: [project] },
    subject: `${target.application} on ${target.cluster}`,
    commit: { repository, sha, subject: scrub(subject), author: scrub(author.name) },
    links: [...(link === undefined ? [] : [link]), dashboardLink(place)],
    isPassing: settings.environment !== undefined,
    place,
  };
}

/** Causes that a run or the health of a target may share with others: the commit, the cluster, the application. */
export function causesOf(kind: 'rollout' | 'drift', { target, commit }: AboutTarget): string[] {
  const { cluster, application } = target;
  const own = [`${kind} cluster ${cluster}`, `${kind} application ${application}`];
  if (kind === 'drift' || commit === undefined) return own;
  return [`${kind} commit ${commit.repository} ${commit.sha}`, ...own];
}

export function newsOf({ scope, subject, links, commit, isPassing }: AboutTarget): Pick<
  News,
  'scope' | 'subject' | 'links' | 'commit'
> & {
  readonly severityOf: (severity: News['severity']) => News['severity'];
} {
  return {
    scope,
    subject,
    links,
    ...(commit !== undefined && { commit }),
    severityOf: (severity) => (isPassing ? 'info' : severity),
  };
}
