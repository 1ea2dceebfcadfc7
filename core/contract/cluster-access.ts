import * as z from 'zod';

const roleArn = z
  .string()
  .regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/, 'must be the ARN of an IAM role')
  .exactOptional()
  .describe("role in the cluster's account that trueup takes on; default: its own role");
const externalId = z
  .string()
  .regex(/^[\w+=,.@:/-]{2,1224}$/, 'must be 2 to 1224 letters, digits and +=,.@:/-')
  .exactOptional()
  .describe('what the trust policy of that role asks for');

/** How another account lets trueup in. */
export const roleFields = { roleArn, externalId } as const;

/** Which role trueup takes on, where it does. */
export interface AssumedRole {
  readonly roleArn?: string;
  readonly externalId?: string;
}

/** Whether an external id is given without the role that asks for it. */
export function lacksRole({ roleArn: role, externalId: id }: AssumedRole): boolean {
  return role === undefined && id !== undefined;
}

export const lacksRoleText = 'externalId goes with a roleArn';

const clusterArn = /^arn:(aws[a-z-]*):eks:([a-z0-9-]+):(\d{12}):cluster\/([0-9A-Za-z][\w-]{0,99})$/;

/** An EKS cluster, as its ARN names it. */
export interface EksPlace {
  readonly name: string;
  /** Undefined: that of the stack, or of who asks. */
  readonly region: string | undefined;
  readonly account: string | undefined;
}

/** Undefined for what is no ARN of an EKS cluster. */
export function placeOfArn(arn: string): (EksPlace & { readonly region: string }) | undefined {
  const [, , region, account, name] = clusterArn.exec(arn) ?? [];
  return region === undefined || name === undefined ? undefined : { name, region, account };
}

const eksSchema = z
  .strictObject({
    type: z.literal('eks'),
    name: z.string().min(1).max(100).exactOptional().describe('name of the EKS cluster; or give its arn'),
    arn: z
      .string()
      .regex(clusterArn, 'must be the ARN of an EKS cluster')
      .exactOptional()
      .describe('in place of name and region'),
    region: z.string().min(1).optional().describe('default: region of the stack'),
    ...roleFields,
  })
  .refine(({ name, arn }) => (name === undefined) !== (arn === undefined), {
    message: 'give either name or arn',
  })
  .refine(({ arn, region }) => arn === undefined || region === undefined, {
    message: 'the arn tells the region: leave region out',
  })
  .refine((access) => !lacksRole(access), { message: lacksRoleText });
export type EksAccess = z.infer<typeof eksSchema>;

/** How a cluster is reached. */
export const accessSchema = z.discriminatedUnion('type', [
  eksSchema,
  z.strictObject({
    type: z.literal('kubeconfig'),
    secret: z.string().min(1).describe('Secrets Manager name of a kubeconfig'),
    context: z.string().optional(),
  }),
]);

/** Where a declared EKS cluster is. */
export function placeOf({ name = '', arn, region, roleArn: role }: EksAccess): EksPlace {
  const place = arn === undefined ? undefined : placeOfArn(arn);
  return place ?? { name, region, account: role?.split(':')[4] };
}
