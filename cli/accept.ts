import { isMap, isSeq, parseAllDocuments, stringify, type Document, type YAMLMap, type YAMLSeq } from 'yaml';
import { Stop } from '../core/errors.ts';
import { canonicalJson, type Json } from '../core/model/json.ts';
import type { Rule } from '../core/model/rule.ts';

/** Where text goes into a file, and what. */
interface Insertion {
  readonly at: number;
  readonly text: string;
}

/**
 * The text of an Application file with one rule more, at the end of `spec.rules`. Nothing else of the file changes:
 * comments, order, quotes and line ends stay as they are. `application` tells which one is meant where a file holds
 * several. Throws Stop when the file is not fit for it.
 */
export function addRule(text: string, rule: Rule, application?: string): string {
  const document = documentOf(text, application);
  const spec = document.get('spec');
  if (!isMap(spec)) throw new Stop({ subject: nameIn(document), message: 'has no spec to put a rule into' });
  const { at, text: addition } = insertionFor(text, spec, rule);
  const ends = text.includes('\r\n') ? addition.replaceAll('\n', '\r\n') : addition;
  const result = text.slice(0, at) + ends + text.slice(at);
  const written = documentOf(result, application).getIn(['spec', 'rules']);
  const last = isSeq(written) ? (written.toJSON() as Json[]).at(-1) : undefined;
  if (last === undefined || canonicalJson(last) !== canonicalJson(asJson(rule))) {
    const message = 'is written in a way that no rule can be added to by itself; add it by hand';
    throw new Stop({ subject: nameIn(document), message });
  }
  return result;
}

function documentOf(text: string, application: string | undefined): Document {
  const documents = parseAllDocuments(text, { keepSourceTokens: true });
  const list = 'empty' in documents ? [] : documents;
  const fault = list.flatMap(({ errors }) => errors)[0];
  if (fault !== undefined)
    throw new Stop({ subject: 'the Application file', message: `is not YAML: ${fault.message}` });
  const found = list.filter(
    (each) =>
      each.get('kind') === 'Application' &&
      (application === undefined || each.getIn(['metadata', 'name']) === application),
  );
  const [document, ...more] = found;
  if (document !== undefined && more.length === 0) return document;
  const which = application === undefined ? '' : ` named ${application}`;
  const message = `holds ${found.length} Applications${which}, and a rule goes into one`;
  throw new Stop({ subject: 'the Application file', message });
}

function nameIn(document: Document): string {
  return `Application ${String(document.getIn(['metadata', 'name']))}`;
}

function insertionFor(text: string, spec: YAMLMap, rule: Rule): Insertion {
  const rules = spec.get('rules');
  if (isSeq(rules)) return rules.flow === true ? intoFlow(rules, rule) : afterLast(text, rules, rule);
  if (spec.flow === true) {
    return {
      at: endOf(spec) - 1,
      text: `${spec.items.length > 0 ? ', ' : ''}rules: [${JSON.stringify(rule)}]`,
    };
  }
  const column = columnOf(text, startOf(spec));
  if (spec.has('rules')) return { at: lineEnd(text, keyEnd(spec)), text: `\n${itemOf(rule, column + 2)}` };
  const at = lineEnd(text, endOf(spec));
  return { at, text: `\n${' '.repeat(column)}rules:\n${itemOf(rule, column + 2)}` };
}

/** JSON is YAML. */
function intoFlow(rules: YAMLSeq, rule: Rule): Insertion {
  return { at: endOf(rules) - 1, text: `${rules.items.length > 0 ? ', ' : ''}${JSON.stringify(rule)}` };
}

function afterLast(text: string, rules: YAMLSeq, rule: Rule): Insertion {
  return { at: lineEnd(text, endOf(rules)), text: `\n${itemOf(rule, columnOf(text, startOf(rules)))}` };
}

/** A list item without its last line end. */
function itemOf(rule: Rule, column: number): string {
  const lines = stringify([asJson(rule)], { lineWidth: 0 })
    .trimEnd()
    .split('\n');
  return lines.map((line) => `${' '.repeat(column)}${line}`).join('\n');
}

function startOf({ range }: YAMLMap | YAMLSeq): number {
  return range?.[0] ?? 0;
}

/** Behind the value itself: comments and empty lines that follow it belong to what comes after. */
function endOf({ range }: YAMLMap | YAMLSeq): number {
  return range?.[1] ?? 0;
}

/** Of `rules:` without a value. */
function keyEnd(spec: YAMLMap): number {
  const pair = spec.items.find(({ key }) => String(key) === 'rules');
  const key = pair?.key;
  return typeof key === 'object' && key !== null && 'range' in key && Array.isArray(key.range)
    ? Number(key.range[1])
    : 0;
}

function columnOf(text: string, at: number): number {
  return at - (text.lastIndexOf('\n', at - 1) + 1);
}

/** Where the line ends that a value ends in: its comment stays with it. A block text ends behind its line end. */
function lineEnd(text: string, at: number): number {
  const from = text[at - 1] === '\n' ? at - 1 : at;
  const end = text.indexOf('\n', from);
  if (end < 0) return text.length;
  return text[end - 1] === '\r' ? end - 1 : end;
}

function asJson(rule: Rule): Json {
  return JSON.parse(JSON.stringify(rule)) as Json;
}
