import { keys } from '../contract/keys.ts';
import { readDocument } from '../documents.ts';
import { driftRecordSchema, openDriftSchema, type DriftRecord } from '../model/drift.ts';
import type { News } from '../model/notice.ts';
import { describeRef, refOfKey } from '../model/object.ts';
import type { Target } from '../model/target.ts';
import type { Store } from '../ports.ts';
import { isAlarming } from '../record.ts';
import { causesOf, newsOf, type AboutTarget } from './about-target.ts';
import { scrub } from '../model/scrub.ts';

/** Objects that are told with their fields; of the others there is the number. */
const mostRead = 3;
const mostPaths = 3;

/** Open drift of a target, and heal loops. Paths of fields and who wrote them, never values. */
export async function driftNews(target: Target, about: AboutTarget, store: Store): Promise<readonly News[]> {
  const open = await readDocument(store, keys.openDrift(target), openDriftSchema);
  const episodes = Object.entries(open?.value.episodes ?? {}).filter(([, episode]) => isAlarming(episode));
  if (episodes.length === 0) return [];
  const loops = episodes.filter(([, { loop }]) => loop === true);
  const drifting = episodes.filter(([, { loop }]) => loop !== true);
  const tell = async (some: typeof episodes) => textOf(some, store);
  return [
    ...(drifting.length === 0 ? [] : [openNews(drifting.length, await tell(drifting), about)]),
    ...(loops.length === 0 ? [] : [loopNews(loops.length, await tell(loops), about)]),
  ];
}

function openNews(count: number, text: string, about: AboutTarget): News {
  const { severityOf, ...common } = newsOf(about);
  const { cluster, application } = about.target;
  return {
    ...common,
    event: 'drift',
    severity: severityOf('warning'),
    headline: `${common.subject} has drifted: ${objects(count)}`,
    text,
    todo: `trueup drift --app ${application} --cluster ${cluster} shows it; put it into Git, or take it back with trueup sync --app ${application} --cluster ${cluster}`,
    causes: causesOf('drift', about),
  };
}

function loopNews(count: number, text: string, about: AboutTarget): News {
  const { severityOf, ...common } = newsOf(about);
  const { cluster, application } = about.target;
  return {
    ...common,
    event: 'heal-loop',
    severity: severityOf('warning'),
    headline: `${common.subject}: changed again after each heal, and so left alone: ${objects(count)}`,
    text,
    todo: `trueup drift --app ${application} --cluster ${cluster} names the rival; take the field out of Git, or stop who writes it`,
    causes: causesOf('drift', about),
  };
}

/** Drift that was put right before it had to be told of: a change by hand that nobody would hear of otherwise. */
export async function healedNews(
  records: readonly string[],
  about: AboutTarget,
  store: Store,
): Promise<readonly News[]> {
  const read = await Promise.all(
    records.slice(0, mostRead).map(async (key) => readDocument(store, key, driftRecordSchema)),
  );
  const healed = read.flatMap((document) => (document?.value.state === 'healed' ? [document.value] : []));
  if (healed.length === 0) return [];
  const { severityOf: _, ...common } = newsOf(about);
  const news: News = {
    ...common,
    event: 'healed',
    severity: 'info',
    headline: `${common.subject}: drift was put right: ${objects(records.length)}`,
    text: scrub(healed.map(describe).join('; ')),
    todo: '',
    causes: causesOf('drift', about).map((cause) => `healed ${cause}`),
  };
  return [news];
}

async function textOf(
  episodes: readonly (readonly [key: string, { readonly record: string }])[],
  store: Store,
): Promise<string> {
  const told = await Promise.all(
    episodes.slice(0, mostRead).map(async ([key, { record }]) => {
      const found = await readDocument(store, record, driftRecordSchema);
      return found === undefined ? describeRef(refOfKey(key)) : describe(found.value);
    }),
  );
  const more = episodes.length - told.length;
  return scrub([...told, ...(more > 0 ? [`and ${more} more`] : [])].join('; '));
}

function describe({ drift, who, loop }: DriftRecord): string {
  const paths = [
    ...new Set(drift.fields.filter((field) => field.class !== 'foreign').map(({ path }) => path)),
  ];
  const more = paths.length > mostPaths ? `, and ${paths.length - mostPaths} more` : '';
  const what = drift.kind === 'fields' ? `${paths.slice(0, mostPaths).join(', ')}${more}` : drift.kind;
  const manager = drift.fields.find((field) => field.manager !== undefined)?.manager;
  const author = who?.impersonated ?? who?.user ?? loop?.manager ?? manager;
  return `${describeRef(drift.ref)}: ${what}${author === undefined ? '' : `, by ${author}`}`;
}

function objects(count: number): string {
  return count === 1 ? '1 object' : `${count} objects`;
}
