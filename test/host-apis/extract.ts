/**
 * Cuts out of a published OpenAPI description what the tests of a Git host's API need of it, since the whole is too large to
 * keep: `node test/host-apis/extract.ts github DESCRIPTION.json > test/fixtures/host-apis/github.json`. The descriptions:
 * `generated/api.github.com.json` of the npm package @octokit/openapi, `templates/swagger/v1_openapi3_json.tmpl` of the Go
 * module code.gitea.io/gitea, 1.27 or newer.
 */
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { operationsOf } from './operations.ts';

const descriptionSchema = z.object({
  info: z.object({ title: z.string(), version: z.string() }),
  paths: z.record(z.string(), z.record(z.string(), z.unknown())),
  components: z.record(z.string(), z.record(z.string(), z.unknown())),
});
type Description = z.infer<typeof descriptionSchema>;

const contentSchema = z.object({ 'application/json': z.record(z.string(), z.unknown()) }).partial();
const operationSchema = z.object({
  parameters: z.array(z.unknown()).default([]),
  requestBody: z.unknown().optional(),
  responses: z.record(z.string(), z.unknown()),
});
const parameterSchema = z.object({
  name: z.string(),
  in: z.string(),
  required: z.boolean().default(false),
  schema: z.unknown().optional(),
});

function extract(description: Description, host: 'github' | 'gitea') {
  const used = new Set<string>();
  const examples: Record<string, unknown> = {};
  const resolve = (value: unknown): unknown => {
    const { data } = z.object({ $ref: z.string() }).safeParse(value);
    const [, kind = '', name = ''] = /^#\/components\/([^/]+)\/(.+)$/.exec(data?.$ref ?? '') ?? [];
    return data === undefined ? value : description.components[kind]?.[name];
  };
  const jsonOf = (value: unknown) => {
    const { content } = z.object({ content: contentSchema.optional() }).parse(resolve(value));
    return content?.['application/json'];
  };
  const operations = Object.fromEntries(
    operationsOf(host).map((named) => {
      const [method = '', path = ''] = named.split(' ');
      const operation = operationSchema.parse(description.paths[path]?.[method.toLowerCase()]);
      const responses = Object.entries(operation.responses).map(([status, response]) => {
        const json = jsonOf(response);
        const [example] = Object.values(z.record(z.string(), z.unknown()).parse(json?.['examples'] ?? {}));
        const { data } = z.object({ value: z.unknown() }).safeParse(resolve(example));
        if (data !== undefined && status.startsWith('2')) examples[named] = data.value;
        return [status, bare(json?.['schema'] ?? null, used)];
      });
      const body = operation.requestBody === undefined ? undefined : jsonOf(operation.requestBody);
      const parameters = operation.parameters.map((one) => {
        const parameter = parameterSchema.parse(resolve(one));
        return { ...parameter, schema: bare(parameter.schema, used) };
      });
      return [
        named,
        { parameters, body: bare(body?.['schema'], used), responses: Object.fromEntries(responses) },
      ];
    }),
  );
  const schemas: Record<string, unknown> = {};
  // The set grows as schemas name others.
  for (const name of used) schemas[name] = bare(description.components['schemas']?.[name], used);
  const { title, version } = description.info;
  return { title, version, license: 'MIT', operations, examples, schemas };
}

/** Without texts; references lead to `definitions`, and `used` gathers whom they name. */
function bare(value: unknown, used: Set<string>, isNames = false): unknown {
  if (Array.isArray(value)) return value.map((one) => bare(one, used));
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).flatMap(([key, inner]): [string, unknown][] => {
    const isText = ['description', 'example', 'examples', 'title', 'deprecated', 'externalDocs', 'default'];
    if (!isNames && (isText.includes(key) || key.startsWith('x-'))) return [];
    if (key === '$ref' && typeof inner === 'string') {
      const name = inner.replace('#/components/schemas/', '');
      used.add(name);
      return [[key, `#/definitions/${name}`]];
    }
    return [[key, bare(inner, used, !isNames && key === 'properties')]];
  });
  return Object.fromEntries(kept);
}

const [host = '', path = ''] = process.argv.slice(2);
if (host !== 'github' && host !== 'gitea')
  throw new Error('say github or gitea, and the file of the description');
const description = descriptionSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
process.stdout.write(`${JSON.stringify(extract(description, host))}\n`);
