import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Command } from 'commander';
import { wordsOfLine } from '../../cli/completion-scripts.ts';
import { writeProfiles } from '../../cli/profiles.ts';
import { program } from '../../cli/program.ts';

// No profile of whoever runs the tests.
const home = await mkdtempDisposable(join(tmpdir(), 'trueup-test-'));
after(() => home.remove());
process.env['XDG_CONFIG_HOME'] = home.path;
delete process.env['TRUEUP_STORE'];
delete process.env['TRUEUP_PROFILE'];

/** The program, whose verbs do nothing. */
function idle(): Command {
  const trueup = program(() => undefined);
  silence(trueup);
  return trueup;
}

function silence(command: Command): void {
  command.configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
  if (command.commands.length === 0 && command.name() !== 'help') command.action(() => undefined);
  command.commands.forEach(silence);
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => void (text += part) }).outputHelp();
  return text;
}

const parse = async (...words: readonly string[]) => idle().parseAsync([...words], { from: 'user' });

test('every verb has examples, and each of them can be said', async () => {
  await writeProfiles({ version: 1, profiles: { laptop: { store: 'file:state' } } });
  const trueup = idle();
  for (const verb of trueup.createHelp().visibleCommands(trueup)) {
    if (verb.name() === 'help') continue;
    const [, text = ''] = helpOf(verb).split(/^Examples?:$/m);
    const examples = [...text.matchAll(/(?:^ {2}|\| )(trueup [^|>\n]+)/gm)].map(([, line = '']) =>
      line.trim(),
    );
    assert.ok(examples.length > 0, `${verb.name()} has no example`);
    for (const line of examples) {
      await assert.doesNotReject(parse(...wordsOfLine(line)), line);
      assert.equal(verb.name() === 'profile' || wordsOfLine(line)[0] === verb.name(), true, line);
    }
  }
});

const refused: readonly [readonly string[], RegExp][] = [
  [['status', '--store', ''], /^--store is empty: say a value/],
  [['sync', '--app', ''], /^--app is empty/],
  [['sync', '--app', 'web', '--resource', ''], /^--resource is empty/],
  [['plan', '', '--app', 'web'], /^an argument is empty/],
  [['help', 'stauts'], /unknown command 'stauts'\n\(Did you mean status\?\)/],
  [['help', 'profile', 'lst'], /unknown command 'lst'\n\(Did you mean list\?\)/],
  [['rollback', '--app', 'web', '--lift', '--to', 'x'], /'--lift' cannot be used with option '--to <run>'/],
];
for (const [words, says] of refused) {
  test(`refused: ${words.map((word) => word || "''").join(' ')}`, async () => {
    await assert.rejects(parse(...words), { message: says });
  });
}

test('a word that is about to begin is empty, and completed all the same', async () => {
  for (const shell of ['zsh', 'fish', 'bash']) {
    await assert.doesNotReject(parse('complete', shell, '--', 'status', '--app', ''));
  }
});

test('what is done to an installation is not done to that of the environment where a store is named', async () => {
  for (const words of [
    ['sync', '--app', 'web'],
    ['restart', '--app', 'web'],
    ['promote', '--app', 'web'],
  ]) {
    const trueup = program(() => undefined);
    await assert.rejects(
      trueup.parseAsync([...words, '--store', 'file:state'], { from: 'user' }),
      /a store is named .*: name the installation with --stack/,
    );
  }
});
