import type { Fault } from '../errors.ts';
import { describeRef, type ObjectRef } from '../model/object.ts';
import type { ComparedTarget } from './comparison.ts';
import { code, escape, folded, plural } from './markdown.ts';

const mostLines = 40;
const mostClusters = 4;
/** Of the words of a policy or of a renderer. */
const longestText = 600;

/** One thing to say of a target, the same on several clusters. */
interface Remark {
  readonly sign: '⚠️' | '❌';
  readonly ref?: ObjectRef;
  readonly policy?: string;
  readonly text: string;
}

/** What a reviewer should look at twice. */
export function risks(targets: readonly ComparedTarget[]): readonly string[] {
  const lines = linesOf(targets, ({ objects, risks: own }) => [
    ...own.map(({ text }) => ({ sign: '⚠️', text }) as const),
    ...objects.flatMap(({ ref, risks: ofObject }) =>
      ofObject.map(({ text }) => ({ sign: '⚠️', ref, text }) as const),
    ),
  ]);
  return lines.length === 0 ? [] : [['**Look twice**', ...capped(lines)].join('\n')];
}

/** What schemas, versions of APIs and policies say against it: what would be refused first, what nobody could judge folded. */
export function checks(targets: readonly ComparedTarget[]): readonly string[] {
  const of = (wanted: 'error' | 'warn' | 'unjudged') =>
    linesOf(targets, ({ findings }) =>
      findings
        .filter(({ kind, severity }) => (kind === 'unjudged' ? kind : severity) === wanted)
        .map((finding) => ({ ...finding, sign: wanted === 'error' ? '❌' : '⚠️' })),
    );
  const [lines, unjudged] = [[...of('error'), ...of('warn')], of('unjudged')];
  const title = `${plural(unjudged.length, 'check')} could not be made`;
  return [
    ...(lines.length === 0 ? [] : [['**Checks**', ...capped(lines)].join('\n')]),
    ...(unjudged.length === 0 ? [] : [folded(title, capped(unjudged).join('\n'))]),
  ];
}

/** What cannot be rendered, of targets and of Applications themselves. */
export function faultLines(targets: readonly ComparedTarget[], broken: readonly Fault[]): readonly string[] {
  const unread = broken.map(({ subject, message }) => `- ❌ ${code(subject)} ${escape(shortened(message))}`);
  const lines = targets.flatMap(({ cluster, application, faults }) =>
    faults.map(
      ({ subject, message }) =>
        `- ❌ ${code(application)} on ${code(cluster)}: ${code(subject)} ${escape(shortened(message))}`,
    ),
  );
  const all = [...unread, ...lines];
  if (all.length === 0) return [];
  return [['**Cannot be rendered; stays as it is**', ...capped([...new Set(all)])].join('\n')];
}

/** A line each, whatever clusters it is the same on. */
function linesOf(
  targets: readonly ComparedTarget[],
  remarksOf: (target: ComparedTarget) => readonly Remark[],
): readonly string[] {
  const found = new Map<
    string,
    { readonly application: string; readonly sign: string; clusters: string[] }
  >();
  for (const target of targets) {
    for (const { sign, ref, policy, text } of remarksOf(target)) {
      const object = ref === undefined ? '' : `${code(describeRef(ref))} `;
      const rule = policy === undefined ? '' : `(policy ${code(policy)}) `;
      const words = `${object}${rule}${escape(shortened(text))}`;
      const key = `${target.application}\n${words}`;
      const known = found.get(key) ?? { application: target.application, sign, clusters: [] };
      if (!known.clusters.includes(target.cluster)) known.clusters.push(target.cluster);
      found.set(key, known);
    }
  }
  return [...found].map(([key, { application, sign, clusters }]) => {
    const named = clusters.slice(0, mostClusters).map(code).join(', ');
    const rest = clusters.length > mostClusters ? ` and ${clusters.length - mostClusters} more` : '';
    return `- ${sign} ${code(application)} on ${named}${rest}: ${key.slice(key.indexOf('\n') + 1)}`;
  });
}

function shortened(text: string): string {
  return text.length > longestText ? `${text.slice(0, longestText)}…` : text;
}

function capped(lines: readonly string[]): readonly string[] {
  const more = lines.length - mostLines;
  return more > 0 ? [...lines.slice(0, mostLines), `- and ${more} more`] : lines;
}
