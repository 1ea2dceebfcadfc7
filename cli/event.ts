import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import * as z from 'zod';
import { signer } from '../adapters/hmac-signature.ts';
import { OidcTokens } from '../adapters/oidc-tokens.ts';
import { SystemClock } from '../adapters/system-clock.ts';
import { parseStackConfig, type StackConfig } from '../core/contract/config.ts';
import { hasSecretPath, hookProviders, hookSchema, hooksOf, type Hook } from '../core/contract/hooks.ts';
import { messageOf } from '../core/errors.ts';
import { decide, type Decision, type Prove } from '../core/receive/decide.ts';
import type { HookRequest } from '../core/receive/hook-request.ts';
import { whyUnverified, type VerifyDeps } from '../core/receive/verify.ts';
import { CliError, exitCodes } from './cli-error.ts';
import { callersFolder } from './local-session.ts';
import type { Report } from './report.ts';

export interface EventOptions {
  readonly provider: string;
  /** Id of the hook, where the provider has several. */
  readonly hook?: string;
  /** Lines of HTTP, with or without the request line, or a JSON object. */
  readonly headers: string;
  readonly body: string;
  readonly secretFile?: string;
  /** Stack configuration in JSON or YAML: repositories, and what hooks need to know. */
  readonly config?: string;
}

/** Any address, in the documentation's range: where a request came from is not in the files. */
const anywhere = { allowFrom: ['0.0.0.0/0'], sourceIp: '192.0.2.1' };

/** What a delivery would become, or why it would be refused. Asks no AWS; of a CI system's token, its issuer. */
export async function event(options: EventOptions): Promise<Report> {
  const config = options.config === undefined ? nothingConfigured() : await readConfig(options.config);
  const hook: Hook = { ...hookOf(options, config), allowFrom: anywhere.allowFrom };
  const [head, body] = await Promise.all([readBytes(options.headers), readBytes(options.body)]);
  const secret = options.secretFile === undefined ? undefined : await readBytes(options.secretFile);
  const { path, headers } = readHead(head.toString('utf8'));
  const isSecretShown = !hasSecretPath(hook) || path !== undefined;
  const isProven = hook.provider === 'oidc' || (secret !== undefined && isSecretShown);
  const request: HookRequest = {
    method: 'POST',
    path: path ?? pathOf(hook),
    headers,
    body,
    text: body.toString('utf8'),
    sourceIp: anywhere.sourceIp,
  };
  const deps = proofFrom(secret?.toString('utf8').replace(/\r?\n$/, '') ?? '');
  const prove: Prove = async (verification, route) =>
    isProven ? whyUnverified(verification, request, route, Date.now(), deps) : undefined;
  const decision = await decide(request, { ...config, hooks: [hook] }, prove);
  return report(decision, isProven, options.config !== undefined);
}

function proofFrom(secret: string): VerifyDeps {
  const secrets = { get: async () => ({ current: secret }) };
  return { secrets, signer, tokens: new OidcTokens(new SystemClock()), hookSecretPrefix: 'file' };
}

function report(decision: Decision, isProven: boolean, isConfigured: boolean): Report {
  const proof = isProven ? 'verified' : 'not checked';
  if (decision.kind === 'refused') {
    const { status, reason } = decision;
    const data = { outcome: 'refused', status, proof: status === 401 ? 'refused' : proof, reason };
    return { data, text: `refused (${status}): ${reason}`, exitCode: exitCodes.found };
  }
  const { reading, understood } = decision;
  const notes = [
    ...(isProven
      ? []
      : ['The proof was not checked: give --secret-file (and the path, where that is the secret).']),
    ...(isConfigured ? [] : ['Repositories were not looked for: give --config.']),
  ];
  // Without a configuration nothing is tracked: the pushes are shown as the provider names them.
  const told = isConfigured ? understood : reading;
  const data = { outcome: told.kind === 'ignored' ? 'ignored' : 'published', status: 202, proof, ...told };
  const text = [
    `${data.outcome} (202), proof ${proof}`,
    ...('reason' in told ? [told.reason] : []),
    ...('pushes' in told ? told.pushes.map(showPush) : []),
    ...('images' in told ? told.images.map(({ repository, tag }) => `image ${repository}:${tag}`) : []),
  ];
  const exitCode = told.kind === 'ignored' ? exitCodes.found : exitCodes.ok;
  return { data, text: text.join('\n'), notes, exitCode };
}

