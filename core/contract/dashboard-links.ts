import * as z from 'zod';

const ofTarget = ['cluster', 'application'] as const;
const ofObject = ['group', 'kind', 'namespace', 'name'] as const;
type Placeholder = (typeof ofTarget)[number] | (typeof ofObject)[number];

const known: readonly string[] = [...ofTarget, ...ofObject];

/** A link to another page, such as that of logs: its host stands fast, so that no name of an object leads elsewhere. */
export const dashboardLinkSchema = z.strictObject({
  title: z.string().min(1).max(40),
  url: z
    .string()
    .max(1000)
    .regex(/^https:\/\/[^/\s{}?#@]+\/[^\s"'<>\\^`]*$/, 'must be https://HOST/…, without {…} in the host')
    .refine((url) => placeholdersOf(url).every((name) => known.includes(name)), {
      message: `may hold ${known.map((name) => `{${name}}`).join(', ')}, and no other {…}`,
    })
    .describe('with {cluster}, {application}; for objects also {group}, {kind}, {namespace}, {name}'),
  kinds: z
    .array(z.string().min(1))
    .min(1)
    .exactOptional()
    .describe('of the objects that have it; default: all, where it names anything of an object'),
});
export type DashboardLink = z.infer<typeof dashboardLinkSchema>;

/** The link of one target, or of one object; undefined where it is not for it. Values are escaped for a URL. */
export function fillLink(
  { title, url, kinds }: DashboardLink,
  values: Readonly<Partial<Record<Placeholder, string>>>,
): { readonly title: string; readonly url: string } | undefined {
  const names = placeholdersOf(url);
  const isForObjects = kinds !== undefined || names.some((name) => !ofTarget.some((own) => own === name));
  const isObject = values.kind !== undefined;
  if (isForObjects !== isObject) return undefined;
  if (kinds !== undefined && !kinds.includes(values.kind ?? '')) return undefined;
  const byName = new Map<string, string>(Object.entries(values));
  return {
    title,
    url: url.replaceAll(/\{(\w*)\}/g, (_, name: string) => encodeURIComponent(byName.get(name) ?? '')),
  };
}

function placeholdersOf(url: string): readonly string[] {
  return [...url.matchAll(/\{([^}]*)\}/g)].map(([, name = '']) => name);
}
