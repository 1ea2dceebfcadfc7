import { serialize, type ASTNode } from '@marcbachmann/cel-js';

/**
 * The same expression with `matches` of RE2, which takes time linear in the text: the library's own uses the regular
 * expressions of JavaScript, some of which never end. Undefined where there is none in it.
 */
export function withLinearMatches(ast: ASTNode): string | undefined {
  let isThere = false;
  const rename = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(rename);
    if (!isNode(node)) return;
    if (node.op === 'rcall' && node.args[0] === 'matches') {
      node.args[0] = 'matchesRe2';
      isThere = true;
    }
    rename(node.args);
  };
  rename(ast);
  return isThere ? serialize(ast) : undefined;
}

const loops = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

/** How deep loops over lists stand in one another: each level multiplies the work. */
export function loopDepth(node: unknown): number {
  if (Array.isArray(node)) return Math.max(0, ...node.map(loopDepth));
  if (!isNode(node)) return 0;
  const own = node.op === 'rcall' && loops.has(node.args[0]) ? 1 : 0;
  return own + loopDepth(node.args);
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value;
}
