import * as z from 'zod';
import { environment } from '../core/contract/environment.ts';

const text = z.string().min(1);
const url = z.url();

const schemas = {
  bucket: text,
  bus: text,
  config: z.string().regex(/^[^/]+\/.+/, 'must be bucket/key of the stack configuration'),
  fleet: text,
  runQueue: url,
  laterQueue: url,
  pushQueue: url,
  sweepQueue: url,
  questionQueue: url,
  previewQueue: url,
  noticeQueue: url,
  sendQueue: url,
  emailTopicPrefix: text,
  networks: text,
  hookSecretPrefix: text,
  digestKeySecret: text,
  sealingKey: text,
} satisfies Record<keyof typeof environment, z.ZodType>;

export type EnvironmentName = keyof typeof environment;
export type Environment = { readonly [N in EnvironmentName]: z.infer<(typeof schemas)[N]> };

/**
 * What a function needs of its environment, read once at cold start and frozen.
 * Throws one error that names every variable that is missing or wrong, never its value.
 */
export function readEnvironment<N extends EnvironmentName>(
  names: readonly N[],
  source: NodeJS.ProcessEnv = process.env,
): Pick<Environment, N> {
  const faults: string[] = [];
  const values: Partial<Record<EnvironmentName, unknown>> = {};
  for (const name of names) {
    const variable = environment[name];
    const value = source[variable];
    const parsed = schemas[name].safeParse(value);
    if (parsed.success) values[name] = parsed.data;
    else faults.push(`  ${variable}: ${value === undefined ? 'is not set' : reason(parsed.error)}`);
  }
  if (faults.length > 0) {
    throw new Error(`environment: ${faults.length} fault(s); deploy the stack again\n${faults.join('\n')}`);
  }
  return Object.freeze(values) as Pick<Environment, N>;
}

function reason(error: z.ZodError): string {
  return error.issues.map(({ message }) => message).join(', ');
}
