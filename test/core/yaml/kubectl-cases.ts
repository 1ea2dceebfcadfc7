/** Files as people write them, and as they should not. Every object has the label that kubectl is told to add. */

/** A ConfigMap, whatever is in its data. */
export function configMap(name: string, data?: string): string {
  const head = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, labels: {read: back}}\n`;
  return data === undefined ? head : `${head}data:\n${data}`;
}

const inData = (data: string) => configMap('a', data);

function json(name: string, data = '{}'): string {
  return `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"${name}","labels":{"read":"back"}},"data":${data}}`;
}

const crlf = (text: string) => text.replaceAll('\n', '\r\n');

/** Read by kubectl and by us, as the same. */
export const alike: Readonly<Record<string, string>> = {
  // Documents
  'a byte order mark': `\ufeff${configMap('a')}`,
  'a byte order mark in each of two files put together': `\ufeff${configMap('a')}---\n\ufeff${configMap('b')}`,
  'a byte order mark before JSON': `\ufeff${json('a')}`,
  'empty documents': `---\n---\n${configMap('a')}---\n# nothing\n---\n\n---\n${configMap('b')}---`,
  'a null document': `null\n---\n${configMap('a')}`,
  'a comment behind the separator': `--- # first\n${configMap('a')}--- # second\n${configMap('b')}`,
  'spaces and a tab behind the separator': `${configMap('a')}---   \n${configMap('b')}---\t\n${configMap('c')}`,
  'a document that ends': `${configMap('a')}...\n---\n${configMap('b')}`,
  'a separator in a literal': inData('  a: |\n    b\n    ---\n    c\n'),
  'lines that end as on Windows': crlf(
    `${inData('  a: |\n    b\n\n    c\n  d: "e\n    f"\n')}---\n${configMap('b')}`,
  ),
  'lines of both ends': inData('  a: |\r\n    b\n    c\r\n'),
  'no last line end': inData('  a: b').trimEnd(),
  'empty lines and spaces': `\n\n${inData('  a: b   \n   \n  c: d \n')}`,
  'anchors anew in each document': `${inData('  a: &x b\n  c: *x\n')}---\n${inData('  a: &x d\n  c: *x\n')}`,
  // JSON
  'JSON texts in one line': json('a') + json('b'),
  'JSON texts in a line each': `${json('a', '{"x": "}{\\"}"}')}\n${json('b')}\n\n${json('c')}\n`,
  'JSON texts with separators': `${json('a')}\n---\n${json('b')}\n---\n`,
  'JSON documents among YAML': `${configMap('a')}---\n${json('b')}\n`,
  'JSON that has room': `\n\n  ${json('a').replaceAll('{', '{\n\t').replaceAll(',', '\t,\n')}`,
  'escapes of JSON': json(
    'a',
    '{"x":"\\u00e9\\ud83d\\ude00\\/\\b\\f\\n\\r\\t\\"\\\\","y":"\u007f\u2028é😀"}',
  ),
  'numbers of JSON': json('a', '{"a":1.0,"b":1e2,"c":-0,"d":0.1e-7,"e":-1.5E+3}'),
  // Maps, lists and what holds them
  'a list as deep as its key': inData('  a:\n  - b\n  - c: d\n    e: f\n  -\n    g: h\n  - - i\n    - j\n'),
  'a bracket that ends below its key': inData('  a: [\n    b,\n  ]\n  c: {\n    d: e\n  }\n'),
  'a bracket further to the left than its key': inData('  x:\n    a: [\n    b,\n  ]\n  c: d\n'),
  'brackets at the first column': `apiVersion: v1\nkind: ConfigMap\nmetadata: {\n  name: a,\n  labels: {read: back}\n}\ndata: {\n"a": [\n"b"\n],\n"c": "d"\n}\n`,
  'brackets in a list': inData('  a:\n  - [\n    b\n  ]\n  - {\n    c: d\n  }\n  - - [\n    e\n    ]\n'),
  'brackets in lines of Windows': crlf(inData('  a: [\n  b\n  ]\n')),
  'brackets with comments': inData('  a: [b, # c\n    d] # e\n'),
  'brackets of all kinds': inData(
    '  a: [b: c, {d, e: , "f":g, h:i}, [], {}, j k, http://x:80/y, k::l, -1]\n',
  ),
  commas: inData('  a: b,c\n  d: [a,b, c ,]\n'),
  'odd indents': inData('   a: b\n   c:\n     d: e\n   f:\n          g: h\n'),
  'keys of several words': inData(
    '  a b: c\n  d : e\n  f/g.h-i: j\n  "k: l": m\n  ? n\n  : o\n  "": p\n  -q: r\n',
  ),
  'keys that name what JavaScript has': inData('  constructor: b\n  toString: c\n'),
  'keys that are no text': inData('  1: a\n  yes: b\n  0x10: c\n  1_0: d\n  off: e\n  017: f\n'),
  nothing: inData('  a:\n  b: ~\n  c: ""\n  d: null\n  e: {}\n  f: [null, Null, NULL, nUll, ~, "", \'\']\n'),
  // Text
  literals: inData(
    '  a: |2\n      x\n    y\n  b: |-\n    x\n\n  c: |+\n    x\n\n  d: |\n    # x\n    y # z\n\n  e: | # comment\n    \tx\n',
  ).replace('    \tx', '    x\ty'),
  'folded texts': inData(
    '  a: >-\n    a\n    b\n\n    c\n      d\n    e\n  b: >\n    * x\n    * y\n\n    z\n\n',
  ),
  'a literal with spaces at the ends of lines': inData('  a: |\n    x  \n     \n    y\n'),
  'a literal without a last line end': inData('  a: |\n    x'),
  'quoted texts over lines': inData("  a: \"x\n    y\n\n    z\\\n    w\"\n  b: 'x\n    it''s'\n"),
  'quoted texts at the first column': inData('  a: "x\ny"\n  b: \'z\n- w: v\'\n'),
  'plain texts over lines': inData('  a: x\n    y\n\n    z\n'),
  escapes: inData(
    '  a: "\\0\\a\\b\\e\\f\\n\\r\\t\\v\\x41\\u00e9\\U0001F600\\N\\_\\L\\P\\ \\""\n  b: \'\\n\'\n',
  ),
  'signs within text': inData(
    '  a: b#c\n  d: "#e"\n  f: g #h\n  i: j"k\'l\n  m: n[o]\n  p: C:\\q\n  r: --\n  s: ?t\n  u: é😀\n',
  ),
  colons: inData('  a: b:c\n  d: http://x:80/\n  e: ::1\n'),
  'tabs within text': inData('  a: b\tc\n  d:\te\n  f: g\t# h\n  i: |\n    j\tk\n    \tl\n'),
  'a no-break space': inData('  a: b\u00a0c\n  d: \u200be\n'),
  // Values
  booleans: inData('  a: [y, n, Y, N, yes, No, ON, off, True, tRUE, "yes", oN]\n'),
  octal: inData('  a: [0644, 0o644, 0O644, 08, -0644, "0644", 0_7, 007, 01234, 09999, 0123e4]\n'),
  'other bases': inData('  a: [0xFF, 0xfg, -0xF, 0x, 0b11, 0b12, 0x_1F, 0b1_0]\n'),
  'signs and underscores': inData('  a: [+1, +1.5, +, 1_000, _1, 1_, 1_0.5_0, -0, -0.0]\n'),
  floats: inData('  a: [1.0, 1.50, 1e3, 1e-7, .5, 0.1, 1e21, 1E+5, 1e, 12e03, 1., 1.e3, 1e400]\n'),
  'what looks like a float': inData(
    '  a: [1234567e10, 12e45, 0e12345, 1.10, 1.2.3, 1.20e1, v1, ., .., 10.0.0.1, inf, NaN]\n',
  ),
  times: inData('  a: [1:30, 190:20:30, 12:30, -1:30, 1:2:3.5, 2001-12-14, 2001-12-14t21:59:43.10-05:00]\n'),
  units: inData('  a: [1Gi, 500m, 1_Gi, 100%]\n'),
  'greatest exact integers': inData('  a: [9007199254740991, -9007199254740991]\n'),
  // Anchors, merges and tags
  anchors: inData(
    '  a: &x {p: 1}\n  b: *x\n  c: {<<: *x, q: 2}\n  d: &y\n  e: *y\n  f: &x 3\n  g: *x\n  &z h: i\n  j: *z\n',
  ),
  merges: inData(
    '  a: &a {p: 1}\n  b: &b {p: 2, q: 2}\n  c: {<<: [*a, *b]}\n  d: {<<: *b, q: 3}\n  e: {<<: []}\n  f: {"<<": 1}\n',
  ),
  tags: inData(
    '  a: [!!str 1, !!int "1", !!float 1, !!bool yes, !!null "", ! 12, !<tag:yaml.org,2002:str> 1]\n  b: !!map {c: !!seq [1]}\n',
  ),
};

