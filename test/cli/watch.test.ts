import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Format, Report } from '../../cli/report.ts';
import { watch } from '../../cli/watch.ts';

const seen = (state: string): Report => ({ data: { state }, text: `STATE\n${state}`, names: [state] });

/** What is written for these looks, the last of which ends it. */
async function watched(looks: readonly (Report | Error)[], format: Format, isTTY = false): Promise<string> {
  const ending = new AbortController();
  const left = [...looks];
  let text = '';
  const output = {
    isTTY,
    write: (more: string) => {
      text += more;
    },
  };
  const look = async (): Promise<Report> => {
    const next = left.shift();
    if (left.length === 0) ending.abort();
    if (next instanceof Error) throw next;
    return next ?? assert.fail();
  };
  await watch(look, format, { output, until: ending.signal, pauseMs: 1 });
  return text;
}

test('watching shows a report again when its data change, and not before', async () => {
  const looks = [seen('a'), seen('a'), seen('b')];
  assert.equal(await watched(looks, 'table'), 'STATE\na\n\nSTATE\nb\n');
  assert.equal(await watched(looks, 'name'), 'a\nb\n');
  assert.equal(await watched(looks, 'yaml'), '---\nstate: a\n---\nstate: b\n');
});

test('on a terminal it stays in place', async () => {
  assert.equal(await watched([seen('a'), seen('a')], 'table', true), '\u001B[H\u001B[JSTATE\na\n'.repeat(2));
});

test('a look that fails is followed by the next; the first one must succeed', async () => {
  assert.equal(await watched([seen('a'), new Error('busy'), seen('b')], 'name'), 'a\nb\n');
  await assert.rejects(watched([new Error('none')], 'name'), /none/);
});
