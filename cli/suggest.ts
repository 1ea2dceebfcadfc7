import type { Argument, Command, Option } from 'commander';

interface Word {
  readonly value: string;
  readonly description: string;
}

/** What fits at the end of a line: words, files (the shell knows these itself), or names that the records have. */
export type Suggestion =
  | { readonly kind: 'words'; readonly words: readonly Word[] }
  | { readonly kind: 'files' }
  | {
      readonly kind: 'names';
      readonly of: 'app' | 'cluster' | 'profile';
      /** Options that were given before, by their names in the code: they say which records. */
      readonly given: Readonly<Record<string, string>>;
    };

/** What the line means before the word that is being typed. */
interface Line {
  readonly command: Command;
  /** The option whose value comes next. */
  readonly open: Option | undefined;
  readonly operands: number;
  readonly given: Readonly<Record<string, string>>;
}

/** What could stand where a line ends. `typed`: all words after the program's name, the last one begun or empty. */
export function suggest(program: Command, typed: readonly string[]): Suggestion {
  const { command, open, operands, given } = read(program, typed.slice(0, -1));
  if (open !== undefined) return valuesOf(open, given);
  const last = typed.at(-1) ?? '';
  if (last.startsWith('-')) return { kind: 'words', words: optionsOf(command, last) };
  const words = command
    .createHelp()
    .visibleCommands(command)
    .map((each) => ({ value: each.name(), description: each.description() }))
    .filter(({ value }) => value.startsWith(last));
  if (command.commands.length > 0) return { kind: 'words', words };
  const argument = command.registeredArguments[operands] ?? variadic(command);
  return argument === undefined ? nothing : ofArgument(argument, last);
}

const nothing: Suggestion = { kind: 'words', words: [] };

function read(program: Command, words: readonly string[]): Line {
  let line: Line = { command: program, open: undefined, operands: 0, given: {} };
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
    const option = command.options.find(({ long, short }) => long === name || short === name);
    if (option === undefined || option.isBoolean() || (!option.required && !option.optional)) return line;
    if (value === undefined) return { ...line, open: option };
    return { ...line, given: { ...given, [option.attributeName()]: value } };
  }
  const below = command.commands.find((each) => each.name() === word || each.aliases().includes(word));
  return below === undefined ? { ...line, operands: operands + 1 } : { ...line, command: below, operands: 0 };
}

function valuesOf(option: Option, given: Line['given']): Suggestion {
  if (option.argChoices !== undefined) return choices(option.argChoices, '');
  const name = option.attributeName();
  if (name === 'app' || name === 'cluster' || name === 'profile') return { kind: 'names', of: name, given };
  return /<(?:file|folder|place)>/.test(option.flags) ? { kind: 'files' } : nothing;
}

function optionsOf(command: Command, last: string): readonly Word[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ long, description }) => (long === undefined ? [] : { value: long, description }))
    .filter(({ value }) => value.startsWith(last));
}

function variadic(command: Command): Argument | undefined {
  const last = command.registeredArguments.at(-1);
  return last?.variadic === true ? last : undefined;
}

function ofArgument(argument: Argument, last: string): Suggestion {
  if (argument.argChoices !== undefined) return choices(argument.argChoices, last);
  return /^(?:file|folder|path)$/.test(argument.name()) ? { kind: 'files' } : nothing;
}

function choices(values: readonly string[], last: string): Suggestion {
  const words = values.map((value) => ({ value, description: '' }));
  return { kind: 'words', words: words.filter(({ value }) => value.startsWith(last)) };
}
