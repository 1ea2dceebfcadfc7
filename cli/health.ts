import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import * as z from 'zod';
import { messageOf } from '../core/errors.ts';
import { expressionOf } from '../core/expression.ts';
import { healthOf } from '../core/health.ts';
import { apiVersion as ownApiVersion } from '../core/model/application.ts';
import { isJsonObject, jsonSchema, type Json } from '../core/model/json.ts';
import { describeRef, refOf, type KubeObject } from '../core/model/object.ts';
import { healthCheckSchema, type HealthCheck } from '../core/model/rule.ts';
import { flatten } from '../core/render/objects.ts';
import { parseApplication } from '../core/source.ts';
import { readYaml, type YamlDocument } from '../core/yaml/read-yaml.ts';
import { CliError } from './cli-error.ts';
import { callersFolder } from './local-session.ts';
import { clipped, coloured, table, type Report } from './report.ts';

export interface HealthOptions {
  /** YAML or JSON; `-` is stdin. */
  readonly filename: string;
  /** A list of health checks, or an Application that has some. */
  readonly checks?: string;
}

const required = z.string({ error: ({ input }) => (input === undefined ? 'is missing' : undefined) }).min(1);

/** Objects by hand need no name, and no uid or version: a rule looks at what a controller says. */
const objectSchema: z.ZodType<KubeObject> = z
  .object({
    apiVersion: required,
    kind: required,
    metadata: z
      .object({
        name: z.string().default(''),
        namespace: z.string().exactOptional(),
        labels: z.record(z.string(), z.string()).exactOptional(),
        annotations: z.record(z.string(), z.string()).exactOptional(),
      })
      .catchall(jsonSchema)
      .default({ name: '' }),
  })
  .catchall(jsonSchema);

/** Health of the objects in a file as they stand there, one answer each, in their order. Asks no cluster. */
export async function health({ filename, checks }: HealthOptions): Promise<Report> {
  const [objects, custom] = await Promise.all([
    readObjects(filename),
    checks === undefined ? [] : readChecks(checks),
  ]);
  const now = Date.now();
  const judged = objects.map((object) => ({ object, verdict: healthOf(object, now, custom) }));
  const data = judged.map(({ object: { apiVersion, kind, metadata }, verdict }) => {
    const { name, namespace = '' } = metadata;
    const { status, reason, message } = verdict;
    return { apiVersion, kind, namespace, name, status, reason, message };
  });
  const rows = judged.map(({ object, verdict: { status, reason, message } }) => {
    const [line = ''] = message.split('\n', 1);
    return [describeRef(refOf(object)), coloured(status), reason, clipped(line, 100)];
  });
  return { data, text: rows.length === 0 ? '' : table(['OBJECT', 'HEALTH', 'REASON', 'MESSAGE'], rows) };
}

async function readObjects(file: string): Promise<readonly KubeObject[]> {
  const faults: string[] = [];
  const objects = (await readDocuments(file)).flatMap((document) =>
    flatten(document.value, []).flatMap(({ value, path }) => {
      const parsed = objectSchema.safeParse(withoutNulls(value));
      if (parsed.success) return [parsed.data];
      faults.push(...faultsOf(document, path, parsed.error));
      return [];
    }),
  );
  if (faults.length > 0) throw new CliError(faults.join('\n'));
  return objects;
}

/** `labels:` with nothing behind it is null; kubectl lets it pass. */
function withoutNulls(value: Json): Json {
  if (!isJsonObject(value)) return value;
  const filled = Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null));
  const { metadata } = filled;
  if (!isJsonObject(metadata)) return filled;
  const members = Object.entries(metadata).filter(([, member]) => member !== null);
  return { ...filled, metadata: Object.fromEntries(members) };
}

async function readChecks(file: string): Promise<readonly HealthCheck[]> {
  return (await readDocuments(file)).flatMap((document) => {
    const { value } = document;
    if (isJsonObject(value) && value['apiVersion'] === ownApiVersion) {
      const parsed = parseApplication(file, document);
      if ('application' in parsed) return parsed.application.spec.health;
      throw new CliError(parsed.faults.map(({ subject, message }) => `${subject}: ${message}`).join('\n'));
    }
    const parsed = z.array(healthCheckSchema).safeParse(value);
    if (!parsed.success) throw new CliError(faultsOf(document, [], parsed.error).join('\n'));
    for (const [index, { match: _, ...expressions }] of parsed.data.entries()) {
      for (const [member, text] of Object.entries(expressions))
        expressionOf(text, document.place([index, member]));
    }
    return parsed.data;
  });
}

function faultsOf(
  document: YamlDocument,
  above: readonly PropertyKey[],
  { issues }: z.ZodError,
): readonly string[] {
  return issues.map(({ path, message }) => {
    const where = path.length === 0 ? '' : `${path.join('.')}: `;
    return `${document.place([...above, ...path])}: ${where}${message}`;
  });
}

async function readDocuments(file: string): Promise<readonly YamlDocument[]> {
  return file === '-' ? readYaml('stdin', await textOf(process.stdin)) : readYaml(file, await textIn(file));
}

async function textIn(file: string): Promise<string> {
  try {
    return await readFile(resolve(callersFolder(), file), 'utf8');
  } catch (cause) {
    throw new CliError(`Cannot read ${file}: ${messageOf(cause)}`, { cause });
  }
}
