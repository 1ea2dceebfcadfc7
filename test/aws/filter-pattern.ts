import { isJsonObject, type Json } from '../../core/model/json.ts';

/**
 * JSON filter patterns of CloudWatch Logs, as its user guide defines them, since no emulator evaluates these. What the
 * guide leaves open is as others found it on AWS: a condition on a field that is not there is false, `!=` too
 * (github.com/DataBiosphere/azul/issues/5884).
 */
export function matchesPattern(pattern: string, line: string): boolean {
  const test = compilePattern(pattern);
  return test(line);
}

/** The pattern, read once. Throws for what is no JSON pattern. */
export function compilePattern(pattern: string): (line: string) => boolean {
  const tokens = [...tokensOf(pattern)];
  const reader = new PatternReader(tokens);
  const condition = reader.pattern();
  return (line) => {
    const event = parsed(line);
    return event !== undefined && condition(event);
  };
}

type Condition = (event: Json) => boolean;

const tokenPattern =
  /\s*(?:(?<word>\$(?:\.[\w-]+|\[\d+\])+|&&|\|\||!=|<=|>=|[={}()<>])|"(?<quoted>(?:[^"\\]|\\.)*)"|(?<bare>[\w.*+-]+))/y;

interface Token {
  readonly text: string;
  readonly kind: 'word' | 'quoted' | 'bare';
}

function* tokensOf(pattern: string): Iterable<Token> {
  const text = pattern.trimEnd();
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < text.length) {
    const at = tokenPattern.lastIndex;
    const { word, quoted, bare } = tokenPattern.exec(text)?.groups ?? {};
    if (word !== undefined) yield { kind: 'word', text: word };
    else if (quoted !== undefined) yield { kind: 'quoted', text: quoted.replaceAll(/\\(.)/g, '$1') };
    else if (bare !== undefined) yield { kind: 'bare', text: bare };
    else throw new Error(`invalid filter pattern at character ${at}: ${text.slice(at, at + 20)}`);
  }
}

class PatternReader {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  pattern(): Condition {
    this.#expect('{');
    const condition = this.#either();
    this.#expect('}');
    if (this.#next < this.#tokens.length) throw new Error('invalid filter pattern: more after its end');
    return condition;
  }

  #either(): Condition {
    const parts = [this.#both()];
    while (this.#takes('||')) parts.push(this.#both());
    return (event) => parts.some((part) => part(event));
  }

  #both(): Condition {
    const parts = [this.#one()];
    while (this.#takes('&&')) parts.push(this.#one());
    return (event) => parts.every((part) => part(event));
  }

  #one(): Condition {
    if (this.#takes('(')) {
      const inner = this.#either();
      this.#expect(')');
      return inner;
    }
    const { text: selector } = this.#take();
    if (!selector.startsWith('$')) throw new Error(`invalid filter pattern: ${selector} is no selector`);
    const operator = this.#take().text;
    if (operator === 'NOT') {
      this.#expect('EXISTS');
      return (event) => select(event, selector) === undefined;
    }
    if (operator === 'IS') return is(selector, this.#take().text);
    return compares(selector, operator, this.#take());
  }

  #take(): Token {
    const token = this.#tokens[this.#next];
    if (token === undefined) throw new Error('invalid filter pattern: it ends too early');
    this.#next += 1;
    return token;
  }

  #takes(text: string): boolean {
    const token = this.#tokens[this.#next];
    if (token?.kind !== 'word' || token.text !== text) return false;
    this.#next += 1;
    return true;
  }

  #expect(text: string): void {
    const token = this.#take();
    if (token.text !== text) throw new Error(`invalid filter pattern: ${text} expected, not ${token.text}`);
  }
}

function is(selector: string, word: string): Condition {
  const expected = new Map<string, Json>([
    ['NULL', null],
    ['TRUE', true],
    ['FALSE', false],
  ]).get(word);
  if (expected === undefined) throw new Error(`invalid filter pattern: IS ${word}`);
  return (event) => select(event, selector) === expected;
}

const numberPattern = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i;

function compares(selector: string, operator: string, { kind, text }: Token): Condition {
  const isNumeric = kind === 'bare' && numberPattern.test(text);
  if (operator !== '=' && operator !== '!=' && !isNumeric) {
    throw new Error(`invalid filter pattern: ${operator} compares numbers, not ${text}`);
  }
  return (event) => {
    const value = select(event, selector);
    // An object, a list, or nothing: the condition does not apply.
    if (typeof value !== 'string' && typeof value !== 'number') return false;
    if (isNumeric && typeof value === 'number') return compareNumbers(value, operator, Number(text));
    if (operator === '=') return isLike(String(value), text);
    return operator === '!=' && !isLike(String(value), text);
  };
}

function compareNumbers(value: number, operator: string, bound: number): boolean {
  switch (operator) {
    case '=':
      return value === bound;
    case '!=':
      return value !== bound;
    case '<':
      return value < bound;
    case '<=':
      return value <= bound;
    case '>':
      return value > bound;
    default:
      return value >= bound;
  }
}

/** An asterisk stands for any text at the beginning and at the end, and for itself in between. */
function isLike(value: string, pattern: string): boolean {
  if (pattern === '*') return true;
  const [before, after] = [pattern.startsWith('*'), pattern.endsWith('*')];
  const term = pattern.slice(before ? 1 : 0, after ? -1 : undefined);
  if (before && after) return value.includes(term);
  if (before) return value.endsWith(term);
  return after ? value.startsWith(term) : value === term;
}

function select(event: Json, selector: string): Json | undefined {
  let value: Json | undefined = event;
  for (const [, name, index] of selector.matchAll(/\.([\w-]+)|\[(\d+)\]/g)) {
    if (index !== undefined) value = Array.isArray(value) ? value[Number(index)] : undefined;
    else value = isJsonObject(value) && name !== undefined ? value[name] : undefined;
  }
  return value;
}

function parsed(line: string): Json | undefined {
  try {
    return JSON.parse(line) as Json;
  } catch {
    return undefined;
  }
}
