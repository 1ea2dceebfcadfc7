import { Command } from 'commander';
import { stackName } from '../core/contract/environment.ts';
import type { Store } from '../core/ports.ts';
import { endings, wordsOfLine, type Shell } from './completion-scripts.ts';
import type { LocalOptions } from './local-session.ts';
import { isLocal, stackOption, withCommon, type Common } from './options.ts';
import { applyProfile, readProfiles } from './profiles.ts';
import { suggest, type Suggestion, type Word } from './suggest.ts';
import { selectTargets } from './targets.ts';

/** Somebody sits there with a finger on the key: names that take longer to ask for are not told. */
const patienceMs = 2000;

/** Answers a script: a line for each word that fits, and whether the shell's own files would. Of bash, `typed` is the line. */
export async function answer(program: Command, shell: Shell, typed: readonly string[]): Promise<string> {
  const words = shell === 'bash' ? wordsOfLine(typed.join(' ')) : typed;
  const last = words.at(-1) ?? '';
  const suggestion = suggest(program, words);
  const lines = (await wordsOf(suggestion))
    // A line is a word: one with a line end in it would be taken for two.
    .filter(({ value }) => value.startsWith(last) && !/\p{Cc}/u.test(value))
    .map((word) => `${lineFor[shell](word, last)}\n`);
  return `${lines.join('')}${suggestion.kind === 'files' ? endings.files : endings.words}\n`;
}

type Line = (word: Word, last: string) => string;

const lineFor: Readonly<Record<Shell, Line>> = {
  // It completes what follows the last = or :, and puts it in as it is.
  bash: ({ value }, last) =>
    value.slice(last.search(/[^=:]*$/)).replaceAll(/[^\w@%+=:,./-]/gu, (sign) => `\\${sign}`),
  zsh: ({ value, description = '' }) =>
    [value.replaceAll(/[\\:]/g, (sign) => `\\${sign}`), description].filter(Boolean).join(':'),
  fish: ({ value, description = '' }) => [value, description].filter(Boolean).join('\t'),
};

async function wordsOf(suggestion: Suggestion): Promise<readonly Word[]> {
  if (suggestion.kind === 'words') return suggestion.words;
  if (suggestion.kind === 'files') return [];
  const { before } = suggestion;
  const names = await Promise.race([namesOf(suggestion), tooLate()]);
  return names.map((name) => ({ value: `${before}${name}` }));
}

async function tooLate(): Promise<readonly string[]> {
  return new Promise((late) => {
    setTimeout(late, patienceMs, []).unref();
  });
}

/** Names that the line leads to. A fault is no answer here: it is told when the verb itself is run. */
async function namesOf({ of, given }: Extract<Suggestion, { kind: 'names' }>): Promise<readonly string[]> {
  const { app, cluster } = given;
  try {
    if (of === 'profile') return Object.keys(readProfiles().profiles);
    if (of === 'context') return await contextsOf(given);
    const other = of === 'cluster' ? app !== undefined && { app } : cluster !== undefined && { cluster };
    const targets = await selectTargets(await storeOf(given), { ...other });
    return [...new Set(targets.map((target) => (of === 'app' ? target.application : target.cluster)))];
  } catch {
    return [];
  }
}

async function contextsOf(given: LocalOptions): Promise<readonly string[]> {
  const [{ kubeconfigs }, { contextNames }] = await Promise.all([
    import('./local-session.ts'),
    import('../adapters/local-kubeconfig.ts'),
  ]);
  return contextNames(kubeconfigs(given));
}

/** The records that a verb would take, of the options that stand there and of the profile that holds. */
async function storeOf(given: Readonly<Record<string, string>>): Promise<Store> {
  const line = withCommon(new Command()).addOption(stackOption());
  for (const [name, value] of Object.entries(given)) line.setOptionValue(name, value);
  applyProfile(line);
  const options = line.opts<Common>();
  if (isLocal(options)) return (await (await import('./local-session.ts')).openRecords(options)).store;
  const { openSession } = await import('./session.ts');
  return (await openSession(options.stack ?? stackName('default'))).store;
}
