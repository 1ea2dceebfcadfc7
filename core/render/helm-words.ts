import { utf8ToBytes } from '@noble/hashes/utils.js';
import { base64 } from '@scure/base';
import { Stop } from '../errors.ts';
import type { HelmOptions } from '../model/helm.ts';
import type { Json, JsonObject } from '../model/json.ts';
import { isJsonObject } from '../model/json.ts';
import type { LoadedChart } from './helm-load.ts';

/** What Helm said, as a fault with a place in the repository and without a value that may be secret. */
export function helmFault(words: string, chart: LoadedChart, secrets: readonly string[]): Stop {
  const plain = withoutDumps(words.replace(/^Error: /, '').replace(/\n+Use --debug flag[^]*$/, ''));
  const message = masked(plain, secrets).trim();
  // Of `a/templates/x.yaml:16:8` the innermost is last; the first is where a person begins.
  const [, file = '', line = ''] =
    /\b[-._A-Za-z0-9]+\/((?:charts|templates|crds)\/[^\s:()]+)(?::([0-9]+))?/.exec(plain) ?? [];
  const subject = file === '' ? `chart ${chart.metadata.name}` : chart.placeOf(file) + (line && `:${line}`);
  return new Stop({ subject, message: `is not rendered: ${message}` });
}

/** Go prints whole maps and lists into its errors. */
function withoutDumps(words: string): string {
  return words
    .split('\n')
    .filter((line) => !/^\s*level=|^coalesce\.go|^[0-9/]+ [0-9:]+ warning:/.test(line))
    .join('\n')
    .replaceAll(/map\[[^\n]*\]/g, 'map[…]')
    .replaceAll(/\[\]interface \{\}\{[^\n]*\}/g, '[…]')
    .replaceAll(/(failed parsing --set(?:-[a-z]+)? data)[^]*$/g, '$1: mend the name in helm.parameters');
}

function masked(words: string, secrets: readonly string[]): string {
  return secrets.reduce((text, secret) => text.replaceAll(secret, '***'), words);
}

const secretName = /pass|secret|token|credential|private|auth|key|cert|dsn|webhook|url/i;

/**
 * Every text that Helm must not quote, longest first: what the Application gives beyond the chart's own defaults, and
 * whatever has the name of a secret; each also line by line and in base64.
 */
export function secretTexts(
  given: readonly JsonObject[],
  parameters: HelmOptions['parameters'],
  defaults: JsonObject,
): readonly string[] {
  const known = new Set(textsOf(defaults, false));
  const own = given
    .flatMap((values) => textsOf(values, false))
    .filter((text) => !known.has(text) && text.length > 3);
  const named = [...given, defaults]
    .flatMap((values) => textsOf(values, true))
    .filter((text) => text.length > 3);
  const set = parameters.map(({ value }) => value).filter((text) => !known.has(text) && text.length > 3);
  const texts = [...own, ...named, ...set].flatMap((text) => [
    text,
    ...text.split('\n').filter((line) => line.trim().length > 3),
  ]);
  const all = texts.flatMap((text) => [
    text,
    base64.encode(utf8ToBytes(text)),
    JSON.stringify(text).slice(1, -1),
  ]);
  return [...new Set(all)].sort((a, b) => b.length - a.length);
}

/** Texts at any depth; `isNamed`: only those below a name that sounds secret. */
function textsOf(value: Json, isNamed: boolean, isBelow = !isNamed): string[] {
  if (typeof value === 'string') return isBelow ? [value] : [];
  if (typeof value === 'number') return isBelow && String(value).length > 3 ? [String(value)] : [];
  if (Array.isArray(value)) return value.flatMap((item: Json) => textsOf(item, isNamed, isBelow));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    textsOf(member, isNamed, isBelow || secretName.test(name)),
  );
}
