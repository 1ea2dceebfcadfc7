import type { Fault } from '../errors.ts';
import { describeRef } from '../model/object.ts';
import type { Json } from '../model/json.ts';
import type { ComparedObject, ComparedTarget } from './comparison.ts';
import type { FieldChange } from './compare-objects.ts';
import { code, fenced, folded, oneLine, plural } from './markdown.ts';
import { checks, faultLines, risks } from './warnings.ts';

/** Longest that Git hosts take as one comment (GitHub: 65,536 characters), with room for what is around it. */
const longest = 60_000;
/** Of one application, so that the next has its place too. */
const longestPart = 12_000;
const mostFields = 40;
const longestValue = 200;
const mostPictures = 8;
const mostRows = 60;
const mostClusters = 4;

/** By which a comment of ours is found again, to be kept current. */
export const commentMark = '<!-- trueup: preview -->';

/** What a comment says besides what changes. */
export interface CommentOptions {
  readonly base: string;
  readonly head: string;
  /** Of Applications themselves. */
  readonly broken?: readonly Fault[];
  /** By what it was judged, for a reader who finds nothing said against it. */
  readonly judgedBy?: string;
  /** More parts in Markdown, such as what the clusters themselves say. */
  readonly more?: readonly string[];
}

/**
 * The comparison as one comment in Markdown. Whatever comes of the repository is in code, so that no name and no value can
 * be read as markup; what is too long is cut, and said to be.
 */
export function previewComment(
  targets: readonly ComparedTarget[],
  { base, head, broken = [], judgedBy, more = [] }: CommentOptions,
): string {
  const top = [commentMark, `### ${headline(targets)}`, `${code(base)} → ${code(head)}`];
  const ending = judgedBy === undefined ? [] : [`_${judgedBy}_`];
  if (targets.length + broken.length === 0) return `${[...top, ...more, ...ending].join('\n\n')}\n`;
  const parts = [
    ...top,
    ...risks(targets),
    ...checks(targets),
    ...faultLines(targets, broken),
    ...(targets.length === 0 ? [] : [table(targets)]),
    ...more,
  ];
  const details = [...pictures(targets), ...changes(targets)];
  let text = parts.join('\n\n');
  for (const [index, each] of details.entries()) {
    if (text.length + each.length > longest) {
      text += `\n\n_${details.length - index} more part(s) are too long to show here; \`trueup diff\` shows all of it._`;
      break;
    }
    text += `\n\n${each}`;
  }
  return `${[text, ...ending].join('\n\n')}\n`;
}

function headline(targets: readonly ComparedTarget[]): string {
  if (targets.length === 0) return 'trueup: nothing changes on any cluster';
  const applications = new Set(targets.map(({ application }) => application)).size;
  const clusters = new Set(targets.map(({ cluster }) => cluster)).size;
  return `trueup: ${plural(applications, 'application')} on ${plural(clusters, 'cluster')}`;
}

function table(targets: readonly ComparedTarget[]): string {
  const count = (objects: readonly ComparedObject[], kind: ComparedObject['kind']): string =>
    String(objects.filter((each) => each.kind === kind).length);
  const alike = alikeOf(targets, ({ kind, objects }) =>
    [
      kind === 'changed' ? '' : ` (${kind})`,
      ...(['created', 'changed', 'removed'] as const).map((each) => count(objects, each)),
    ].join(' | '),
  );
  const rows = alike.map(({ application, clusters, content }) => {
    const [kind = '', ...counts] = content.split(' | ');
    return `| ${[`${code(application)}${kind}`, someOf(clusters.map(code)), ...counts].join(' | ')} |`;
  });
  const left = rows.length - mostRows;
  return [
    '| application | cluster | created | changed | gone |',
    '| --- | --- | --- | --- | --- |',
    ...rows.slice(0, mostRows),
    ...(left > 0 ? [`| and ${left} more | | | | |`] : []),
  ].join('\n');
}

/** Two are seen at once. */
function pictures(targets: readonly ComparedTarget[]): readonly string[] {
  const alike = alikeOf(targets, ({ picture }) => picture);
  return alike.slice(0, mostPictures).map(({ application, clusters, content }) => {
    const summary = `What hangs together: ${application} on ${someOf(clusters)}`;
    return folded(summary, fenced('mermaid', content), alike.length <= 2);
  });
}

function changes(targets: readonly ComparedTarget[]): readonly string[] {
  const changed = targets.filter(({ objects }) => objects.length > 0);
  return alikeOf(changed, ({ objects }) => detailsOf(objects)).map(({ application, clusters, content }) => {
    const [{ objects } = { objects: [] }] = changed.filter(
      (target) => target.application === application && target.cluster === clusters[0],
    );
    const summary = `${application} on ${someOf(clusters)}: ${plural(objects.length, 'object')}`;
    return folded(summary, fenced('diff', content));
  });
}

/** Something said of an application, once for all clusters that it is the same on. */
interface Alike {
  readonly application: string;
  readonly clusters: readonly string[];
  readonly content: string;
}

function alikeOf(
  targets: readonly ComparedTarget[],
  contentOf: (target: ComparedTarget) => string | undefined,
): readonly Alike[] {
  const found = new Map<string, Alike>();
  for (const target of targets) {
    const content = contentOf(target);
    if (content === undefined) continue;
    const { application, cluster } = target;
    const key = `${application}\n${content}`;
    found.set(key, { application, content, clusters: [...(found.get(key)?.clusters ?? []), cluster] });
  }
  return [...found.values()];
}

function someOf(clusters: readonly string[]): string {
  const left = clusters.length - mostClusters;
  return `${clusters.slice(0, mostClusters).join(', ')}${left > 0 ? ` and ${left} more` : ''}`;
}

function detailsOf(objects: readonly ComparedObject[]): string {
  const shown: string[] = [];
  let left = longestPart;
  for (const { ref, kind, fields } of objects) {
    const sign = { created: '+', changed: '!', removed: '-' }[kind];
    const text = [`${sign} ${oneLine(describeRef(ref))}`, ...fieldLines(fields)].join('\n');
    left -= text.length;
    if (left < 0) break;
    shown.push(text);
  }
  const more = objects.length - shown.length;
  return [...shown, ...(more > 0 ? [`  and ${plural(more, 'more object')}`] : [])].join('\n');
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