interface ShownPush {
  readonly repository: string | { readonly fullName: string };
  readonly ref: string;
  readonly before: string;
  readonly after: string;
}

function showPush({ repository, ref, before, after }: ShownPush): string {
  const name = typeof repository === 'string' ? repository : repository.fullName;
  return `push ${name} ${ref} ${before.slice(0, 7)}..${after.slice(0, 7)}`;
}

/** The hook of the configuration; or one of the provider's, where it needs to know nothing. */
function hookOf({ provider, hook: id, config }: EventOptions, stack: StackConfig): Hook {
  const configured = hooksOf(stack).find((known) => known.provider === provider && known.id === id);
  if (config !== undefined && configured !== undefined) return configured;
  const made = hookSchema.safeParse({
    provider,
    allowFrom: anywhere.allowFrom,
    ...(id !== undefined && { id }),
  });
  if (config === undefined && made.success) return made.data;
  if (!hookProviders.some((known) => known === provider)) {
    throw new CliError(`There is no provider ${provider}. There are: ${hookProviders.join(', ')}.`);
  }
  throw new CliError(
    config === undefined
      ? `A hook of ${provider} needs to know more: give the stack configuration with --config.`
      : `${config} has no hook ${provider}${id === undefined ? '' : ` with the id ${id}`}.`,
  );
}

function pathOf({ provider, id }: Hook): string {
  const route = id === undefined ? `/hooks/${provider}` : `/hooks/${provider}/${id}`;
  return hasSecretPath({ provider }) ? `${route}/secret` : route;
}

function nothingConfigured(): StackConfig {
  return parseStackConfig({
    repositories: [{ name: 'none', url: 'https://none.invalid/none', provider: 'codecommit' }],
    clusters: [{ name: 'none', access: { type: 'eks', name: 'none' } }],
  });
}

async function readBytes(file: string): Promise<Buffer> {
  try {
    return await readFile(resolve(callersFolder(), file));
  } catch (cause) {
    throw new CliError(`Cannot read ${file}: ${messageOf(cause)}`, { cause });
  }
}

async function readConfig(file: string): Promise<StackConfig> {
  const text = (await readBytes(file)).toString('utf8');
  const { load } = await import('js-yaml');
  try {
    return parseStackConfig(load(text));
  } catch (cause) {
    throw new CliError(`${file}: ${messageOf(cause)}`, { cause });
  }
}

const headersSchema = z.record(z.string(), z.string());

/** Names in lower case; the path, where the first line is that of a request. */
function readHead(text: string): {
  readonly path?: string;
  readonly headers: Readonly<Record<string, string>>;
} {
  if (text.trimStart().startsWith('{')) return { headers: lowered(Object.entries(parseHeaders(text))) };
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const [, path] = /^POST (\S+)/.exec(lines[0] ?? '') ?? [];
  const pairs = lines.slice(path === undefined ? 0 : 1).map((line) => {
    const colon = line.indexOf(':', 1);
    if (colon === -1) throw new CliError(`Not a header, which is a name, a colon and a value: ${line}`);
    return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
  });
  return path === undefined ? { headers: lowered(pairs) } : { path, headers: lowered(pairs) };
}

function parseHeaders(text: string): Record<string, string> {
  try {
    return headersSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new CliError('The headers are neither lines of HTTP nor a JSON object of texts.', { cause });
  }
}

function lowered(pairs: readonly (readonly [string, string])[]): Readonly<Record<string, string>> {
  return Object.fromEntries(pairs.map(([name, value]) => [name.toLowerCase(), value]));
}
