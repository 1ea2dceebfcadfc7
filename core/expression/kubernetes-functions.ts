import type { Environment } from '@marcbachmann/cel-js';
import { RE2JS, RE2JSSyntaxException } from 're2js';
import { Quantity, isQuantity } from './quantity.ts';

/** Namespace of functions that CEL writes `sets.contains(a, b)`. */
class Sets {
  readonly name = 'sets';
}

/**
 * What Kubernetes adds to CEL, as far as its policies commonly use it: strings, lists, sets, regular expressions and
 * quantities. Regular expressions are RE2's, as CEL has them, so that none takes for ever on a stranger's text.
 */
export function addKubernetesFunctions(language: Environment): void {
  language
    .registerFunction('string.matchesRe2(string): bool', (text: string, pattern: string) =>
      regularExpression(pattern).test(text),
    )
    .registerFunction('string.find(string): string', (text: string, pattern: string) => {
      const matcher = regularExpression(pattern).matcher(text);
      return matcher.find() ? (matcher.group() ?? '') : '';
    })
    .registerFunction('string.findAll(string): list<string>', (text: string, pattern: string) =>
      found(text, pattern),
    )
    .registerFunction(
      'string.findAll(string, int): list<string>',
      (text: string, pattern: string, most: bigint) => found(text, pattern).slice(0, Number(most)),
    )
    .registerFunction('string.replace(string, string): string', (text: string, old: string, by: string) =>
      text.split(old).join(by),
    )
    .registerFunction('string.charAt(int): string', (text: string, at: bigint) => text.charAt(Number(at)))
    .registerFunction('string.format(list<dyn>): string', format);
  addLists(language);
  addQuantities(language);
}

function regularExpression(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (cause) {
    if (!(cause instanceof RE2JSSyntaxException)) throw cause;
    throw new Error(`Invalid regular expression: ${pattern}`, { cause });
  }
}

function found(text: string, pattern: string): readonly string[] {
  const matcher = regularExpression(pattern).matcher(text);
  const all: string[] = [];
  while (matcher.find()) all.push(matcher.group() ?? '');
  return all;
}

/** `%s` and `%d` of what stands in the list, in turn; other verbs by their plain text. */
function format(text: string, values: readonly unknown[]): string {
  let at = 0;
  return text.replaceAll(/%(?:%|(?:\.\d+)?[sdfbxXoe])/g, (verb) =>
    verb === '%%' ? '%' : String(values[at++]),
  );
}

function addLists(language: Environment): void {
  language
    .registerFunction('list<dyn>.sum(): dyn', (list: readonly (bigint | number)[]) => {
      const [first, ...rest] = list;
      return rest.reduce((sum, each) => added(sum, each), first ?? 0n);
    })
    .registerFunction('list<dyn>.min(): dyn', (list: readonly unknown[]) => extreme(list, -1))
    .registerFunction('list<dyn>.max(): dyn', (list: readonly unknown[]) => extreme(list, 1))
    .registerFunction('list<dyn>.isSorted(): bool', (list: readonly unknown[]) =>
      list.every((each, at) => at === 0 || compare(list[at - 1], each) <= 0),
    )
    .registerFunction('list<dyn>.indexOf(dyn): int', (list: readonly unknown[], wanted: unknown) =>
      BigInt(list.indexOf(wanted)),
    )
    .registerType('SetsNamespace', Sets)
    .registerConstant('sets', 'SetsNamespace', new Sets())
    .registerFunction(
      'SetsNamespace.contains(list<dyn>, list<dyn>): bool',
      (_sets, all: unknown[], some: unknown[]) => new Set(some).isSubsetOf(new Set(all)),
    )
    .registerFunction(
      'SetsNamespace.intersects(list<dyn>, list<dyn>): bool',
      (_sets, a: unknown[], b: unknown[]) => !new Set(a).isDisjointFrom(new Set(b)),
    )
    .registerFunction(
      'SetsNamespace.equivalent(list<dyn>, list<dyn>): bool',
      (_sets, a: unknown[], b: unknown[]) => new Set(a).symmetricDifference(new Set(b)).size === 0,
    );
}

function added(a: bigint | number, b: bigint | number): bigint | number {
  return typeof a === 'bigint' && typeof b === 'bigint' ? a + b : Number(a) + Number(b);
}

function extreme(list: readonly unknown[], sign: 1 | -1): unknown {
  if (list.length === 0) throw new Error('min and max of an empty list');
  return list.reduce((best, each) => (compare(each, best) * sign > 0 ? each : best));
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : Number(a > b);
  return Number(a) - Number(b);
}

function addQuantities(language: Environment): void {
  const name = 'kubernetes.Quantity';
  language
    .registerType(name, Quantity)
    .registerFunction(`quantity(string): ${name}`, (text: string) => new Quantity(text))
    .registerFunction('isQuantity(string): bool', isQuantity)
    .registerFunction(`${name}.isGreaterThan(${name}): bool`, (a: Quantity, b: Quantity) => a.value > b.value)
    .registerFunction(`${name}.isLessThan(${name}): bool`, (a: Quantity, b: Quantity) => a.value < b.value)
    .registerFunction(`${name}.compareTo(${name}): int`, (a: Quantity, b: Quantity) =>
      BigInt(Math.sign(a.value - b.value)),
    )
    .registerFunction(`${name}.sign(): int`, (a: Quantity) => BigInt(Math.sign(a.value)))
    .registerFunction(`${name}.isInteger(): bool`, (a: Quantity) => Number.isInteger(a.value))
    .registerFunction(`${name}.asInteger(): int`, (a: Quantity) => BigInt(a.value))
    .registerFunction(`${name}.asApproximateFloat(): double`, (a: Quantity) => a.value);
}
