import * as z from 'zod';

const name = z.string().min(1);
const labelMap = z.record(name, z.string());

const targetSchema = z
  .strictObject({
    group: z.string().exactOptional(),
    version: z.string().exactOptional(),
    kind: z.string().exactOptional(),
    name: z.string().exactOptional(),
    namespace: z.string().exactOptional(),
    labelSelector: z.string().exactOptional(),
    annotationSelector: z.string().exactOptional(),
  })
  .describe(
    'regular expressions and selectors, as in a kustomization; default: the object that the patch names',
  );

/** What an Application adds to the kustomization in its folder, as a kustomization on top of it would. */
export const kustomizeOptionsSchema = z.strictObject({
  namePrefix: name.exactOptional(),
  nameSuffix: name.exactOptional(),
  namespace: name.exactOptional().describe('of every namespaced object, whatever it says itself'),
  images: z
    .array(
      z.strictObject({
        name: name.describe('as the folder gives it, without a tag'),
        newName: name.exactOptional(),
        newTag: name.exactOptional(),
        digest: z
          .string()
          .regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 hexadecimal digits')
          .exactOptional(),
      }),
    )
    .exactOptional(),
  replicas: z.array(z.strictObject({ name, count: z.int().min(0) })).exactOptional(),
  commonMetadata: z
    .strictObject({ labels: labelMap.exactOptional(), annotations: labelMap.exactOptional() })
    .exactOptional()
    .describe('of every object itself; selectors and pod templates stay as they are'),
  patches: z
    .array(
      z.strictObject({
        patch: name.describe('strategic merge or JSON 6902, as text'),
        target: targetSchema.exactOptional(),
      }),
    )
    .exactOptional(),
  components: z
    .array(name)
    .exactOptional()
    .describe('folders of this repository that hold a Component, relative to source.path'),
  helm: z
    .boolean()
    .exactOptional()
    .describe(
      'whether helmCharts of the kustomizations are rendered; their charts must be in this repository',
    ),
});
export type KustomizeOptions = z.infer<typeof kustomizeOptionsSchema>;
