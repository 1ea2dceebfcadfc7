import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { App, Stack } from 'aws-cdk-lib/core';
import { Template } from 'aws-cdk-lib/assertions';
import * as z from 'zod';
import type { StackConfigInput } from '../../core/contract/config.ts';
import { functionNames } from '../../infra/bundle.ts';
import { temporaryFolder } from '../../infra/temporary-folder.ts';
import { TrueUp } from '../../infra/trueup.ts';
import type { TrueUpProps } from '../../infra/trueup.ts';
import cdkJson from '../../cdk.json' with { type: 'json' };

/** One of everything: a private and a public repository, an EKS cluster here and one elsewhere, a kubeconfig. */
export const sample: StackConfigInput = {
  fleet: 'acme',
  repositories: [
    { name: 'platform', url: 'https://github.com/acme/platform.git', tokenSecret: 'acme/platform-token' },
    { name: 'apps', url: 'https://github.com/acme/apps.git' },
  ],
  clusters: [
    { name: 'staging', access: { type: 'eks', name: 'stage-1' } },
    { name: 'production', access: { type: 'eks', name: 'prod-1', region: 'eu-west-1' } },
    { name: 'edge', access: { type: 'kubeconfig', secret: 'acme/edge-kubeconfig' } },
  ],
};

/** Of an installation that has a dashboard, which `sample` has not. */
export const dashboard: NonNullable<StackConfigInput['dashboard']> = {
  oidc: {
    issuer: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI',
    clientId: '1example23456789',
    origins: ['https://acme.auth.eu-west-1.amazoncognito.com'],
  },
  roles: [{ group: 'platform', role: 'admin', projects: ['*'] }],
};

const resourceSchema = z.object({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
  DeletionPolicy: z.string().optional(),
});
export type Resource = z.infer<typeof resourceSchema>;

export interface Synthesized extends Disposable {
  readonly app: App;
  readonly template: Template;
  /** By logical id. */
  readonly resources: Readonly<Record<string, Resource>>;
  /** The cloud assembly; gone with this object. */
  readonly outdir: string;
}

export interface SynthesisOptions {
  readonly validate?: boolean;
  /** Account and region of the stack, where they are known at synthesis. */
  readonly env?: { readonly account: string; readonly region: string };
  /** What an app does with the construct before it is synthesised. */
  readonly add?: (trueup: TrueUp, stack: Stack) => void;
}

/** Synthesises the stack with a stub for each function, as a zip unless told otherwise: the image's context is large. */
export function synthesize(
  input: StackConfigInput = sample,
  props: Partial<Omit<TrueUpProps, 'config' | 'bundles' | 'site'>> = {},
  { validate = false, env, add = () => undefined }: SynthesisOptions = {},
): Synthesized {
  const folder = temporaryFolder();
  const bundles = path.join(folder.path, 'bundles');
  for (const name of functionNames) {
    mkdirSync(path.join(bundles, name), { recursive: true });
    writeFileSync(path.join(bundles, name, 'index.mjs'), "export { handler } from './chunk.mjs';\n");
    writeFileSync(path.join(bundles, name, 'chunk.mjs'), `export const handler = async () => '${name}';\n`);
  }
  const site = path.join(folder.path, 'site');
  mkdirSync(site);
  for (const name of ['index.html', 'favicon.svg', 'main-ABCDEFGH.js'])
    writeFileSync(path.join(site, name), name);
  // Seconds each time: one test does it.
  process.env['CDK_VALIDATION'] = String(validate);
  const outdir = path.join(folder.path, 'cdk.out');
  const app = new App({ outdir, context: cdkJson.context, analyticsReporting: false });
  const stack = new Stack(app, 'trueup-acme', { ...(env && { env }) });
  const trueup = new TrueUp(stack, 'TrueUp', {
    config: input,
    bundles,
    site,
    snapshotPackaging: 'zip',
    ...props,
  });
  add(trueup, stack);
  const template = Template.fromStack(Stack.of(trueup));
  const { Resources } = z
    .object({ Resources: z.record(z.string(), resourceSchema) })
    .parse(template.toJSON());
  const dispose = () => folder[Symbol.dispose]();
  return { app, template, resources: Resources, outdir, [Symbol.dispose]: dispose };
}

export function ofType(
  resources: Synthesized['resources'],
  type: string,
): readonly (readonly [string, Resource])[] {
  return Object.entries(resources).filter(([, { Type }]) => Type === type);
}

/**
 * CloudFormation's intrinsic functions as a short text: `Ref` and `Fn::GetAtt` give `<logical id>` without the hash,
 * pseudo parameters their last word.
 */
export function flatten(value: unknown): string {
  const join = z.object({ 'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]) }).safeParse(value);
  if (join.success) {
    const [delimiter, parts] = join.data['Fn::Join'];
    return parts.map(flatten).join(delimiter);
  }
  const attribute = z.object({ 'Fn::GetAtt': z.array(z.string()).min(1) }).safeParse(value);
  if (attribute.success) return `<${withoutHash(attribute.data['Fn::GetAtt'][0] ?? '')}>`;
  const reference = z.object({ Ref: z.string() }).safeParse(value);
  if (reference.success) return `<${withoutHash(reference.data.Ref)}>`;
  const template = z.object({ 'Fn::Sub': z.string() }).safeParse(value);
  if (template.success) return template.data['Fn::Sub'];
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function withoutHash(logicalId: string): string {
  return logicalId
    .replace(/^AWS::/, '')
    .replace(/^TrueUp/, '')
    .replace(/[0-9A-F]{8}$/, '');
}

/** Every file of a folder, by name. */
export function contentsOf(folder: string): Readonly<Record<string, Buffer>> {
  return Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(path.join(folder, name))]));
}

const policySchema = z.object({
  PolicyDocument: z.object({
    Statement: z.array(
      z.object({ Action: z.union([z.string(), z.array(z.string())]), Resource: z.unknown() }),
    ),
  }),
});

/** Of all roles. The CDK puts what a role's own policy has no room for into managed ones. */
export function policiesIn({ resources }: Pick<Synthesized, 'resources'>) {
  return ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'].flatMap((type) => ofType(resources, type));
}

/** What the role of each function may do: `Sweep ssm:GetParameter arn:…`, a right each. */
export function rightsIn(config: StackConfigInput): readonly string[] {
  using synthesized = synthesize(config);
  return policiesIn(synthesized).flatMap(([name, { Properties }]) =>
    policySchema
      .parse(Properties)
      .PolicyDocument.Statement.flatMap(({ Action, Resource }) =>
        [Resource]
          .flat()
          .map(
            (resource) =>
              `${/Webhook|Snapshot|Reconcile|Sweep|Intake|Audit|Images|Revert|Promotion/.exec(name)?.[0]} ${String(Action)} ${flatten(resource)}`,
          ),
      ),
  );
}
