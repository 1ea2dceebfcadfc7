import * as z from 'zod';
import { fleetFreezeSchema } from '../model/freeze.ts';
import { policyRuleSchema } from '../model/policy-rule.ts';
import { schemaWords } from '../model/schema-words.ts';
import { variableNameSchema } from '../model/substitute.ts';
import { nameSchema } from '../model/target.ts';
import { baseSourcesSchema } from './base-sources.ts';
import { canarySchema } from './canary.ts';
import { chartSourcesSchema } from './chart-sources.ts';
import { accessSchema } from './cluster-access.ts';
import { concurrencySchema } from './concurrency.ts';
import { dashboardSchema } from './dashboard.ts';
import { discoverySchema } from './discovery.ts';
import { hookName, hookSchema } from './hooks.ts';
import { imageSourcesSchema } from './images.ts';
import { notificationFaults, notificationsSchema } from './notifications.ts';
import { promotionFaults } from './promotion.ts';
import { recordLockSchema } from './record-lock.ts';
import { projectFaults, projectSchema } from './projects.ts';
import { repositorySchema } from './repository.ts';
import { secretReferencesSchema } from './secret-references.ts';
import { sopsSchema } from './sops.ts';

const variablesSchema = z.record(variableNameSchema, z.string());

const clusterSchema = z.strictObject({
  name: nameSchema,
  labels: z.record(z.string(), z.string()).default({}),
  variables: variablesSchema
    .exactOptional()
    .describe('for `spec.source.substitute`; wins over those of the installation'),
  access: accessSchema,
  network: nameSchema
    .exactOptional()
    .describe(
      'the VPC from which it is reached, by the name that the CDK app gave it (`addNetwork`); default: reached from outside a VPC',
    ),
  audit: z
    .boolean()
    .exactOptional()
    .describe(
      'follow the audit log of its control plane: drift is found in seconds, with who it was. For EKS clusters in the account and region of the stack, with that log switched on; see docs/reference/audit.md',
    ),
  requestsPerSecond: z
    .number()
    .min(1)
    .max(10_000)
    .exactOptional()
    .describe(
      'most requests a second that one function sends to the API server, with a burst of twice as many; default 400. Lower it for a small control plane that other clients need; an API server that answers 429 is obeyed whatever stands here',
    ),
});

/** All that rendering may fetch besides the repositories, and whom to ask about images. */
const sourcesSchema = z
  .strictObject({ charts: chartSourcesSchema, bases: baseSourcesSchema, images: imageSourcesSchema })
  .prefault({});

function duplicates(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}

/** Rule 6 of the design. */
export const defaultPruneCap = { percent: 30, objects: 5 } as const;

