import { Argument, type Command } from 'commander';
import type { Shell } from './completion-scripts.ts';

/** `trueup completion`, and what its scripts ask. */
export function addCompletion(trueup: Command): void {
  trueup
    .command('completion')
    .description('completion for a shell: verbs, options, and the names of applications and clusters')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .action(async (shell: Shell) => {
      process.stdout.write((await import('./completion-scripts.ts')).completionScripts[shell]);
    });
  trueup
    .command('complete', { hidden: true })
    .argument('<shell>')
    .argument('[words...]')
    .action(async (shell: Shell, words: readonly string[]) => {
      const { answer } = await import('./completion.ts');
      const text = await answer(trueup, shell, words);
      // Records that are still being asked for would keep the process.
      process.stdout.write(text, () => process.exit(0));
    });
}