/** Refused by kubectl and by us. */
export const refusedByBoth: Readonly<Record<string, string>> = {
  'a tab as indent': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n\tname: a\n',
  'a null key': inData('  ~: 1\n'),
  'an empty key': inData('  : 1\n'),
  'not a number': inData('  a: .nan\n'),
  infinity: inData('  a: .inf\n'),
  'a key that is a list': inData('  ? [a]\n  : b\n'),
  'a key that is a map': inData('  {a: b}: c\n'),
  'an alias of another document': `${inData('  a: &x 1\n')}---\n${inData('  b: *x\n')}`,
  'an alias of nothing': inData('  a: *x\n'),
  'an anchor in itself': inData('  a: &x [*x]\n'),
  'a merge of what is no map': inData('  a: {<<: 1}\n'),
  'a merge of nothing': inData('  a: {<<: null}\n'),
  'a tag that does not fit': inData('  a: !!int x\n'),
  'an escape that there is not': inData('  a: "\\q"\n'),
  'a control character': inData('  a: "\u0001"\n'),
  'a template': inData('  a: {{ .Values.x }}\n'),
  'two values in a line': inData('  a: b: c\n'),
  'a sign that begins no text': inData('  a: @b\n'),
  'two commas': inData('  a: [b,,c]\n'),
  'indents that do not fit': inData('  a:\n      b: c\n    d: e\n'),
  'a separator in a quoted text': inData('  a: "\n---\n  b"\n'),
  'JSON with something behind it': `${json('a')}\nfoo\n`,
};

