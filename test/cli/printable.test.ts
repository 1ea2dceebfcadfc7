import assert from 'node:assert/strict';
import { styleText } from 'node:util';
import { test } from 'node:test';
import { printable } from '../../cli/printable.ts';
import { render, table } from '../../cli/report.ts';

const evil = 'pulled \u001B]52;c;ZXZpbA==\u0007\u001B[2J\u001B[H\u009B31m\u001B[8mhidden\u202E';

test('of a stranger’s text nothing steers a terminal, and colours of ours stay', () => {
  const red = styleText('red', 'Drifted', { validateStream: false });
  assert.equal(printable(`${red} ${evil}`), `${red} pulled ]52;c;ZXZpbA==[2J[H31m[8mhidden`);
});

test('a message makes up no row of a table', async () => {
  const text = table(['ABOUT', 'MESSAGE'], [['web', `${evil}\nFAKE  Healthy`]]);
  const shown = await render({ data: {}, text }, 'table');
  assert.equal(shown.trimEnd().split('\n').length, 2);
  assert.doesNotMatch(shown, /[^\P{Cc}\n]/u);
});
