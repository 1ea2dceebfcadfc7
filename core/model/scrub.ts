import { clipped } from './clipped.ts';

/** What a person reads of a text, at most. */
const mostCharacters = 400;
/** Texts are made up by strangers: no more of one is looked at. */
const mostRead = 4000;

/** Forms that are secret wherever they stand. Each reads a text once: there is no backtracking over what a stranger wrote. */
const secretForms: readonly RegExp[] = [
  /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^-]*-{0,5}(?:END [A-Z ]{0,30}PRIVATE KEY-----)?/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bgl[a-z]{2,6}-[\w-]{20,}/g,
  /\bxox[a-z]-[\w-]{10,}|\bxapp-[\w-]{10,}/g,
  /\bwhsec_[\w+/=]{10,}|\bAGE-SECRET-KEY-1\w{10,}/g,
  /\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?/g,
  /(?<![\w+=])(?=[\d+_]{0,38}[A-Za-z])(?=[a-z\d+_]{0,38}[A-Z])(?=[A-Za-z+_]{0,38}\d)[\w+]{40,}={0,2}/g,
];

/** Kept up to the secret itself. */
const secretPlaces: readonly RegExp[] = [
  /(\b[a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/@]{1,500}(?=@)/gi,
  /(\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}/gi,
  /([?&][\w.-]{0,40}(?:sig|signature|token|key|secret|password)=)[^\s&"']+/gi,
  /(\b[\w.-]{0,40}(?:password|passwd|passphrase|secret|token|api[-_]?key|access[-_]?key|credential)s?["']?\s{0,3}=\s{0,3})["']?[^\s"',;]+/gi,
  /(\b[\w.-]{0,40}(?:password|passwd|passphrase|token|api[-_]?key|access[-_]?key)s?["']?:\s{0,3})(?:"[^"]+"|'[^']+'|(?=\S{0,60}\d)[^\s"',;]{8,})/gi,
];

/** How an API server quotes what it was given: contents of objects, which belong in no message. */
const quotedValue = /\b(Invalid|Unsupported|Duplicate|Too long|Too many|Forbidden) value: /g;

/**
 * A text of somebody else (an API server, a renderer, a controller) as it may leave the installation: one line, of a length
 * that is read, without what looks like a secret and without values that the API server quotes.
 */
export function scrub(text: string): string {
  let clean = withoutQuotedValues(text.slice(0, mostRead));
  for (const form of secretForms) clean = clean.replaceAll(form, '…');
  for (const place of secretPlaces) clean = clean.replaceAll(place, '$1…');
  const line = clean
    .replaceAll(/\p{Bidi_Control}/gu, '')
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim();
  return clipped(line, mostCharacters);
}

function withoutQuotedValues(text: string): string {
  const parts: string[] = [];
  let from = 0;
  for (const match of text.matchAll(quotedValue)) {
    const start = match.index + match[0].length;
    // Inside of a value that was left out already.
    if (match.index < from) continue;
    parts.push(text.slice(from, start), '…');
    from = endOfValue(text, start);
  }
  return [...parts, text.slice(from)].join('');
}

/** A Go or JSON string, something in brackets, or whatever stands before the next colon and space. */
function endOfValue(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '"' || character === '`') {
      at = endOfString(text, at, character);
      if (depth === 0) return at + 1;
    } else if ('{[('.includes(character)) depth += 1;
    else if ('}])'.includes(character)) {
      depth -= 1;
      if (depth <= 0) return at + 1;
    } else if (depth === 0 && (text.startsWith(': ', at) || text.startsWith(', ', at))) return at;
  }
  return text.length;
}

function endOfString(text: string, start: number, quote: string): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text.charAt(at) === '\\' && quote === '"') at += 1;
    else if (text.charAt(at) === quote) return at;
  }
  return text.length;
}
