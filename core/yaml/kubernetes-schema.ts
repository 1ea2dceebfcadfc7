import {
  NOT_RESOLVED,
  Schema,
  boolYaml11Tag,
  defineMappingTag,
  defineScalarTag,
  defineSequenceTag,
  mergeTag,
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
function parseInteger(source: string): number | bigint | undefined {
  const plain = source.replaceAll('_', '');
  if (!integerPattern.test(plain)) return undefined;
  const unsigned = plain.replace(/^[-+]/, '');
  const value = BigInt(/^0[0-7]+$/.test(unsigned) ? `0o${unsigned.slice(1)}` : unsigned);
  const signed = plain.startsWith('-') ? -value : value;
  const exact = Number(signed);
  return Number.isSafeInteger(exact) ? exact : signed;
}

function resolveInteger(source: string): number | Refused | typeof NOT_RESOLVED {
  const value = parseInteger(source);
  if (value === undefined) return NOT_RESOLVED;
  if (typeof value === 'number') return value;
  return new Refused(`integer ${value} cannot be kept exactly (beyond 2^53); quote it if it is text`);
}

function resolveFloat(source: string): number | Refused | typeof NOT_RESOLVED {
  if (notFinitePattern.test(source))
    return new Refused(`${source} has no place in JSON; quote it if it is text`);
  const plain = source.startsWith('.') ? source : source.replaceAll('_', '');
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
    list.push(item);
    return '';
  },
});

type Members = Record<string, unknown>;

const mapTag = defineMappingTag<Members>('tag:yaml.org,2002:map', {
  ...readOnly,
  create: () => ({}),
  addPair: (map, key, value) => {
    if (value instanceof Refused) return value.reason;
    const name = keyOf(key);
    if (name instanceof Refused) return name.reason;
    // Assigned, `__proto__` would vanish; it is a key like any other.
    if (name !== '__proto__') map[name] = value;
    else Object.defineProperty(map, name, { value, enumerable: true, configurable: true, writable: true });
    return '';
  },
  has: (map, key) => {
    const name = keyOf(key);
    return typeof name === 'string' && Object.hasOwn(map, name);
  },
  keys: (map) => Object.keys(map),
  get: (map, key) => map[String(key)],
});

/** JSON keys are text: Go spells whole numbers and booleans out, and so an unquoted `on:` becomes `true`. */
function keyOf(key: unknown): string | Refused {
  if (typeof key === 'string') return key;
  if (typeof key === 'boolean' || Number.isSafeInteger(key)) return String(key);
  if (key instanceof Refused) return key;
  if (key === null) return new Refused('a key is null; quote it if it is text');
  return new Refused('a key must be text; quote it');
}

/** For js-yaml's `schema` option. */
export const kubernetesSchema = new Schema([
  strTag,
  nullYaml11Tag,
  boolYaml11Tag,
  integerTag,
  floatTag,
  mergeTag,
  listTag,
  mapTag,
]);
