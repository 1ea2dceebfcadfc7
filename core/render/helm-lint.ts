import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { Fault } from '../errors.ts';
import type { ChartFiles } from '../ports.ts';
import { decodeText } from './helm-chart.ts';
import type { LoadedChart } from './helm-load.ts';

/** Why the result of a function is not what a Helm release would have, or not the same twice. */
type FindingKind = 'random' | 'time' | 'lookup' | 'release' | 'capabilities' | 'network';

/** A template function whose result is another one in a release of Helm. */
export interface Finding {
  readonly kind: FindingKind;
  readonly name: string;
  /** `charts/web/templates/secret.yaml:7` */
  readonly place: string;
  /** Path in the chart. */
  readonly path: string;
}

const functions: Readonly<Record<string, FindingKind>> = {
  ...kinds('random', [
    'randAlphaNum',
    'randAlpha',
    'randAscii',
    'randNumeric',
    'randBytes',
    'randInt',
    'uuidv4',
    'shuffle',
    'genPrivateKey',
    'genCA',
    'genCAWithKey',
    'genSelfSignedCert',
    'genSelfSignedCertWithKey',
    'genSignedCert',
    'genSignedCertWithKey',
    'htpasswd',
    'bcrypt',
    'encryptAES',
  ]),
  ...kinds('time', ['now', 'ago']),
  lookup: 'lookup',
  getHostByName: 'network',
};

function kinds(kind: FindingKind, names: readonly string[]): Record<string, FindingKind> {
  return Object.fromEntries(names.map((name) => [name, kind]));
}

/** What each kind means for who reads it. */
const meanings: Readonly<Record<FindingKind, string>> = {
  random: 'is random: each rendering gives another value',
  time: 'tells the time of the rendering',
  lookup: 'finds nothing: rendering has no cluster, and the Application says helm.lookup: empty',
  release: 'knows no release: every rendering is an install, of revision 1',
  capabilities: 'tells what Helm assumes and not what a cluster has, since none was looked at yet',
  network: 'finds nothing: rendering has no network',
};

const fields: readonly { readonly pattern: RegExp; readonly name: string; readonly kind: FindingKind }[] = [
  { pattern: /\.IsInstall\b/, name: '.Release.IsInstall', kind: 'release' },
  { pattern: /\.IsUpgrade\b/, name: '.Release.IsUpgrade', kind: 'release' },
  { pattern: /\.Release\.Revision\b/, name: '.Release.Revision', kind: 'release' },
  { pattern: /\.Capabilities\b/, name: '.Capabilities', kind: 'capabilities' },
];

/** Whether a file is worth a closer look. */
const mentions = new RegExp(
  [...Object.keys(functions), 'IsInstall', 'IsUpgrade', 'Revision', 'Capabilities'].join('|'),
);

