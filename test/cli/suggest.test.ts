import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FileStore } from '../../adapters/file-store.ts';
import { answer } from '../../cli/completion.ts';
import { profilesFile, writeProfiles } from '../../cli/profiles.ts';
import { program } from '../../cli/program.ts';
import { suggest } from '../../cli/suggest.ts';

// No profile of whoever runs the tests.
const home = await mkdtempDisposable(join(tmpdir(), 'trueup-test-'));
after(() => home.remove());
process.env['XDG_CONFIG_HOME'] = home.path;

const trueup = program(() => undefined);

function words(...typed: readonly string[]): readonly string[] {
  const suggestion = suggest(trueup, typed);
  assert.equal(suggestion.kind, 'words');
  return suggestion.kind === 'words' ? suggestion.words.map(({ value }) => value) : [];
}

test('verbs, and nothing hidden', () => {
  assert.deepEqual(words('pl'), ['plan']);
  assert.ok(!words('').includes('complete'));
  assert.ok(words('').includes('completion'));
});

test('options of the verb, and not the values that were given to others', () => {
  assert.deepEqual(words('plan', '--app', 'status', 'apps', '--ad'), ['--adopt']);
  assert.deepEqual(words('nothing-of-ours', '--he'), ['--help']);
});

test('choices of an option and of an argument', () => {
  assert.deepEqual(words('validate', '-o', '').slice(0, 2), ['table', 'json']);
  assert.deepEqual(words('completion', 'z'), ['zsh']);
  assert.deepEqual(words('completion', 'zsh', ''), []);
});

test('files where a file is asked for: the shell knows them', () => {
  assert.deepEqual(suggest(trueup, ['plan', '--app', 'web', './app']), { kind: 'files' });
  assert.deepEqual(suggest(trueup, ['validate', '--config', '']), { kind: 'files' });
});

test('names that the records have, with what was said about which records', () => {
  const suggestion = suggest(trueup, ['status', '--store=file:state', '--cluster', 'east', '--app', 'w']);
  assert.deepEqual(suggestion, {
    kind: 'names',
    of: 'app',
    given: { store: 'file:state', cluster: 'east' },
  });
});

test('an answer names applications of a store, of the cluster that was given, of a profile; none where there is no store', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'trueup-test-'));
  const store = new FileStore(folder.path);
  await store.put('format.json', '{"version":1}', 'absent');
  for (const target of ['east/web', 'east/api', 'west/wiki']) {
    await store.put(`desired/${target}.json`, '{}', 'absent');
  }
  const asked = (...typed: readonly string[]) =>
    answer(trueup, ['status', '--store', `file:${folder.path}`, ...typed]);
  assert.equal(await asked('--app', 'w'), 'web\t\nwiki\t\n:4\n');
  assert.equal(await asked('--cluster', 'east', '--app', ''), 'api\t\nweb\t\n:4\n');
  assert.equal(await asked('--cluster', ''), 'east\t\nwest\t\n:4\n');
  await writeProfiles({ version: 1, profiles: { here: { store: `file:${folder.path}` } } }, profilesFile());
  assert.equal(await answer(trueup, ['status', '--profile', '']), 'here\t\n:4\n');
  assert.equal(await answer(trueup, ['status', '--profile', 'here', '--app', 'wi']), 'wiki\t\n:4\n');
  assert.equal(await answer(trueup, ['status', '--store', 'nowhere', '--app', '']), ':4\n');
  assert.equal(await answer(trueup, ['plan', '']), ':0\n');
});
