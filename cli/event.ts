import * as z from 'zod';
import { signer } from '../adapters/hmac-signature.ts';
import { OidcTokens } from '../adapters/oidc-tokens.ts';
import { SystemClock } from '../adapters/system-clock.ts';
import { parseStackConfig, type StackConfig } from '../core/contract/config.ts';
import {
  hasSecretPath,
  hookName,
  hookProviders,
  hookSchema,
  hooksOf,
  takesTokens,
  type Hook,
} from '../core/contract/hooks.ts';
import { decide, type Decision, type Prove } from '../core/receive/decide.ts';
import type { HookRequest } from '../core/receive/hook-request.ts';
import type { PullHint } from '../core/receive/reading.ts';
import { routeOf } from '../core/receive/route.ts';
import { whyUnverified, type VerifyDeps } from '../core/receive/verify.ts';
import { CliError, exitCodes } from './cli-error.ts';
import type { Report } from './report.ts';
import { readBytes, readStackConfig } from './stack-config-file.ts';

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
  const config = options.config === undefined ? nothingConfigured() : await readStackConfig(options.config);
  const hook: Hook = { ...hookOf(options, config), allowFrom: anywhere.allowFrom };
  const [head, body] = await Promise.all([readBytes(options.headers), readBytes(options.body)]);
  const secret = options.secretFile === undefined ? undefined : await readBytes(options.secretFile);
  const { method = 'POST', path, headers } = readHead(head.toString('utf8'), options.headers);
  if (path !== undefined) assertOwnPath(path, hook, config, options.headers);
  const isSecretShown = !hasSecretPath(hook) || path !== undefined;
  const isProven = takesTokens(hook) || (secret !== undefined && isSecretShown);
  const request: HookRequest = {
    method,
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
  return report(decision, hook, isProven, options.config !== undefined);
}

function proofFrom(secret: string): VerifyDeps {
  const secrets = { get: async () => ({ current: secret }) };
  return { secrets, signer, tokens: new OidcTokens(new SystemClock()), hookSecretPrefix: 'file' };
}

function report(decision: Decision, hook: Hook, isProven: boolean, isConfigured: boolean): Report {
  const proof = isProven ? 'verified' : 'not checked';
  if (decision.kind === 'refused') {
    const { status, reason } = decision;
    const data = { outcome: 'refused', status, proof: status === 401 ? 'refused' : proof, reason };
    const notes = whyRefused(status, hook, isProven);
    return { data, text: `refused (${status}): ${reason}`, notes, exitCode: exitCodes.found };
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
    ...('pulls' in told ? told.pulls.map(showPull) : []),
    ...('images' in told ? told.images.map(({ repository, tag }) => `image ${repository}:${tag}`) : []),
  ];
  const exitCode = told.kind === 'ignored' ? exitCodes.found : exitCodes.ok;
  return { data, text: text.join('\n'), notes, exitCode };
}

/** What files can be wrong in, beside what the function itself would say. */
function whyRefused(status: number, hook: Hook, isProven: boolean): string[] {
  if (!isProven || takesTokens(hook)) return [];
  if (status === 404 && hasSecretPath(hook)) {
    return ['The last part of the path in the headers file is not the secret in --secret-file.'];
  }
  if (status !== 401) return [];
  return [
    'Either --secret-file holds another secret than the sender has, or, where the sender signs, --body holds other bytes than were sent: a signature counts each space and the newline at the end.',
  ];
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

interface ShownPull extends Pick<PullHint, 'id' | 'action' | 'head' | 'base'> {
  readonly repository: ShownPush['repository'];
}

function showPull({ repository, id, action, head, base }: ShownPull): string {
  const name = typeof repository === 'string' ? repository : repository.fullName;
  return `pull request ${name} ${id} ${action}: ${head.branch} ${head.sha.slice(0, 7)} into ${base.branch}`;
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
  if (provider === 'ecr' || provider === 'codecommit') {
    throw new CliError(
      `${provider} tells EventBridge and has no webhook: there is nothing to verify or to try out.`,
    );
  }
  if (!hookProviders.some((known) => known === provider)) {
    throw new CliError(`There is no provider ${provider}. There are: ${hookProviders.join(', ')}.`);
  }
  throw new CliError(
    config === undefined
      ? `A hook of ${provider} needs to know more: give the stack configuration with --config.`
      : `${config} has no hook ${provider}${id === undefined ? '' : ` with the id ${id}`}; declare it under hooks.`,
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

/** A request that went to another hook is not what the command asks about. */
function assertOwnPath(path: string, hook: Hook, config: StackConfig, file: string): void {
  const own = routeOf(path, { repositories: [], hooks: [hook] });
  const [other] =
    own === undefined
      ? hooksOf(config).filter((one) => routeOf(path, { repositories: [], hooks: [one] }))
      : [];
  if (other === undefined) return;
  const id = other.id === undefined ? '' : ` --hook ${other.id}`;
  throw new CliError(
    `${file} is of a request to another hook, not to ${hookName(hook)}: give --provider ${other.provider}${id}.`,
  );
}

const headersSchema = z.record(z.string(), z.string());

/** Names in lower case; the path, where the first line is that of a request. */
function readHead(
  text: string,
  file: string,
): {
  readonly method?: string;
  readonly path?: string;
  readonly headers: Readonly<Record<string, string>>;
} {
  if (text.trimStart().startsWith('{')) return { headers: lowered(Object.entries(parseHeaders(text, file))) };
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const [, method, path] = /^([A-Z]+) (\S+)(?: HTTP\/[\d.]+)?$/.exec(lines[0]?.trim() ?? '') ?? [];
  const pairs = lines.slice(path === undefined ? 0 : 1).map((line, index) => {
    const colon = line.indexOf(':', 1);
    if (colon === -1) {
      const place = index + (path === undefined ? 1 : 2);
      // Not the line itself: it may hold a token.
      throw new CliError(
        `${file}: line ${place} is neither a header (a name, a colon and a value) nor the line of a request (POST /hooks/… HTTP/1.1).`,
      );
    }
    return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
  });
  return path === undefined || method === undefined
    ? { headers: lowered(pairs) }
    : { method, path, headers: lowered(pairs) };
}

function parseHeaders(text: string, file: string): Record<string, string> {
  try {
    return headersSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new CliError(`${file}: must be lines of HTTP, or a JSON object of names and texts.`, { cause });
  }
}

function lowered(pairs: readonly (readonly [string, string])[]): Readonly<Record<string, string>> {
  return Object.fromEntries(pairs.map(([name, value]) => [name.toLowerCase(), value]));
}