/** Read by kubectl, and refused by us, with what is said. What it makes of them is seldom what was meant. */
export const stricter: Readonly<
  Record<string, { readonly text: string | Uint8Array; readonly says: RegExp }>
> = {
  'a key given twice': { text: inData('  a: 1\n  a: 2\n'), says: /:6: .*duplicated mapping key/ },
  'a key given twice in JSON': { text: json('a', '{"b":1,"b":2}'), says: /:1: .*duplicated mapping key/ },
  'a key spelled in two ways': { text: inData('  on: a\n  true: b\n'), says: /:6: .*duplicated mapping key/ },
  'a key that is a fraction': { text: inData('  1.5: a\n'), says: /:5: .*a key must be text; quote it/ },
  'an integer beyond 2^53': { text: inData('  a: 9007199254740993\n'), says: /:5: .*beyond 2\^53/ },
  'the greatest integer of Go': { text: inData('  a: 9223372036854775807\n'), says: /:5: .*beyond 2\^53/ },
  'an integer beyond 2^53 in JSON': { text: json('a', '{"b":9007199254740993}'), says: /:1: .*beyond 2\^53/ },
  'a key before a merge that has it too': {
    text: inData('  a: &x {p: 1}\n  b: {p: 2, <<: *x}\n'),
    says: /:6: .*key p stands before a <</,
  },
  'a tag of some tool': { text: inData('  a: !Ref b\n'), says: /:5: .*unknown scalar tag/ },
  'base64 by a tag': { text: inData('  a: !!binary aGVsbG8=\n'), says: /:5: .*unknown scalar tag/ },
  'a document behind ... that kubectl drops': {
    text: `${configMap('a')}...\n${configMap('b')}`,
    says: /:5: stands behind \.\.\. and without ---/,
  },
  'JSON texts of which kubectl reads the first': { text: `# c\n${json('a')}${json('b')}`, says: /:2: / },
  'a colon right before a comma': {
    text: inData('  a: [b:, c]\n'),
    says: /:5: has a colon right before a bracket or comma/,
  },
  'a question mark right before a text': {
    text: inData('  a: [b, ?c]\n'),
    says: /:5: has a question mark right before a text in brackets/,
  },
  'a line end of Unicode': { text: inData('  a: "b\u0085c"\n'), says: /:5: holds U\+0085/ },
  another: { text: inData('  a: |\n    b\u2028    c\n'), says: /:6: holds U\+2028/ },
  'a key that JavaScript loses': {
    text: inData('  a: {__proto__: b}\n'),
    says: /:1: has a key __proto__; rename it/,
  },
  'half of a character': {
    text: json('a', '{"b":"\\ud800"}'),
    says: /:1: holds half of a Unicode character/,
  },
  'UTF-16': { text: Buffer.from(`\ufeff${configMap('a')}`, 'utf16le'), says: /is not UTF-8 text/ },
  'Latin 1': { text: Buffer.from(inData('  a: \u00e9\n'), 'latin1'), says: /is not UTF-8 text/ },
  'more than a hundred brackets': {
    text: inData(`  a: ${'['.repeat(150)}${']'.repeat(150)}\n`),
    says: /:5: .*nesting exceeded maxDepth \(100\)/,
  },
};

/** Read by us as it is meant, and refused by kubectl. */
export const looser: Readonly<Record<string, string>> = {
  'a version of YAML': `%YAML 1.1\n---\n${configMap('a')}`,
  'an object in the line of the separator': `--- ${json('a')}\n`,
  'a tab in an empty line': inData('  a: b\n\t\n  c: d\n'),
  'an escaped slash, as in JSON': inData('  a: "b\\/c"\n'),
  'a pair of surrogates, as in JSON': inData('  a: "\\ud83d\\ude00"\n'),
  'a key of more than 1,024 characters': inData(`  ${'k'.repeat(1500)}: v\n`),
};
