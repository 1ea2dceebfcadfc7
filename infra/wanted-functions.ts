import type { StackConfig } from '../core/contract/config.ts';
import { functionNames, type FunctionName } from './bundle.ts';

type Repository = StackConfig['repositories'][number];

function anyRepository(config: StackConfig, option: keyof Repository): boolean {
  return config.repositories.some((repository) => repository[option] !== undefined);
}

/** Functions that an installation has only where its configuration asks for them. */
const options = {
  audit: ({ clusters }) => clusters.some(({ audit }) => audit === true),
  images: (config) => anyRepository(config, 'images'),
  preview: (config) => anyRepository(config, 'preview'),
  report: (config) => anyRepository(config, 'status'),
  revert: (config) => anyRepository(config, 'reverts'),
  promotion: (config) => anyRepository(config, 'promotion'),
  notify: ({ notifications }) => notifications !== undefined,
  send: ({ notifications }) => notifications !== undefined,
} as const satisfies Partial<Record<FunctionName, (config: StackConfig) => boolean>>;

/** Whether a configuration asks for a function that is not everybody's. */
export function isWanted(name: keyof typeof options, config: StackConfig): boolean {
  return options[name](config);
}

/** What has to be bundled for a configuration that is whole: clusters that are added later may want more. */
export function wantedFunctions(config: StackConfig): readonly FunctionName[] {
  return functionNames.filter((name) => !isOption(name) || isWanted(name, config));
}

function isOption(name: FunctionName): name is keyof typeof options {
  return Object.hasOwn(options, name);
}
