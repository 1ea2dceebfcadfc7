import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { test } from 'node:test';
import { exitCodes } from '../../cli/cli-error.ts';
import { initAnswers } from '../../cli/init-answers.ts';
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

test('a reader that has enough, as `head`, is no fault', async () => {
  const main = resolve(import.meta.dirname, '../../cli/trueup.ts');
  const child = spawn(process.execPath, [main, 'completion', 'bash'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  const [told, [code]] = await Promise.all([readText(child.stderr), once(child, 'close')]);
  assert.deepEqual([told, code], ['', 0]);
});

test('a token in an address is in no fault', async () => {
  const address = 'https://me:ghp_not-for-logs@github.com/acme/config.git';
  await assert.rejects(initAnswers('.', { repository: address, cluster: 'east' }), (error: Error) => {
    assert.match(error.message, /--repository https:\/\/github\.com\/acme/);
    assert.doesNotMatch(error.message, /ghp_/);
    return true;
  });
});
