import { Option, type Command } from 'commander';
import type { ExitCode } from './cli-error.ts';
import type { ProfileOptions } from './profile.ts';
import { formats, print, type Format } from './report.ts';

type Output = { readonly output: Format };

/** Names for several installations and stores. */
export function addProfiles(trueup: Command, done: (code: ExitCode) => void): void {
  const profile = trueup
    .command('profile')
    .description(
      'names for several installations and stores, and which of them is meant where nothing is said',
    );
  const verb = (name: string, description: string): Command =>
    profile
      .command(name)
      .description(description)
      .addOption(
        new Option('-o, --output <format>', 'how to print').choices([...formats, 'name']).default('table'),
      );
  verb('list', 'the profiles, and which one is current').action(async ({ output }: Output) => {
    done(await print((await import('./profile.ts')).listProfiles(), output));
  });
  verb('use', 'make a profile the current one')
    .argument('<name>')
    .action(async (name: string, { output }: Output) => {
      done(await print(await (await import('./profile.ts')).useProfile(name), output));
    });
  verb('set', 'make a profile, or change it; the first one becomes the current one')
    .argument('<name>')
    .option('--stack <name>', 'CloudFormation stack of the installation')
    .option('--region <region>', 'with --stack: AWS region')
    .option('--aws-profile <name>', 'with --stack: profile of the AWS configuration, for its credentials')
    .option('--store <place>', 'records without an installation: file:DIR or s3://BUCKET/PREFIX')
    .option('--kubeconfig <file>', 'with --store')
    .option('--context <name>', 'with --store: context of the kubeconfig')
    .action(async (name: string, { output, ...options }: Output & ProfileOptions) => {
      done(await print(await (await import('./profile.ts')).setProfile(name, options), output));
    });
  verb('delete', 'forget a profile; nothing that it names is touched')
    .argument('<name>')
    .action(async (name: string, { output }: Output) => {
      done(await print(await (await import('./profile.ts')).deleteProfile(name), output));
    });
}
