import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { FileStore } from '../../adapters/file-store.ts';
import { answer } from '../../cli/completion.ts';
import { completionScripts, wordsOfLine, type Shell } from '../../cli/completion-scripts.ts';
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
  const all = suggestion.kind === 'words' ? suggestion.words.map(({ value }) => value) : [];
  return all.filter((value) => value.startsWith(typed.at(-1) ?? ''));
}

test('verbs, and nothing hidden', () => {
  assert.deepEqual(words('pl'), ['plan']);
  assert.ok(!words('').includes('complete'));
  assert.ok(words('').includes('completion'));
});

test('options of the verb, and not the values that were given to others', () => {
  assert.deepEqual(words('plan', '--app', 'status', 'apps', '--ad'), ['--adopt']);
});

test('choices of an option and of an argument', () => {
  assert.deepEqual(words('validate', '-o', '').slice(0, 2), ['table', 'json']);
  assert.deepEqual(words('completion', 'z'), ['zsh']);
  assert.deepEqual(words('completion', 'zsh', ''), []);
  assert.deepEqual(words('status', '--output=j'), ['--output=json']);
  assert.deepEqual(words('status', '--watch=j'), []);
});

test('nothing after a verb that there is none of; verbs after help', () => {
  assert.deepEqual(words('nothing-of-ours', ''), []);
  assert.deepEqual(words('nothing-of-ours', '--he'), []);
  assert.deepEqual(words('help', 'reso'), []);
  assert.deepEqual(words('help', 'resu'), ['resume']);
  assert.deepEqual(words('profile', 'us'), ['use']);
});

test('files where a file is asked for: the shell knows them', () => {
  assert.deepEqual(suggest(trueup, ['plan', '--app', 'web', './app']), { kind: 'files' });
  assert.deepEqual(suggest(trueup, ['validate', '--config', '']), { kind: 'files' });
  assert.deepEqual(suggest(trueup, ['validate', '--config=st']), { kind: 'files' });
});

test('names that the records have, with what was said about which records', () => {
  const suggestion = suggest(trueup, ['status', '--store=file:state', '--cluster', 'east', '--app', 'w']);
  assert.deepEqual(suggestion, {
    kind: 'names',
    of: 'app',
    before: '',
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
    answer(trueup, 'fish', ['status', '--store', `file:${folder.path}`, ...typed]);
  assert.equal(await asked('--app', 'w'), 'web\nwiki\n:words\n');
  assert.equal(await asked('--app=w'), '--app=web\n--app=wiki\n:words\n');
  assert.equal(await asked('--cluster', 'east', '--app', ''), 'api\nweb\n:words\n');
  assert.equal(await asked('--cluster', ''), 'east\nwest\n:words\n');
  await writeProfiles({ version: 1, profiles: { here: { store: `file:${folder.path}` } } }, profilesFile());
  assert.equal(await answer(trueup, 'fish', ['status', '--profile', '']), 'here\n:words\n');
  assert.equal(
    await answer(trueup, 'fish', ['status', '--profile', 'here', '--app', 'wi']),
    'wiki\n:words\n',
  );
  assert.equal(await answer(trueup, 'fish', ['status', '--store', 'nowhere', '--app', '']), ':words\n');
  assert.equal(await answer(trueup, 'fish', ['plan', '']), ':files\n');
});

test('contexts of the kubeconfig, as each shell takes a word with signs of its own', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'trueup-test-'));
  const file = join(folder.path, 'kubeconfig');
  const contexts = ['arn:aws:eks:eu-central-1:1:cluster/a', 'my cluster', '$(id)🚢', 'two\n:files'];
  await writeFile(
    file,
    JSON.stringify({
      clusters: [],
      users: [],
      contexts: contexts.map((name) => ({ name, context: { cluster: 'c', user: 'u' } })),
    }),
  );
  const line = `trueup plan --kubeconfig ${file} --context `;
  const asked = (shell: Shell, last: string) =>
    answer(trueup, shell, shell === 'bash' ? [line + last] : [...wordsOfLine(line).slice(0, -1), last]);
  assert.equal(
    await asked('bash', ''),
    'arn:aws:eks:eu-central-1:1:cluster/a\nmy\\ cluster\n\\$\\(id\\)\\🚢\n:words\n',
  );
  assert.equal(await asked('bash', 'arn:aws:e'), 'eks:eu-central-1:1:cluster/a\n:words\n');
  assert.match(await asked('zsh', 'arn'), /^arn\\:aws\\:eks/);
  assert.equal(await asked('fish', 'm'), 'my cluster\n:words\n');
});

test('a line of bash is read and never run', () => {
  assert.deepEqual(wordsOfLine('trueup '), ['']);
  const line = 'trueup plan my\\ app \'a b\' "c \\" d" $(rm x) > out --a';
  assert.deepEqual(wordsOfLine(line), ['plan', 'my app', 'a b', 'c " d', '$(rm', 'x)', '>', 'out', '--a']);
  assert.deepEqual(wordsOfLine('trueup plan "my ap'), ['plan', 'my ap']);
  assert.deepEqual(wordsOfLine('trueup plan a\\ '), ['plan', 'a ']);
});

test('the scripts, in the shells that are there: what they ask, and what they make of the answer', async () => {
  const run = promisify(execFile);
  const line = 'trueup status --output=j';
  const bash = `trueup() { printf '%s\\n' "$*" json :words; }
${completionScripts.bash}
COMP_LINE='${line} > x' COMP_POINT=${line.length}; _trueup; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const asked = await run('bash', ['--norc', '-c', bash]);
  assert.deepEqual(asked.stdout.split('\n'), [`complete bash -- ${line}`, 'json', '']);
  const fish = `function trueup; printf '%s\\n' --output=json\\tas"$argv" :words; end
${completionScripts.fish}
complete -C '${line}'`;
  const told = await run('fish', ['--no-config', '-c', fish]).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (told !== undefined) {
    assert.equal(told.stdout, '--output=json\tascomplete fish -- status --output=j\n');
  }
});
