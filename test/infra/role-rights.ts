import * as z from 'zod';
import { flatten, policiesIn, ofType, type Synthesized } from './synthesized.ts';

const oneOrMore = z.union([z.array(z.unknown()), z.unknown().transform((one) => [one])]);
const policySchema = z.object({
  PolicyDocument: z.object({
    Statement: z.array(
      z.object({
        Effect: z.literal('Allow'),
        Action: oneOrMore,
        Resource: oneOrMore,
        Condition: z.record(z.string(), z.record(z.string(), oneOrMore)).default({}),
      }),
    ),
  }),
  Roles: z.array(z.unknown().transform(flatten)),
});

/** One action on one resource, as a person reads it. */
export interface Right {
  readonly action: string;
  readonly resource: string;
  /** Empty where there is none. */
  readonly condition: string;
}

// The key of the configuration's asset is its content's hash, in a bucket that the CDK names.
const configAsset = /^arn:.*:s3:::cdk-\w+-assets-.*\/[0-9a-f]{64}\.json$/;

/** Roles by name (`<FunctionsSweepRole>`), each with its rights, sorted. */
export function rolesIn({
  resources,
}: Pick<Synthesized, 'resources'>): ReadonlyMap<string, readonly Right[]> {
  const policies = policiesIn({ resources }).map(([, { Properties }]) => policySchema.parse(Properties));
  const roles = ofType(resources, 'AWS::IAM::Role').map(([id]) => flatten({ Ref: id }));
  return new Map(
    roles.map((role) => {
      const statements = policies
        .filter(({ Roles }) => Roles.includes(role))
        .flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
      return [role, statements.flatMap(rightsOf).sort(byText)];
    }),
  );
}

function rightsOf({
  Action,
  Resource,
  Condition,
}: z.infer<typeof policySchema>['PolicyDocument']['Statement'][number]) {
  const condition = Object.entries(Condition)
    .flatMap(([operator, keys]) =>
      Object.entries(keys).map(([key, values]) => `${operator} ${key} ${values.map(flatten).join(' ')}`),
    )
    .join('; ');
  return Action.flatMap((action) =>
    Resource.map(flatten).map((resource): Right => {
      const named = configAsset.test(resource) ? 'the stack configuration' : resource;
      return { action: String(action), resource: named, condition };
    }),
  );
}

function byText(one: Right, other: Right): number {
  return textOf(one) < textOf(other) ? -1 : 1;
}

function textOf({ action, resource, condition }: Right): string {
  return [action, resource, condition].join(' ');
}
