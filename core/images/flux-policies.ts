import * as z from 'zod';
import { tagOrderSchema, type ImagePolicy } from '../model/image-policy.ts';
import { readYaml } from '../yaml/read-yaml.ts';

/** An ImagePolicy of Flux, as it stands in the repository, with the image of its ImageRepository. */
export interface FluxPolicy {
  /** `NAMESPACE:NAME`, as setter markers spell it. */
  readonly name: string;
  readonly place: string;
  readonly following: Pick<ImagePolicy, 'image' | 'policy' | 'filter' | 'digest'>;
}

const metadataSchema = z.object({ name: z.string(), namespace: z.string().default('default') });
const repositorySchema = z.object({
  kind: z.literal('ImageRepository'),
  metadata: metadataSchema,
  spec: z.object({ image: z.string() }),
});
const policySchema = z.object({
  kind: z.literal('ImagePolicy'),
  metadata: metadataSchema,
  spec: z.object({
    imageRepositoryRef: z.object({ name: z.string(), namespace: z.string().optional() }),
    policy: tagOrderSchema,
    filterTags: z.object({ pattern: z.string(), extract: z.string().exactOptional() }).optional(),
    digestReflectionPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).default('Never'),
  }),
});

/** Whether a file may hold any: the rest need not be parsed. */
export function mayHoldPolicies(text: string): boolean {
  return text.includes('image.toolkit.fluxcd.io/');
}

/** Read out of the files of a checkout, unmodified; a policy whose repository is not there is nobody's. */
export function fluxPolicies(
  files: readonly { readonly file: string; readonly text: string }[],
): readonly FluxPolicy[] {
  const documents = files.flatMap(({ file, text }) => readYaml(file, text));
  const images = new Map(
    documents.flatMap(({ value }) => {
      const parsed = repositorySchema.safeParse(value);
      if (!parsed.success) return [];
      const { metadata, spec } = parsed.data;
      return [[`${metadata.namespace}/${metadata.name}`, spec.image] as const];
    }),
  );
  return documents.flatMap((document): FluxPolicy[] => {
    const parsed = policySchema.safeParse(document.value);
    if (!parsed.success) return [];
    const { metadata, spec } = parsed.data;
    const { name, namespace = metadata.namespace } = spec.imageRepositoryRef;
    const image = images.get(`${namespace}/${name}`);
    if (image === undefined) return [];
    const { pattern, extract } = spec.filterTags ?? {};
    // Flux takes an empty pattern for none.
    const filter =
      pattern === undefined || pattern === ''
        ? {}
        : { filter: { pattern, ...(extract !== undefined && extract !== '' && { extract }) } };
    const digest = spec.digestReflectionPolicy === 'Never' ? 'never' : 'always';
    return [
      {
        name: `${metadata.namespace}:${metadata.name}`,
        place: document.place(),
        following: { image, policy: spec.policy, digest, ...filter },
      },
    ];
  });
}
