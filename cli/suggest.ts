import type { Argument, Command, Option } from 'commander';

export interface Word {
  readonly value: string;
  readonly description?: string;
}

/** What fits at the end of a line: words, files (the shell knows these itself), or names that the records have. */
export type Suggestion =
  | { readonly kind: 'words'; readonly words: readonly Word[] }
  | { readonly kind: 'files' }
  | {
      readonly kind: 'names';
      readonly of: 'app' | 'cluster' | 'context' | 'profile';
      /** Stands before the name in the same word: `--app=`. */
      readonly before: string;
      /** Options that were given before, by their names in the code: they say which records. */
      readonly given: Readonly<Record<string, string>>;
    };

/** What the line means before the word that is being typed. */
interface Line {
  readonly command: Command;
  /** The option whose value comes next. */
  readonly open: Option | undefined;
  /** Nothing can follow a verb that there is none of. */
  readonly isLost: boolean;
  readonly operands: number;
  readonly given: Readonly<Record<string, string>>;
}

/** What could stand where a line ends. `typed`: all words after the program's name, the last one begun or empty. */
export function suggest(program: Command, typed: readonly string[]): Suggestion {
  const { command, open, isLost, operands, given } = read(program, typed.slice(0, -1));
  if (open !== undefined) return valuesOf(open, given);
  if (isLost) return nothing;
  const last = typed.at(-1) ?? '';
  const [before] = /^-[^=]*=/.exec(last) ?? [];
  if (before !== undefined) {
    const option = optionNamed(command, before.slice(0, -1));
    return option === undefined ? nothing : valuesOf(option, given, before);
  }
  if (last.startsWith('-')) return { kind: 'words', words: optionsOf(command) };
  if (command.commands.length > 0) return { kind: 'words', words: verbsOf(command) };
  const argument = command.registeredArguments[operands] ?? variadic(command);
  return argument === undefined ? nothing : ofArgument(argument);
}

const nothing: Suggestion = { kind: 'words', words: [] };

function read(program: Command, words: readonly string[]): Line {
  let line: Line = { command: program, open: undefined, isLost: false, operands: 0, given: {} };
  for (const word of words) line = after(line, word);
  return line;
}

function after(line: Line, word: string): Line {
  const { command, open, operands, given } = line;
  if (open !== undefined) {
    return { ...line, open: undefined, given: { ...given, [open.attributeName()]: word } };
  }
  if (word.startsWith('-')) {
    const [name = '', value] = word.split('=', 2);
    const option = optionNamed(command, name);
    if (option === undefined) return line;
    if (value === undefined) return { ...line, open: option };
    return { ...line, given: { ...given, [option.attributeName()]: value } };
  }
  // It is followed by verbs, as if it were not there.
  if (word === 'help' && command.parent === null) return line;
  const below = command.commands.find((each) => each.name() === word || each.aliases().includes(word));
  if (below !== undefined) return { ...line, command: below, operands: 0 };
  return { ...line, isLost: command.commands.length > 0, operands: operands + 1 };
}

/** One that takes a value. */
function optionNamed(command: Command, name: string): Option | undefined {
  const option = command.options.find(({ long, short }) => long === name || short === name);
  return option !== undefined && (option.required || option.optional) ? option : undefined;
}

/** `before`: of the same word, as `--output=`. */
function valuesOf(option: Option, given: Line['given'], before = ''): Suggestion {
  if (option.argChoices !== undefined) return choices(option.argChoices, before);
  const name = option.attributeName();
  if (name === 'app' || name === 'cluster' || name === 'context' || name === 'profile') {
    return { kind: 'names', of: name, before, given };
  }
  return /<(?:file|folder|place)>/.test(option.flags) ? { kind: 'files' } : nothing;
}

function optionsOf(command: Command): readonly Word[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ long, description }) => (long === undefined ? [] : { value: long, description }));
}

function verbsOf(command: Command): readonly Word[] {
  const verbs = command.createHelp().visibleCommands(command);
  return verbs.map((each) => ({ value: each.name(), description: each.description() }));
}

function variadic(command: Command): Argument | undefined {
  const last = command.registeredArguments.at(-1);
  return last?.variadic === true ? last : undefined;
}

function ofArgument(argument: Argument): Suggestion {
  if (argument.argChoices !== undefined) return choices(argument.argChoices, '');
  return /^(?:file|folder|path)$/.test(argument.name()) ? { kind: 'files' } : nothing;
}

function choices(values: readonly string[], before: string): Suggestion {
  return { kind: 'words', words: values.map((value) => ({ value: `${before}${value}` })) };
}
