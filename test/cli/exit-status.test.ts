import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { exitCodes } from '../../cli/cli-error.ts';
import { program } from '../../cli/program.ts';

const page = await readFile(resolve(import.meta.dirname, '../../docs/reference/cli.md'), 'utf8');

test('each exit status is in the help and on the page of the command line', () => {
  let help = '';
  const command = program(() => undefined).configureOutput({ writeOut: (text) => (help += text) });
  command.outputHelp();
  const table = page.slice(page.indexOf('## Exit status')).split('\n## ')[0] ?? '';
  for (const code of Object.values(exitCodes)) {
    assert.match(table, new RegExp(`^\\| ${code} \\|`, 'm'), `${code} on the page`);
    assert.match(help, new RegExp(`[:;]\\s${code} `), `${code} in the help`);
  }
});

test('a wrong line ends with the way to the help', async () => {
  let told = '';
  const command = program(() => undefined).configureOutput({ writeErr: (text) => (told += text) });
  for (const verb of command.commands) verb.configureOutput({ writeErr: (text) => (told += text) });
  await assert.rejects(command.parseAsync(['status', '--nonsense'], { from: 'user' }));
  assert.match(told, /unknown option '--nonsense'\n.*--help/s);
});