/** Names, with file and line, every function of a chart whose result differs from that of a Helm release. */
export function lintChart({ files, placeOf }: LoadedChart): readonly Finding[] {
  const found: Finding[] = [];
  for (const [path, bytes] of files) {
    // A default may hold a template that is run with `tpl`; tests of a chart are left out of what is rendered.
    if (!/(?:^|\/)(?:templates\/(?!tests\/)|values[^/]*\.ya?ml$)/.test(path)) continue;
    const text = decodeText(bytes) ?? '';
    if (!mentions.test(text)) continue;
    const isTemplate = path.includes('templates/');
    // An example in a comment of the defaults runs nowhere; one in a template does.
    const run = isTemplate ? text : text.replaceAll(/^[ \t]*#.*$/gm, (comment) => ' '.repeat(comment.length));
    const lines = new LineCounter(text);
    for (const { start, code } of actionsOf(run)) {
      for (const { name, kind, offset } of namesIn(code)) {
        found.push({ kind, name, place: `${placeOf(path)}:${lines.at(start + offset)}`, path });
      }
    }
  }
  return found;
}

/** Lines of offsets that grow. */
class LineCounter {
  readonly #text: string;
  #line = 1;
  #next: number;

  constructor(text: string) {
    this.#text = text;
    this.#next = text.indexOf('\n');
  }

  at(offset: number): number {
    while (this.#next >= 0 && this.#next < offset) {
      this.#line += 1;
      this.#next = this.#text.indexOf('\n', this.#next + 1);
    }
    return this.#line;
  }
}

interface Action {
  readonly start: number;
  /** With texts and comments blanked, at the same length. */
  readonly code: string;
}

/** What stands between braces. Ends where one is never closed: Helm refuses such a file as a whole. */
function actionsOf(text: string): Action[] {
  const actions: Action[] = [];
  let end = 0;
  for (;;) {
    const start = text.indexOf('{{', end);
    if (start < 0) return actions;
    const code: string[] = [];
    let from = start;
    let at = start + 2;
    // Each character is looked at once: whoever wrote the chart may wish us to be slow.
    while (!text.startsWith('}}', at)) {
      if (at >= text.length) return actions;
      const after = literalEnd(text, at);
      if (after === undefined) at += 1;
      else {
        code.push(text.slice(from, at), ' '.repeat(after - at));
        at = after;
        from = after;
      }
    }
    end = at + 2;
    code.push(text.slice(from, end));
    actions.push({ start, code: code.join('') });
  }
}

/** Behind the text or comment that begins here; undefined where none does. */
function literalEnd(text: string, at: number): number | undefined {
  const quote = text[at] ?? '';
  if (text.startsWith('/*', at)) return endOf(text.indexOf('*/', at + 2), 2, text);
  if (quote === '`') return endOf(text.indexOf('`', at + 1), 1, text);
  if (quote !== '"' && quote !== "'") return undefined;
  for (let next = at + 1; next < text.length; next += 1) {
    if (text[next] === '\\') next += 1;
    else if (text[next] === quote) return next + 1;
  }
  return text.length;
}

function endOf(found: number, length: number, text: string): number {
  return found < 0 ? text.length : found + length;
}

function namesIn(
  code: string,
): { readonly name: string; readonly kind: FindingKind; readonly offset: number }[] {
  const called = [...code.matchAll(/(?<![.$\w])[a-zA-Z]\w*/g)].flatMap(({ 0: name, index }) => {
    const kind = Object.hasOwn(functions, name) ? functions[name] : undefined;
    return kind === undefined ? [] : [{ name, kind, offset: index }];
  });
  const read = fields.flatMap(({ pattern, name, kind }) => {
    const offset = code.search(pattern);
    return offset < 0 ? [] : [{ name, kind, offset }];
  });
  return [...called, ...read].sort((a, b) => a.offset - b.offset);
}

/** The chart with other words for a function, in its templates. */
export function respelled(
  files: ChartFiles,
  findings: readonly Finding[],
  called: string,
  words: string,
): ChartFiles {
  const changed = new Map(files);
  for (const path of new Set(findings.flatMap(({ name, path: file }) => (name === called ? [file] : [])))) {
    const text = decodeText(files.get(path) ?? new Uint8Array()) ?? '';
    const parts: string[] = [];
    let end = 0;
    for (const { start, code } of actionsOf(text)) {
      for (const { name, offset } of namesIn(code)) {
        if (name !== called) continue;
        parts.push(text.slice(end, start + offset), words);
        end = start + offset + name.length;
      }
    }
    changed.set(path, utf8ToBytes(parts.join('') + text.slice(end)));
  }
  return changed;
}

const maxWarnings = 100;

/** What the lint found, for people. */
export function lintWarnings(findings: readonly Finding[]): readonly Fault[] {
  return findings
    .slice(0, maxWarnings)
    .map(({ kind, name, place }) => ({ subject: place, message: `${name} ${meanings[kind]}` }));
}

/** Whether anything of a chart or its values asks what the cluster can do; rather once too often. */
export function asksCapabilities({ files }: LoadedChart, values: readonly string[]): boolean {
  const texts = [...files].flatMap(([path, bytes]) =>
    /(?:^|\/)crds\//.test(path) ? [] : (decodeText(bytes) ?? []),
  );
  const constrains = [...files].some(
    ([path, bytes]) => /(?:^|\/)Chart\.yaml$/.test(path) && /^kubeVersion:/m.test(decodeText(bytes) ?? ''),
  );
  return constrains || [...texts, ...values].some((text) => text.includes('Capabilities'));
}
