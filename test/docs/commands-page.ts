import type { Argument, Command, Option } from 'commander';
import { program } from '../../cli/program.ts';

/** The reference page of the command line, out of the commands themselves. */
export function commandsPage(): string {
  const trueup = program(() => undefined);
  const verbs = visible(trueup).toSorted((a, b) => a.name().localeCompare(b.name()));
  const [first] = verbs;
  if (first === undefined) throw new Error('there are no verbs');
  const common = commonOptions(verbs);
  return `${[
    '# Commands',
    'Made from the commands by `test/docs/commands.test.ts`; change them there. What they do and print in more words: [the command line](cli.md).',
    table(
      ['verb', 'what it does'],
      verbs.map((verb) => [`[\`${verb.name()}\`](#${verb.name()})`, cell(verb.description())]),
    ),
    '## Common options',
    'Every verb takes those that its section names.',
    optionTable(common),
    '## Exit status',
    fenced(addedHelp(trueup)),
    ...verbs.flatMap((verb) => section(verb, common)),
  ].join('\n\n')}\n`;
}

/** What `help` shows, but for `help` itself. */
function visible(command: Command): readonly Command[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((each) => each.name() !== 'help');
}

function optionsOf(command: Command): readonly Option[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .filter(({ long }) => long !== '--help');
}

/** Those that most verbs have, word for word. */
function commonOptions(verbs: readonly Command[]): readonly Option[] {
  const all = verbs.flatMap(optionsOf);
  const alike = [...Map.groupBy(all, ({ flags, description }) => `${flags} ${description}`).values()];
  return alike.flatMap((those) => (those.length > verbs.length / 2 ? those.slice(0, 1) : []));
}

function section(verb: Command, common: readonly Option[], under = ''): readonly string[] {
  const name = `${under}${verb.name()}`;
  const isCommon = (option: Option) =>
    common.some(({ flags, description }) => flags === option.flags && description === option.description);
  const options = optionsOf(verb);
  const own = options.filter((option) => !isCommon(option));
  const shared = options.filter(isCommon).map(({ long = '' }) => `\`${long}\``);
  const after = addedHelp(verb).replace(/^Examples?:\n/, '');
  return [
    `## ${name}`,
    `${capital(verb.description())}.`,
    fenced(`trueup ${name} ${verb.usage()}`),
    ...(verb.registeredArguments.length === 0 ? [] : [argumentTable(verb.registeredArguments)]),
    ...(own.length === 0 ? [] : [optionTable(own)]),
    ...(shared.length === 0 ? [] : [`Common options: ${shared.join(', ')}.`]),
    ...(after === '' ? [] : [fenced(after.replaceAll(/^ {2}/gm, ''))]),
    ...visible(verb).flatMap((below) => section(below, common, `${name} `)),
  ];
}

function argumentTable(all: readonly Argument[]): string {
  const rows = all.map((argument) => {
    const name = argument.variadic ? `${argument.name()}...` : argument.name();
    const choices = argument.argChoices === undefined ? '' : among(argument.argChoices);
    return [
      `\`${argument.required ? `<${name}>` : `[${name}]`}\``,
      cell([argument.description, choices].filter(Boolean).join('; ')),
    ];
  });
  return table(['argument', ''], rows);
}

function optionTable(options: readonly Option[]): string {
  return table(
    ['option', ''],
    options.map((option) => [`\`${option.flags}\``, cell(optionText(option))]),
  );
}

function optionText({
  description,
  argChoices,
  defaultValue,
  defaultValueDescription,
  mandatory,
}: Option): string {
  const isTold = description.includes('default:') || defaultValue === undefined;
  const standard: unknown = defaultValueDescription ?? defaultValue;
  return [
    description,
    ...(argChoices === undefined ? [] : [among(argChoices)]),
    ...(isTold ? [] : [`default: ${String(standard)}`]),
    ...(mandatory && defaultValue === undefined ? ['required'] : []),
  ].join('; ');
}

function among(choices: readonly string[]): string {
  return choices.map((choice) => `\`${choice}\``).join(', ');
}

/** What a verb adds behind the help that commander makes. */
function addedHelp(command: Command): string {
  let text = '';
  const out = { writeOut: (part: string) => void (text += part) };
  command.configureOutput(out).outputHelp();
  return text.slice(command.helpInformation().length).trim();
}

function fenced(text: string): string {
  return `\`\`\`\n${text}\n\`\`\``;
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

/** Placeholders in angle brackets would be taken for HTML, and a bar for the end of a cell. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
