import { utf8ToBytes } from '@noble/hashes/utils.js';
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
export const findingWords: Readonly<Record<FindingKind, string>> = {
  random: 'is random: each rendering gives another value',
  time: 'tells the time of the rendering',
  lookup: 'finds nothing: rendering has no cluster',
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

/** Names, with file and line, every function of a chart whose result differs from that of a Helm release. */
export function lintChart({ files, placeOf }: LoadedChart): readonly Finding[] {
  const found: Finding[] = [];
  for (const [path, bytes] of files) {
    // A default may hold a template that is run with `tpl`.
    if (!/(?:^|\/)(?:templates\/|values[^/]*\.ya?ml$)/.test(path)) continue;
    const text = decodeText(bytes) ?? '';
    for (const { start, code } of actionsOf(text)) {
      for (const { name, kind, offset } of namesIn(code)) {
        const line = text.slice(0, start + offset).split('\n').length;
        found.push({ kind, name, place: `${placeOf(path)}:${line}`, path });
      }
    }
  }
  return found;
}

interface Action {
  readonly start: number;
  /** With texts and comments blanked, at the same length. */
  readonly code: string;
}

const actionPattern = /\{\{(?:-?\s*\/\*[^]*?\*\/\s*-?\}\}|(?:"(?:\\.|[^"\\\n])*"|`[^`]*`|'(?:\\.|[^'\\\n])*'|[^"`'])*?\}\})/g;
const textPattern = /\/\*[^]*?\*\/|"(?:\\.|[^"\\\n])*"|`[^`]*`|'(?:\\.|[^'\\\n])*'/g;

function actionsOf(text: string): Action[] {
  return [...text.matchAll(actionPattern)].map(({ 0: action, index }) => ({
    start: index,
    code: action.replaceAll(textPattern, (literal) => ' '.repeat(literal.length)),
  }));
}

function namesIn(code: string): { readonly name: string; readonly kind: FindingKind; readonly offset: number }[] {
  const called = [...code.matchAll(/(?<![.$\w])[a-zA-Z]\w*/g)].flatMap(({ 0: name, index }) => {
    const kind = Object.hasOwn(functions, name) ? functions[name] : undefined;
    return kind === undefined ? [] : [{ name, kind, offset: index }];
  });
  const read = fields.flatMap(({ pattern, name, kind }) => {
    const offset = code.search(pattern);
    return offset < 0 ? [] : [{ name, kind, offset }];
  });
  return [...called, ...read];
}

/** A day that is over, in place of `now`: what differs between the two tells the time of its rendering. */
const then = '(toDate "2006-01-02" "2001-02-03")';

/** The chart with another time for `now`, in its templates. */
export function atAnotherTime(files: ChartFiles, findings: readonly Finding[]): ChartFiles {
  const changed = new Map(files);
  for (const path of new Set(findings.flatMap(({ name, path: file }) => (name === 'now' ? [file] : [])))) {
    const text = decodeText(files.get(path) ?? new Uint8Array()) ?? '';
    let moved = '';
    let end = 0;
    for (const { start, code } of actionsOf(text)) {
      for (const { name, offset } of namesIn(code)) {
        if (name !== 'now') continue;
        moved += text.slice(end, start + offset) + then;
        end = start + offset + name.length;
      }
    }
    changed.set(path, utf8ToBytes(moved + text.slice(end)));
  }
  return changed;
}

/** Whether anything of a chart or its values asks what the cluster can do; rather once too often. */
export function asksCapabilities({ files }: LoadedChart, values: readonly string[]): boolean {
  const texts = [...files].flatMap(([path, bytes]) => (/(?:^|\/)crds\//.test(path) ? [] : (decodeText(bytes) ?? [])));
  const constrains = [...files].some(
    ([path, bytes]) => /(?:^|\/)Chart\.yaml$/.test(path) && /^kubeVersion:/m.test(decodeText(bytes) ?? ''),
  );
  return constrains || [...texts, ...values].some((text) => text.includes('Capabilities'));
}
