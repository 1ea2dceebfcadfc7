import { keys } from '../contract/keys.ts';
import { defaultProject } from '../contract/projects.ts';
import { trackedRef } from '../contract/tracked-ref.ts';
import { readDocument } from '../documents.ts';
import { repositoryStateSchema } from '../model/desired.ts';
import type { News } from '../model/notice.ts';
import { commitLink, dashboardLink } from '../notify/links.ts';
import { nothing, type Reading } from '../notify/reading.ts';
import type { ReadDeps } from './about-target.ts';
import { scrub } from '../model/scrub.ts';

/** Whether the newest commit of a repository can be followed in full, and what is wrong with it. */
export async function readRepository(name: string, { store, config, place }: ReadDeps): Promise<Reading> {
  const repository = config.repositories.find((one) => one.name === name);
  if (repository === undefined) return nothing;
  const key = keys.repository(name, trackedRef(repository));
  const state = (await readDocument(store, key, repositoryStateSchema))?.value;
  if (state?.failing !== true) return nothing;
  const { sha } = state.head;
  const link = commitLink(repository, sha);
  const known = Object.entries(state.applications);
  const faults = (state.faults ?? []).map(({ subject, message }) => `${subject}: ${message}`);
  const news: News = {
    event: 'snapshot-failed',
    severity: 'error',
    scope: {
      applications: known.map(([application]) => application),
      clusters: [...new Set(known.flatMap(([, { clusters }]) => clusters))],
      projects: [repository.project ?? defaultProject],
    },
    subject: name,
    headline: `${name}: ${state.refused === true ? 'the Git host refuses it' : `commit ${sha.slice(0, 7)} cannot be followed in full`}`,
    text: scrub(faults.join('; ')),
    todo: 'What failed stays at its last good snapshot. Mend it and push; trueup status names the applications',
    causes: [`snapshot commit ${name} ${sha}`],
    links: [...(link === undefined ? [] : [link]), dashboardLink(place)],
  };
  return { ...nothing, found: [news] };
}
