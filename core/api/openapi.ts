import * as z from 'zod';
import { isJsonObject, jsonEqual, jsonSchema, type Json, type JsonObject } from '../model/json.ts';
import { tokenHeader } from '../contract/site-headers.ts';
import { problemSchema } from './contract.ts';
import { actionRoutes, replayRoute, routes, type Route } from './routes.ts';

/** The API as an OpenAPI 3.1 description, made from the schemas that its answers and questions are checked by. */
export function openApi(version: string): JsonObject {
  const components: Record<string, Json> = {};
  const all = [...Object.values(routes), ...actionRoutes, replayRoute];
  const paths = Map.groupBy(all, ({ path }) => `/${path}`);
  const described = [...paths].map(([path, ofPath]) => [
    path,
    Object.fromEntries(ofPath.map((each) => [each.method.toLowerCase(), operation(each, components)])),
  ]);
  return {
    openapi: '3.1.0',
    info: {
      title: 'trueup',
      version,
      description: 'What the dashboard asks. Every GET has an ETag; values of Secrets are masked.',
    },
    servers: [{ url: '/api/v1' }],
    security: [{ token: [] }],
    paths: Object.fromEntries(described),
    components: {
      securitySchemes: {
        token: {
          type: 'apiKey',
          in: 'header',
          name: tokenHeader,
          description: '`Bearer` and an ID token of the issuer; of `trueup ui` what stands in its address',
        },
      },
      schemas: { ...components, Problem: components['Problem'] ?? schemaOf(problemSchema, components) },
    },
  };
}

function operation(
  { method, path, summary, input, answer }: Route,
  components: Record<string, Json>,
): JsonObject {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const inPath = names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
  const problem = {
    description: 'What happened, to what, and what to do.',
    content: { 'application/problem+json': { schema: schemaOf(problemSchema, components) } },
  };
  const told = {
    description: 'The answer.',
    content: { 'application/json': { schema: schemaOf(answer, components) } },
  };
  const asked = schemaOf(input, components, 'input');
  const body = { required: true, content: { 'application/json': { schema: asked } } };
  return {
    summary,
    parameters: method === 'GET' ? [...inPath, ...queryOf(asked)] : inPath,
    ...(method === 'POST' && { requestBody: body }),
    responses: {
      '200': told,
      ...(method === 'GET' && { '304': { description: 'As it was.' } }),
      default: problem,
    },
  };
}

function queryOf(schema: JsonObject): JsonObject[] {
  const members = isJsonObject(schema['properties']) ? schema['properties'] : {};
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  return Object.entries(members).map(([name, of]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema: of,
  }));
}

/** Schemas with a name of their own go to the components, and are referred to. */
function schemaOf(
  schema: z.ZodType,
  components: Record<string, Json>,
  io: 'input' | 'output' = 'output',
): JsonObject {
  const made = jsonSchema.parse(z.toJSONSchema(schema, { io, unrepresentable: 'any' }));
  if (!isJsonObject(made)) throw new Error('a schema is an object');
  const { $schema: _, $defs, id, ...rest } = withPlaces(made);
  if (isJsonObject($defs)) {
    for (const [name, { id: __, ...of }] of Object.entries($defs).filter(isNamed)) keep(name, of, components);
  }
  if (typeof id !== 'string') return rest;
  keep(id, rest, components);
  return { $ref: `#/components/schemas/${id}` };
}

/** Throws where two schemas have one name: a second recursive one, or an id that was given twice. */
function keep(name: string, schema: JsonObject, components: Record<string, Json>): void {
  const known = components[name];
  if (known !== undefined && !jsonEqual(known, schema)) throw new Error(`there are two schemas ${name}`);
  components[name] = schema;
}

function isNamed(entry: [string, Json]): entry is [string, JsonObject] {
  return isJsonObject(entry[1]);
}

/** Zod numbers what is recursive and has no name: there is one such thing, a JSON value. */
function withPlaces(made: JsonObject): JsonObject {
  const text = JSON.stringify(made)
    .replaceAll('"#/$defs/', '"#/components/schemas/')
    .replaceAll('__schema0"', 'AnyJson"');
  const parsed = jsonSchema.parse(JSON.parse(text));
  return isJsonObject(parsed) ? parsed : {};
}
