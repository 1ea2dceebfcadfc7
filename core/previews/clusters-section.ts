import { code, escape, fenced, folded, oneLine, plural } from '../compare/markdown.ts';
import { describeRef } from '../model/object.ts';
import type { AnsweredTarget, ClusterAnswer, PullPreview } from '../model/pull-preview.ts';

type Rendered = NonNullable<PullPreview['rendered']>;

/** Together they leave the rest of the comment its room. */
const mostLines = 20;
const longestDetails = 4000;
const longestValue = 80;
const longestWords = 300;

/** Where in the comment the section goes. Nobody can write a SHA into the commit that has it. */
export function clustersPlaceholder(head: string): string {
  return `<!-- trueup: clusters of ${head} -->`;
}

/** The comment whole: what the clusters say of each target, as far as they have answered. */
export function withClusters(
  { text, targets, clusters, unasked }: Rendered,
  head: string,
  answers: ReadonlyMap<string, ClusterAnswer>,
  isLate: boolean,
): string {
  const asides = targets.flatMap(({ target, pinned, movedOn }) => {
    const where = `${code(target.application)} on ${code(target.cluster)}`;
    const isPinned = `- 📌 ${where} is pinned by ${escape(pinned?.by ?? '')} (${escape(pinned?.reason ?? '')}): nothing of this is applied there until that is lifted`;
    const isBehind = `- ↪️ ${where} has changed on the tracked branch meanwhile: bring this branch up to date to see what merging it gives`;
    return [...(pinned === undefined ? [] : [isPinned]), ...(movedOn === true ? [isBehind] : [])];
  });
  const parts = [
    ...(asides.length > 0 ? [cut(asides).join('\n')] : []),
    ...(clusters.length > 0 ? [section(clusters, answers, isLate)] : []),
    ...(unasked !== undefined && targets.length > 0 ? [`_No cluster was asked: ${escape(unasked)}._`] : []),
  ];
  return text.replace(clustersPlaceholder(head), () => parts.join('\n\n'));
}

function section(
  clusters: readonly string[],
  answers: ReadonlyMap<string, ClusterAnswer>,
  isLate: boolean,
): string {
  const missing = clusters.filter((cluster) => !answers.has(cluster));
  const found = clusters.flatMap((cluster) => {
    const answer = answers.get(cluster);
    return answer === undefined ? [] : [{ cluster, answer }];
  });
  const targets = found.flatMap(({ cluster, answer }) =>
    answer.targets.map((target) => ({ cluster, target })),
  );
  const notes = [
    ...found.flatMap(({ cluster, answer }) =>
      answer.unreachable === undefined
        ? []
        : [`- 🔌 ${code(cluster)} could not be asked: ${words(answer.unreachable)}`],
    ),
    ...targets.flatMap(notesOf),
    ...missing.map((cluster) =>
      isLate ? `- 🔌 ${code(cluster)} did not answer in time` : `- ⏳ ${code(cluster)} is being asked`,
    ),
  ];
  const parts = [
    '**As the clusters are now** (a dry run: nothing was changed)',
    ...(targets.length > 0 ? [table(targets)] : []),
    ...(notes.length > 0 ? [cut(notes).join('\n')] : []),
    ...detailsOf(targets),
  ];
  return parts.join('\n\n');
}

interface Answered {
  readonly cluster: string;
  readonly target: AnsweredTarget;
}

const columns = ['create', 'update', 'recreate', 'prune', 'blocked'] as const;

function table(targets: readonly Answered[]): string {
  const rows = targets.slice(0, mostLines).map(({ cluster, target: { application, counts } }) => {
    const marked = (counts['prune'] ?? 0) + (counts['mark'] ?? 0);
    const cells = columns.map((column) => String(column === 'prune' ? marked : (counts[column] ?? 0)));
    return `| ${[code(application), code(cluster), ...cells].join(' | ')} |`;
  });
  const more =
    targets.length > rows.length ? [`| and ${targets.length - rows.length} more | | | | | | |`] : [];
  return [
    `| application | cluster | ${columns.join(' | ')} |`,
    `| --- | --- | ${columns.map(() => '---').join(' | ')} |`,
    ...rows,
    ...more,
  ].join('\n');
}

/** What would not go through as it stands. */
function notesOf({ cluster, target }: Answered): readonly string[] {
  const where = `${code(target.application)} on ${code(cluster)}`;
  const { refusal, failed, changes } = target;
  return [
    ...(failed === undefined ? [] : [`- ❔ ${where} could not be tried: ${words(failed)}`]),
    ...(refusal === undefined ? [] : [`- ⛔ ${where}: nothing would be done: ${words(refusal)}`]),
    ...changes.flatMap(({ action, ref, why }) => {
      const object = code(describeRef(ref));
      if (action === 'blocked') return [`- ⛔ ${where}: ${object} would be refused: ${words(why)}`];
      if (action === 'recreate')
        return [`- ⚠️ ${where}: ${object} would be deleted and made anew: ${words(why)}`];
      return [];
    }),
  ];
}

function detailsOf(targets: readonly Answered[]): readonly string[] {
  let room = longestDetails;
  return targets.flatMap(({ cluster, target: { application, changes } }) => {
    const differing = changes.filter(({ fields }) => fields.length > 0);
    const lines = differing.flatMap(({ action, ref, fields }) => [
      `${action} ${oneLine(describeRef(ref))}`,
      ...fields.map(({ path, live, desired }) => `    ${oneLine(path)}: ${shown(live)} → ${shown(desired)}`),
    ]);
    if (lines.length === 0) return [];
    const summary = `${application} on ${cluster}, field by field as the server sees it`;
    const text = folded(summary, fenced('text', lines.join('\n')));
    if (text.length > room) return [];
    room -= text.length;
    return [text];
  });
}

/** API servers and webhooks may say a lot. */
function words(text: string): string {
  return escape(text.length <= longestWords ? text : `${text.slice(0, longestWords)}…`);
}

function shown(value: unknown): string {
  const text = value === undefined ? '(none)' : JSON.stringify(value);
  return text.length <= longestValue ? text : `${text.slice(0, longestValue)}…`;
}

function cut(lines: readonly string[]): readonly string[] {
  const shownLines = lines.slice(0, mostLines);
  const rest = lines.length - shownLines.length;
  return rest === 0 ? lines : [...shownLines, `- and ${plural(rest, 'more line')}`];
}
