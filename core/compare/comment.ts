import type { Fault } from '../errors.ts';
import { describeRef } from '../model/object.ts';
import type { Json } from '../model/json.ts';
import type { ComparedObject, ComparedTarget } from './comparison.ts';
import type { FieldChange } from './compare-objects.ts';

/** Longest that Git hosts take as one comment (GitHub: 65,536 characters), with room for what is around it. */
const longest = 60_000;
const mostFields = 40;
const longestValue = 200;

/** By which a comment of ours is found again, to be kept current. */
export const commentMark = '<!-- trueup: preview -->';

/**
 * The comparison as one comment in Markdown. Whatever comes of the repository is in code, so that no name and no value can
 * be read as markup; what is too long is cut, and said to be.
 */
export function previewComment(
  targets: readonly ComparedTarget[],
  {
    base,
    head,
    broken = [],
  }: { readonly base: string; readonly head: string; readonly broken?: readonly Fault[] },
): string {
  const top = [commentMark, `### ${headline(targets)}`, `${code(base)} → ${code(head)}`];
  if (targets.length + broken.length === 0) return `${top.join('\n\n')}\n`;
  const parts = [
    ...top,
    ...risks(targets),
    ...faults(targets, broken),
    ...(targets.length === 0 ? [] : [table(targets)]),
  ];
  const details = targets.filter(({ objects }) => objects.length > 0).map(detailsOf);
  let text = parts.join('\n\n');
  for (const [index, each] of details.entries()) {
    if (text.length + each.length > longest) {
      text += `\n\n_${details.length - index} more target(s) are too long to show here; \`trueup diff\` shows all of it._`;
      break;
    }
    text += `\n\n${each}`;
  }
  return `${text}\n`;
}

function headline(targets: readonly ComparedTarget[]): string {
  if (targets.length === 0) return 'trueup: nothing changes on any cluster';
  const applications = new Set(targets.map(({ application }) => application)).size;
  const clusters = new Set(targets.map(({ cluster }) => cluster)).size;
  return `trueup: ${plural(applications, 'application')} on ${plural(clusters, 'cluster')}`;
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

function risks(targets: readonly ComparedTarget[]): readonly string[] {
  const lines = targets.flatMap(({ cluster, application, objects, risks: own }) => {
    const where = `${code(application)} on ${code(cluster)}`;
    return [
      ...own.map(({ text }) => `- ⚠️ ${where}: ${escape(text)}`),
      ...objects.flatMap(({ ref, risks: ofObject }) =>
        ofObject.map(({ text }) => `- ⚠️ ${where}: ${code(describeRef(ref))} ${escape(text)}`),
      ),
    ];
  });
  if (lines.length === 0) return [];
  const shown = lines.slice(0, mostFields);
  const more = lines.length - shown.length;
  return [['**Look twice**', ...shown, ...(more > 0 ? [`- and ${more} more`] : [])].join('\n')];
}

function faults(targets: readonly ComparedTarget[], broken: readonly Fault[]): readonly string[] {
  const unread = broken.map(({ subject, message }) => `- ❌ ${code(subject)} ${escape(message)}`);
  const lines = targets.flatMap(({ cluster, application, faults: own }) =>
    own.map(
      ({ subject, message }) =>
        `- ❌ ${code(application)} on ${code(cluster)}: ${code(subject)} ${escape(message)}`,
    ),
  );
  const all = [...unread, ...lines];
  if (all.length === 0) return [];
  return [['**Cannot be rendered; stays as it is**', ...new Set(all)].join('\n')];
}

function table(targets: readonly ComparedTarget[]): string {
  const count = (objects: readonly ComparedObject[], kind: ComparedObject['kind']): string =>
    String(objects.filter((each) => each.kind === kind).length);
  const rows = targets.map(({ application, cluster, kind, objects }) => {
    const name = `${code(application)}${kind === 'changed' ? '' : ` (${kind})`}`;
    const counts = (['created', 'changed', 'removed'] as const).map((each) => count(objects, each));
    return `| ${[name, code(cluster), ...counts].join(' | ')} |`;
  });
  return [
    '| application | cluster | created | changed | gone |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

function detailsOf({ application, cluster, objects }: ComparedTarget): string {
  const shown = objects.map(({ ref, kind, fields }) => {
    const sign = { created: '+', changed: '!', removed: '-' }[kind];
    const lines = [`${sign} ${oneLine(describeRef(ref))}`, ...fieldLines(fields)];
    return lines.join('\n');
  });
  const text = shown.join('\n');
  const ticks = '`'.repeat(Math.max(3, longestTicks(text) + 1));
  const summary = `<details><summary>${html(application)} on ${html(cluster)}: ${plural(objects.length, 'object')}</summary>`;
  return `${summary}\n\n${ticks}diff\n${text}\n${ticks}\n\n</details>`;
}

function fieldLines(fields: readonly FieldChange[]): readonly string[] {
  const lines = fields
    .slice(0, mostFields)
    .flatMap(({ path, from, to }) => [
      `    ${oneLine(path)}`,
      ...(from === undefined ? [] : [`-     ${value(from)}`]),
      ...(to === undefined ? [] : [`+     ${value(to)}`]),
    ]);
  return fields.length > mostFields ? [...lines, `    and ${fields.length - mostFields} more fields`] : lines;
}

function value(json: Json): string {
  const text = JSON.stringify(json);
  return text.length <= longestValue ? text : `${text.slice(0, longestValue)}… (${text.length} characters)`;
}

/** Fields and names of custom kinds may hold anything. */
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, ' ');
}

function longestTicks(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
}

/** In a table a bar ends the cell, even in code. */
function code(text: string): string {
  const clean = oneLine(text).replaceAll('|', '\\|');
  const ticks = '`'.repeat(longestTicks(clean) + 1);
  const pad = clean.startsWith('`') || clean.endsWith('`') ? ' ' : '';
  return `${ticks}${pad}${clean}${pad}${ticks}`;
}

/** Words of ours with names of theirs in them: nothing of it is markup, a link or a mention. */
function escape(text: string): string {
  return html(oneLine(text))
    .replaceAll(/[\\`*_{}[\]()#+!|~]/g, '\\$&')
    .replaceAll('@', '@\u200b');
}

function html(text: string): string {
  return oneLine(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
