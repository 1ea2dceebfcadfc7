import { script } from '@bomb.sh/tab';
import { Command } from 'commander';
import { stackName } from '../core/contract/environment.ts';
import type { Store } from '../core/ports.ts';
import { isLocal, stackOption, withCommon, type Common } from './options.ts';
import { applyProfile, readProfiles } from './profiles.ts';
import { suggest, type Suggestion } from './suggest.ts';
import { selectTargets } from './targets.ts';

export type Shell = 'bash' | 'zsh' | 'fish';

/** Somebody sits there with a finger on the key: names that take longer to ask for are not told. */
const patienceMs = 2000;

/** Of the scripts' protocol: complete nothing else, or files. */
const directives = { noFiles: 4, files: 0 } as const;

/** Prints what a shell is to source. */
export function printScript(shell: Shell): void {
  script(shell, 'trueup', 'trueup');
  // The script says for which words; without this bash would never take over and complete a file.
  if (shell === 'bash') process.stdout.write('complete -o default -F __trueup_complete trueup\n');
}

/** Answers such a script: a line for each word that fits, with its description, and a directive at the end. */
export async function answer(program: Command, typed: readonly string[]): Promise<string> {
  const suggestion = suggest(program, typed);
  const lines = (await wordsOf(suggestion, typed.at(-1) ?? '')).map(
    ({ value, description }) => `${value}\t${description}\n`,
  );
  return `${lines.join('')}:${suggestion.kind === 'files' ? directives.files : directives.noFiles}\n`;
}

type Words = Extract<Suggestion, { kind: 'words' }>['words'];

async function wordsOf(suggestion: Suggestion, last: string): Promise<Words> {
  if (suggestion.kind === 'words') return suggestion.words;
  if (suggestion.kind === 'files') return [];
  const names = await Promise.race([namesOf(suggestion), tooLate()]);
  return names.filter((value) => value.startsWith(last)).map((value) => ({ value, description: '' }));
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
    const other = of === 'cluster' ? app !== undefined && { app } : cluster !== undefined && { cluster };
    const targets = await selectTargets(await storeOf(given), { ...other });
    return [...new Set(targets.map((target) => (of === 'app' ? target.application : target.cluster)))];
  } catch {
    return [];
  }
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