/** What an installation serves. Written in `infra`, validated at synth and again by every function at cold start. */
export const stackConfigSchema = z
  .strictObject({
    fleet: nameSchema.default('default').describe('dimension of every metric; tells two installations apart'),
    repositories: z.array(repositorySchema).min(1),
    clusters: z.array(clusterSchema).default([]).describe('those that are named here; others are found'),
    discovery: z
      .array(discoverySchema)
      .default([])
      .describe('EKS clusters that are served because of their tags, by account and region'),
    projects: z
      .array(projectSchema)
      .default([])
      .describe(
        'what teams may do with their applications; the project `default` is not bounded unless it is here',
      ),
    policies: z
      .array(policyRuleSchema)
      .max(200)
      .default([])
      .describe('what rendered objects have to keep to; previews and `trueup diff` say where they do not'),
    canary: canarySchema.exactOptional(),
    dashboard: dashboardSchema
      .exactOptional()
      .describe('the dashboard, for whoever signs in; default: none but that of `trueup ui`'),
    hooks: z
      .array(hookSchema)
      .default([])
      .describe('webhooks beside those that the providers of the repositories imply'),
    sources: sourcesSchema,
    sops: sopsSchema.prefault({}),
    secretReferences: secretReferencesSchema.prefault({}),
    variables: variablesSchema.default({}).describe('for `spec.source.substitute` of every application'),
    pollMinutes: z
      .number()
      .int()
      .min(5)
      .max(1440)
      .default(15)
      .describe('Git hosts are asked this often for pushes that they did not tell of'),
    sweepMinutes: z.number().int().min(1).max(60).default(5).describe('every target is checked this often'),
    fullCheckHours: z
      .number()
      .min(0.1)
      .max(168)
      .default(6)
      .describe('every object is compared exactly this often, although nothing says that it changed'),
    concurrency: concurrencySchema.prefault({}).describe('how much is worked on at once'),
    athena: z
      .boolean()
      .default(false)
      .describe('tables and saved queries of Athena over the records of runs and drift'),
    notifications: notificationsSchema
      .exactOptional()
      .describe('who is told of what, and where; default: nobody is told but by the alarm topic'),
    recordLock: recordLockSchema
      .exactOptional()
      .describe('keeps records of runs and drift from being deleted or overwritten; default: not locked'),
    freeze: z
      .array(fleetFreezeSchema)
      .max(50)
      .default([])
      .describe('times in which nothing is applied, healed or pruned on some clusters but by `trueup sync`'),
    pruneCap: z
      .strictObject({ percent: z.number().min(0).max(100), objects: z.number().int().min(0) })
      .default(defaultPruneCap)
      .describe('a run that would prune more than both stops and asks'),
    loopBreaker: z
      .strictObject({ flips: z.number().int().min(1).max(20), minutes: z.number().int().min(1).max(1440) })
      .default({ flips: 3, minutes: 30 })
      .describe(
        'a field that was healed and changed again so often within that time is left alone, with an alarm',
      ),
    hookBodyLimit: z.number().int().min(1024).max(6_000_000).default(5_000_000).describe('bytes'),
  })
  .superRefine((config, context) => {
    for (const [index, { audit, access }] of config.clusters.entries()) {
      if (audit !== true || access.type === 'eks') continue;
      const message =
        'audit logs are read from CloudWatch Logs, where those of EKS are: leave it out for a kubeconfig';
      context.addIssue({ code: 'custom', path: ['clusters', index, 'audit'], message });
    }
    if (config.clusters.length + config.discovery.length === 0) {
      context.addIssue({ code: 'custom', path: ['clusters'], message: 'name a cluster, or a discovery' });
    }
    const lists = [
      ['repositories', config.repositories.map(({ name }) => name)],
      ['clusters', config.clusters.map(({ name }) => name)],
      ['hooks', config.hooks.map(hookName)],
      ['projects', config.projects.map(({ name }) => name)],
      ['policies', config.policies.map(({ name }) => name)],
    ] as const;
    for (const fault of [
      ...projectFaults(config),
      ...promotionFaults(config.repositories),
      ...notificationFaults(config.notifications),
    ])
      context.addIssue({ code: 'custom', ...fault });
    for (const [list, names] of lists) {
      for (const name of duplicates(names)) {
        context.addIssue({ code: 'custom', path: [list], message: `name "${name}" is used twice` });
      }
    }
  });
export type StackConfig = z.infer<typeof stackConfigSchema>;
/** The configuration as a person writes it, defaults left out. */
export type StackConfigInput = z.input<typeof stackConfigSchema>;
export type { RepositoryConfig } from './repository.ts';
export type ClusterConfig = StackConfig['clusters'][number];

/** Every fault in one text, a line each with its path, for synth and cold start alike. */
export function parseStackConfig(input: unknown): StackConfig {
  const parsed = stackConfigSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(
    ({ path, message }) => `  ${path.join('.') || '(root)'}: ${schemaWords(message)}`,
  );
  throw new Error(
    `stack configuration: ${faults.length} fault(s), nothing was deployed or changed\n${faults.join('\n')}`,
  );
}
