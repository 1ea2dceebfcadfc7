import type { Json } from '../../../core/model/json.ts';

/** For reading alone: JSON without its quotes and brackets, in the shape of YAML. Texts that YAML could misread keep quotes. */
export function yamlOf(value: Json, depth = 0): string {
  const pad = '  '.repeat(depth);
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    return value.map((item: Json) => `\n${pad}- ${yamlOf(item, depth + 1).trimStart()}`).join('');
  }
  if (value !== null && typeof value === 'object') {
    // In one order, so that two of the same object can be laid side by side.
    const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
    if (members.length === 0) return '{}';
    const lines = members.map(([name, member]) => {
      const text = yamlOf(member, depth + 1);
      return `\n${pad}${plain(name)}:${text.startsWith('\n') ? text : ` ${text}`}`;
    });
    return depth === 0 ? lines.join('').trimStart() : lines.join('');
  }
  if (typeof value !== 'string') return JSON.stringify(value);
  if (!value.includes('\n')) return plain(value);
  return `|\n${value
    .trimEnd()
    .split('\n')
    .map((line) => `${pad}${line}`)
    .join('\n')}`;
}

function plain(text: string): string {
  const isSafe =
    /^[\w./@ -]*[\w./-]$/.test(text) && !/^(?:[\d.+-]|true$|false$|null$|yes$|no$|on$|off$)/i.test(text);
  return isSafe ? text : JSON.stringify(text);
}
