import { Argument, type Command } from 'commander';
import type { Shell } from './completion.ts';

/** `trueup completion`, and what its scripts ask. */
export function addCompletion(trueup: Command): void {
  trueup
    .command('completion')
    .description('completion for a shell: verbs, options, and the names of applications and clusters')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      `
Examples:
  trueup completion bash > ~/.local/share/bash-completion/completions/trueup
  trueup completion zsh > "\${fpath[1]}/_trueup"
  trueup completion fish > ~/.config/fish/completions/trueup.fish`,
    )
    .action(async (shell: Shell) => {
      (await import('./completion.ts')).printScript(shell);
    });
  trueup
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action(async (words: readonly string[]) => {
      const { answer } = await import('./completion.ts');
      const text = await answer(trueup, words);
      // Records that are still being asked for would keep the process.
      process.stdout.write(text, () => process.exit(0));
    });
}
