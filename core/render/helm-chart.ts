import { utf8ToBytes } from '@noble/hashes/utils.js';
import { utf8 } from '@scure/base';
import * as z from 'zod';
import { Stop } from '../errors.ts';
import { digestOfBytes } from '../model/digest.ts';
import { jsonSchema, type Json } from '../model/json.ts';
import type { ChartFiles } from '../ports.ts';
import { readYaml } from '../yaml/read-yaml.ts';

const maybeText = z
  .string()
  .nullish()
  .transform((value) => value ?? '');

const dependencySchema = z.object({
  name: z.string().min(1),
  version: maybeText,
  repository: maybeText,
  condition: maybeText,
  tags: z.array(z.string()).nullish(),
  enabled: z.boolean().nullish(),
  'import-values': z.array(jsonSchema).nullish(),
  alias: maybeText,
});
export type ChartDependency = z.infer<typeof dependencySchema>;

const dependenciesSchema = z
  .array(dependencySchema)
  .nullish()
  .transform((list) => list ?? []);

const chartSchema = z.object({
  apiVersion: z.string(),
  name: z.string().regex(/^[A-Za-z0-9][-._A-Za-z0-9]*$/, 'must be letters, digits, dashes and dots'),
  version: z.string().min(1),
  kubeVersion: maybeText,
  type: maybeText,
  dependencies: dependenciesSchema,
});
export type ChartMetadata = z.infer<typeof chartSchema>;

const lockSchema = z.object({ digest: z.string(), dependencies: dependenciesSchema });
export type ChartLock = z.infer<typeof lockSchema>;

/** Reads Chart.yaml. `place` tells where the chart is, e.g. `charts/web`. Throws Stop with file and line. */
export function readChart(place: string, files: ChartFiles): ChartMetadata {
  const chart = read(place, files, 'Chart.yaml', chartSchema);
  if (chart === undefined)
    throw new Stop({ subject: `folder ${place}`, message: 'is no chart: it has no Chart.yaml' });
  // Charts of Helm 2, apiVersion v1, keep them apart.
  const apart = read(place, files, 'requirements.yaml', z.object({ dependencies: dependenciesSchema }));
  return apart === undefined ? chart : { ...chart, dependencies: apart.dependencies };
}

/** What `helm dependency update` resolved; undefined where there is no lock. */
export function readLock(place: string, files: ChartFiles): ChartLock | undefined {
  return read(place, files, 'Chart.lock', lockSchema) ?? read(place, files, 'requirements.lock', lockSchema);
}

function read<T>(place: string, files: ChartFiles, name: string, schema: z.ZodType<T>): T | undefined {
  const bytes = files.get(name);
  if (bytes === undefined) return undefined;
  const file = place === '.' ? name : `${place}/${name}`;
  const [document] = readYaml(file, textOf(file, bytes));
  const parsed = schema.safeParse(document?.value ?? {});
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => ({
    subject: document?.place(path) ?? file,
    message: `${path.join('.')}: ${message}`,
  }));
  const [first = { subject: file, message: 'cannot be read' }] = faults;
  throw new Stop(first, faults);
}

/** Throws Stop for what is no UTF-8. */
export function textOf(file: string, bytes: Uint8Array): string {
  const text = decodeText(bytes);
  if (text === undefined) throw new Stop({ subject: file, message: 'is not UTF-8 text; save it as such' });
  return text;
}

/** Undefined for what is no text. */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return utf8.encode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * What Helm notes as the digest of a lock: over the dependencies as Chart.yaml wants them and as they were resolved, in
 * the spelling of Go's encoder, whose fields have an order of their own.
 */
export function lockDigest(wanted: readonly ChartDependency[], locked: readonly ChartDependency[]): string {
  const lists = [wanted, locked].map((list) =>
    list.length === 0 ? 'null' : `[${list.map(goDependency).join(',')}]`,
  );
  return digestOfBytes(utf8ToBytes(`[${lists.join(',')}]`));
}

function goDependency(one: ChartDependency): string {
  const tags = one.tags ?? [];
  const imports = one['import-values'] ?? [];
  const members: (readonly [string, Json, boolean])[] = [
    ['name', one.name, true],
    ['version', one.version, one.version !== ''],
    ['repository', one.repository, true],
    ['condition', one.condition, one.condition !== ''],
    ['tags', tags, tags.length > 0],
    ['enabled', true, one.enabled === true],
    ['import-values', imports, imports.length > 0],
    ['alias', one.alias, one.alias !== ''],
  ];
  return `{${members.flatMap(([name, value, isThere]) => (isThere ? [`"${name}":${goJson(value)}`] : [])).join(',')}}`;
}

/** Keys sorted, and no `<`, `>` or `&` as such. */
function goJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map((item: Json) => goJson(item)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([key, member]) => `${goJson(key)}:${goJson(member)}`).join(',')}}`;
  }
  return JSON.stringify(value).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
