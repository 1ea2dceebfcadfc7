/** Where variables come from. Undefined: there is none of that name. */
export type Lookup = (name: string) => string | undefined;

/** What is wrong with a text that has variables; the words name no file. */
export class BadExpression extends Error {}

/** Nothing else is wrong than that nobody gave a value. */
export class MissingVariable extends BadExpression {}

const namePattern = /^[A-Za-z_][A-Za-z0-9_]*/;

/** Defaults in defaults; nobody writes more, and each takes a part of the stack. */
const maxDepth = 32;

/**
 * Replaces `${NAME}` and its forms with defaults, cases, parts and replacements, as Flux does; `$${NAME}` gives `${NAME}`,
 * and `$NAME` without braces is left alone. Throws BadExpression for a variable that is not there and has no default.
 * `depth`: of how many defaults the text is.
 */
export function expand(text: string, lookup: Lookup, depth = 0): string {
  if (depth > maxDepth) throw new BadExpression(`a default holds defaults, more than ${maxDepth} deep`);
  let result = '';
  let rest = text;
  for (;;) {
    const at = rest.indexOf('${');
    if (at < 0) return result + rest;
    const end = endOf(rest, at);
    const isEscaped = rest[at - 1] === '$';
    result += rest.slice(0, isEscaped ? at - 1 : at);
    result += isEscaped ? rest.slice(at, end) : valueOf(rest.slice(at + 2, end - 1), lookup, depth);
    rest = rest.slice(end);
  }
}

/** The text inside of `${…}` when that is all there is. */
export function isWhole(text: string): boolean {
  return text.startsWith('${') && endOf(text, 0) === text.length;
}

/** Behind the brace that closes the one at `${`; defaults may hold expressions of their own. */
function endOf(text: string, start: number): number {
  let depth = 0;
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '{' && text[at - 1] === '$') depth += 1;
    if (text[at] === '}') depth -= 1;
    if (depth === 0) return at + 1;
  }
  throw new BadExpression('a ${ has no closing brace; write $${ for a text that is no variable');
}

/** What it says of an expression names the variable alone: the rest may be a password that only looks like one. */
function valueOf(inside: string, lookup: Lookup, depth: number): string {
  const isLength = inside.startsWith('#');
  const [name] = namePattern.exec(isLength ? inside.slice(1) : inside) ?? [];
  if (name === undefined) {
    throw new BadExpression('a ${ is followed by no name of a variable; write $${ for a text that is none');
  }
  const form = inside.slice(name.length + (isLength ? 1 : 0));
  const value = lookup(name);
  const byDefault = /^(:?)[-=](.*)$/s.exec(form);
  if (byDefault !== null) {
    const [, colon = '', text = ''] = byDefault;
    const isMissing = value === undefined || (colon === ':' && value === '');
    return isMissing ? expand(text, lookup, depth + 1) : value;
  }
  if (value === undefined) throw new MissingVariable(`there is no variable ${name}`);
  if (isLength && form === '') return String(value.length);
  const changed = form === '' ? value : transformed(value, form);
  if (changed === undefined) throw new BadExpression(`what stands behind ${name} in \${…} is not known`);
  return changed;
}

function transformed(value: string, form: string): string | undefined {
  switch (form) {
    case '^':
      return value.slice(0, 1).toUpperCase() + value.slice(1);
    case '^^':
      return value.toUpperCase();
    case ',':
      return value.slice(0, 1).toLowerCase() + value.slice(1);
    case ',,':
      return value.toLowerCase();
  }
  const part = /^:\s*(\d+)(?::(\d+))?$/.exec(form);
  if (part !== null) {
    const [from, length] = [Number(part[1]), part[2] === undefined ? value.length : Number(part[2])];
    return value.slice(from, from + length);
  }
  const [, trim = '', pattern = ''] = /^(##?|%%?)(.*)$/s.exec(form) ?? [];
  if (trim !== '') return trimmed(value, trim, pattern);
  const [, kind = '', from = '', to = ''] = /^(\/[/#%]?)((?:[^/\\]|\\.)*)\/(.*)$/s.exec(form) ?? [];
  return kind === '' ? undefined : replaced(value, { kind, from: from.replaceAll('\\/', '/'), to });
}

/** Takes the shortest (`#`, `%`) or longest (`##`, `%%`) match of a glob off the start or the end. */
function trimmed(value: string, trim: string, glob: string): string {
  const isStart = trim.startsWith('#');
  const lengths = Array.from({ length: value.length + 1 }, (_, length) => length);
  if (trim.length === 2) lengths.reverse();
  const matches = matcherOf(glob);
  for (const length of lengths) {
    const [part, rest] = isStart
      ? [value.slice(0, length), value.slice(length)]
      : [value.slice(value.length - length), value.slice(0, value.length - length)];
    if (matches(part)) return rest;
  }
  return value;
}

/** `*` and `?` only: what stands between the stars is found from left to right, so that no text is slow to refuse. */
function matcherOf(glob: string): (text: string) => boolean {
  const fits = (text: string, at: number, piece: string) =>
    at >= 0 &&
    at + piece.length <= text.length &&
    piece.split('').every((char, index) => char === '?' || char === text[at + index]);
  const [first = '', ...more] = glob.split('*');
  const last = more.at(-1);
  return (text) => {
    if (!fits(text, 0, first)) return false;
    if (last === undefined) return text.length === first.length;
    let at = first.length;
    for (const piece of more.slice(0, -1)) {
      while (at <= text.length && !fits(text, at, piece)) at += 1;
      at += piece.length;
    }
    return text.length - last.length >= at && fits(text, text.length - last.length, last);
  };
}

function replaced(
  value: string,
  { kind, from, to }: { readonly kind: string; readonly from: string; readonly to: string },
): string {
  if (from === '') return value;
  switch (kind) {
    case '//':
      return value.replaceAll(from, () => to);
    case '/#':
      return value.startsWith(from) ? to + value.slice(from.length) : value;
    case '/%':
      return value.endsWith(from) ? value.slice(0, -from.length) + to : value;
    default:
      return value.replace(from, () => to);
  }
}
