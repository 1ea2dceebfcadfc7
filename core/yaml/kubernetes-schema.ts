import {
  NOT_RESOLVED,
  Schema,
  boolYaml11Tag,
  defineMappingTag,
  defineScalarTag,
  defineSequenceTag,
  nullYaml11Tag,
  strTag,
} from 'js-yaml';

/**
 * The scalars, lists and maps of YAML as Go's sigs.k8s.io/yaml reads them, which is what kubectl uses: YAML 1.1 booleans,
 * octal with and without `o`, no dates, no base 60. What JSON cannot hold, or JavaScript not exactly, is refused:
 * a value silently changed on its way to a cluster is worse than an error that names file and line.
 */

/** Stands for a scalar until the list, map or document around it refuses it: only there js-yaml knows the line. */
export class Refused {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

const digits = '0123456789'.split('');
const integerPattern = /^[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/;
const floatPattern = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const notFinitePattern = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;

/** Go drops underscores between digits; JavaScript spells octal `0o` only. */
function parseInteger(source: string): number | Refused | undefined {
  const plain = source.replaceAll('_', '');
  if (!integerPattern.test(plain)) return undefined;
  const unsigned = plain.replace(/^[-+]/, '');
  const value = BigInt(/^0[0-7]+$/.test(unsigned) ? `0o${unsigned.slice(1)}` : unsigned);
  const signed = plain.startsWith('-') ? -value : value;
  const exact = Number(signed);
  // The value itself is not told: it may be of a Secret.
  return Number.isSafeInteger(exact)
    ? exact
    : new Refused('an integer beyond 2^53 cannot be kept exactly; quote it if it is text');
}

function resolveInteger(source: string): number | Refused | typeof NOT_RESOLVED {
  return parseInteger(source) ?? NOT_RESOLVED;
}

function resolveFloat(source: string): number | Refused | typeof NOT_RESOLVED {
  if (notFinitePattern.test(source))
    return new Refused(`${source} has no place in JSON; quote it if it is text`);
  // Behind a leading point Go wants underscores between digits, elsewhere it does not look.
  if (source.startsWith('.') && /(?<![0-9])_|_(?![0-9])/.test(source)) return NOT_RESOLVED;
  const plain = source.replaceAll('_', '');
  if (!floatPattern.test(plain)) return NOT_RESOLVED;
  const value = Number(plain);
  // Go finds 1e400 out of range, and takes it for text.
  return Number.isFinite(value) ? value : NOT_RESOLVED;
}

const readOnly = { identify: () => false };

const integerTag = defineScalarTag<number | Refused>('tag:yaml.org,2002:int', {
  ...readOnly,
  implicit: true,
  implicitFirstChars: ['-', '+', ...digits],
  resolve: resolveInteger,
});

const floatTag = defineScalarTag<number | Refused>('tag:yaml.org,2002:float', {
  ...readOnly,
  implicit: true,
  implicitFirstChars: ['-', '+', '.', ...digits],
  resolve: resolveFloat,
});

const listTag = defineSequenceTag<unknown[]>('tag:yaml.org,2002:seq', {
  ...readOnly,
  create: () => [],
  addItem: (list, item) => {
    if (item instanceof Refused) return item.reason;
    list.push(item === merge ? '<<' : item);
    return '';
  },
});

/** The key `<<`, unquoted. */
const merge = Symbol('<<');

const mergeTag = defineScalarTag<symbol>('tag:trueup.dev,2026:merge', {
  ...readOnly,
  implicit: true,
  implicitFirstChars: ['<'],
  resolve: (source) => (source === '<<' ? merge : NOT_RESOLVED),
});

type Members = Record<string, unknown>;

/** A thousand merges of a thousand keys fit into a small file. */
const maxMergedKeys = 100_000;

/** Maps of one read, which count what is merged. */
function mapTag() {
  /** Keys of a map that came by merge, and may yet be given by themselves. */
  const mergedKeys = new WeakMap<Members, Set<string>>();
  let left = maxMergedKeys;

  function mergeOne(map: Members, source: unknown, merged: Set<string>): string {
    if (typeof source !== 'object' || source === null || Array.isArray(source)) return '<< must name a map';
    for (const [key, value] of Object.entries(source)) {
      left -= 1;
      if (left < 0) return `more than ${maxMergedKeys} keys are merged; write them out or split the file`;
      if (Object.hasOwn(map, key) && !merged.has(key)) {
        // kubectl lets the merge win, kustomize and YAML itself the key.
        return `key ${key} stands before a << that has it too, which tools read differently; put << first`;
      }
      setMember(map, key, value);
      merged.add(key);
    }
    return '';
  }

  function addMerge(map: Members, value: unknown): string {
    const merged = mergedKeys.get(map) ?? new Set<string>();
    mergedKeys.set(map, merged);
    // The first of a list wins, so it comes last.
    const sources = Array.isArray(value) ? value.toReversed() : [value];
    return sources.map((source) => mergeOne(map, source, merged)).find((fault) => fault !== '') ?? '';
  }

  return defineMappingTag<Members>('tag:yaml.org,2002:map', {
    ...readOnly,
    create: () => ({}),
    addPair: (map, key, value) => {
      if (value instanceof Refused) return value.reason;
      if (key === merge) return addMerge(map, value);
      const name = keyOf(key);
      if (name instanceof Refused) return name.reason;
      setMember(map, name, value === merge ? '<<' : value);
      mergedKeys.get(map)?.delete(name);
      return '';
    },
    has: (map, key) => {
      const name = keyOf(key);
      return typeof name === 'string' && Object.hasOwn(map, name) && mergedKeys.get(map)?.has(name) !== true;
    },
    keys: (map) => Object.keys(map),
    get: (map, key) => map[String(key)],
  });
}

/** Assigned, `__proto__` would vanish; it is a key like any other. */
function setMember(map: Members, name: string, value: unknown): void {
  if (name !== '__proto__') map[name] = value;
  else Object.defineProperty(map, name, { value, enumerable: true, configurable: true, writable: true });
}

/** JSON keys are text: Go spells whole numbers and booleans out, and so an unquoted `on:` becomes `true`. */
function keyOf(key: unknown): string | Refused {
  if (typeof key === 'string') return key;
  if (typeof key === 'boolean' || Number.isSafeInteger(key)) return String(key);
  if (key instanceof Refused) return key;
  if (key === null) return new Refused('a key is null; quote it if it is text');
  return new Refused('a key must be text; quote it');
}

/** For js-yaml's `schema` option; one for each read. */
export function kubernetesSchema(): Schema {
  return new Schema([
    strTag,
    nullYaml11Tag,
    boolYaml11Tag,
    integerTag,
    floatTag,
    mergeTag,
    listTag,
    mapTag(),
  ]);
}
