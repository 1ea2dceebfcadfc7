import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutLine, cutMarkdown } from '../../../adapters/hosts/host-text.ts';

test('a description is one line, never cut in the middle of a character', () => {
  assert.equal(cutLine('apps/web: x\n  is wrong', 140), 'apps/web: x is wrong');
  assert.equal(cutLine('ab😀cd', 4), 'ab…');
  assert.ok(cutLine('😀'.repeat(200), 140).isWellFormed());
});

test('what is too long says so at its end, with what is open closed, and fits', () => {
  const folded = `<details><summary>x</summary>\n\n\`\`\`diff\n${'+ a: 1\n'.repeat(20_000)}`;
  const cut = cutMarkdown(folded, 65_000);
  assert.ok(cut.length <= 65_000);
  assert.match(cut, /\+ a: 1\n```\n<\/details>\n\n\*The rest does not fit here\.\*\n$/);
  assert.ok(cutMarkdown('😀'.repeat(40_000), 65_000).isWellFormed());
});
