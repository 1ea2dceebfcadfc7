import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as z from 'zod';
import { alarmKinds } from '../../core/contract/alarms.ts';
import { eventSchemas } from '../../core/contract/events.ts';
import { metrics } from '../../core/contract/metrics.ts';
import { headingsOf, linksOf, pages, pathsNamedIn, readPage, resolveLink, root } from './documents.ts';

/** What the pages name must exist: nobody reads a page twice that once led nowhere. */

const scripts = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))).scripts;

/** Public sites that the pages may lead to. Whatever else appears is a slip: a registry, a mirror, this machine. */
const knownHosts =
  /^(?:docs\.aws\.amazon\.com|aws\.amazon\.com|github\.com|kubernetes\.io|127\.0\.0\.1|localhost|token\.actions\.githubusercontent\.com|gitlab\.com|(?:[\w-]+\.)?console\.aws\.amazon\.com)$/;

for (const page of pages()) {
  test(`${page.path}: every link leads somewhere`, () => {
    for (const link of linksOf(page).filter((target) => !/^https?:/.test(target))) {
      const { path, anchor } = resolveLink(page, link);
      assert.equal(globSync(path, { cwd: root }).length, 1, `${link} is not there`);
      if (anchor === '') continue;
      const anchors = headingsOf(readPage(path)).map((heading) => heading.anchor);
      assert.ok(anchors.includes(anchor), `${link}: ${path} has no heading for #${anchor}`);
    }
  });

  test(`${page.path}: every file it names exists`, () => {
    for (const path of pathsNamedIn(page)) {
      assert.notEqual(globSync(path, { cwd: root }).length, 0, `\`${path}\` is not there`);
    }
  });

  test(`${page.path}: every npm script it names exists`, () => {
    for (const [command, name = ''] of page.text.matchAll(/npm run (?:-s )?([\w:-]+)/g)) {
      assert.ok(name in scripts, `${command}: package.json has no such script`);
    }
  });

  test(`${page.path}: names no place on this machine and no host but well-known ones`, () => {
    for (const place of [root, homedir()]) assert.ok(!page.text.includes(place), `it names ${place}`);
    assert.doesNotMatch(page.text, /(?:^|[\s`"'(=])\/(?:work|root|home|Users|mnt|srv|opt|tmp)\//m);
    // What was tried against us names addresses on purpose.
    const [text = ''] = page.text.split('\n## What was tried\n');
    for (const [, host = ''] of text.matchAll(/https?:\/\/([\w.-]+)/g)) assert.match(host, knownHosts);
    assert.doesNotMatch(text, /\b(?!127\.)\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b/);
  });
}

for (const kind of Object.values(alarmKinds)) {
  test(`runbook: the alarm ${kind} has its heading and its three parts`, () => {
    const headings = headingsOf(readPage('docs/runbook.md'));
    const start = headings.findIndex(({ level, anchor }) => level === 2 && anchor === kind);
    assert.notEqual(start, -1, `no heading ## ${kind}`);
    const parts = headings.slice(start + 1, start + 4).map(({ level, text }) => `${level} ${text}`);
    assert.deepEqual(parts, ['3 Description', '3 Investigation', '3 Resolution']);
  });
}

test('complaints: every proof is a test that exists', () => {
  const { text } = readPage('docs/reference/complaints.md');
  const proofs = [...text.matchAll(/`(test\/[^`]+)`: ([^|]+?) \|/g)];
  assert.ok(proofs.length > 20);
  for (const [, path = '', title = ''] of proofs) {
    const source = readFileSync(join(root, path), 'utf8').replaceAll(/\s+/g, ' ');
    assert.ok(source.includes(title), `${path} has no test "${title}"`);
  }
});

test('architecture: names every event and every metric', () => {
  const { text } = readPage('docs/architecture.md');
  for (const name of [...Object.keys(eventSchemas), ...Object.values(metrics)]) {
    assert.ok(text.includes(`\`${name}\``), `${name} is not there`);
  }
});
