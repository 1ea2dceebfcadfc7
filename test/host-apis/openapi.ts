import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as z from 'zod';

const schema = z.record(z.string(), z.unknown());
const descriptionSchema = z.object({
  operations: z.record(
    z.string(),
    z.object({
      parameters: z.array(
        z.object({ name: z.string(), in: z.string(), required: z.boolean(), schema: schema.optional() }),
      ),
      body: schema.optional(),
      responses: z.record(z.string(), schema.nullable()),
    }),
  ),
  examples: z.record(z.string(), z.unknown()),
  schemas: z.record(z.string(), z.unknown()),
});

/** A host's published description, as far as it is kept in `test/fixtures/host-apis`: what is asked and answered must follow it. */
export class OpenApi {
  readonly #description: z.infer<typeof descriptionSchema>;
  readonly #validators = new Map<unknown, z.ZodType>();

  constructor(host: 'github' | 'gitea') {
    const file = new URL(`../fixtures/host-apis/${host}.json`, import.meta.url);
    this.#description = descriptionSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  }

  /** The published example of an answer. */
  example(operation: string): Record<string, unknown> {
    const example = this.#description.examples[operation];
    const [first] = Array.isArray(example) ? example : [example];
    return schema.parse(first);
  }

  checkRequest(
    operation: string,
    call: {
      readonly params: Readonly<Record<string, string>>;
      readonly query: URLSearchParams;
      readonly body: unknown;
    },
  ): void {
    const described = this.#description.operations[operation];
    assert.ok(described !== undefined, `${operation} is not described`);
    const known = new Map(described.parameters.map((one) => [`${one.in} ${one.name}`, one]));
    for (const [name, value] of Object.entries(call.params)) {
      this.#check(
        known.get(`path ${name}`)?.schema,
        asSchemaWants(known.get(`path ${name}`)?.schema, value),
        operation,
      );
    }
    for (const [name, value] of call.query) {
      const parameter = known.get(`query ${name}`);
      assert.ok(parameter !== undefined, `${operation} takes no ${name}`);
      this.#check(parameter.schema, asSchemaWants(parameter.schema, value), `${operation} ${name}`);
    }
    if (call.body === undefined) assert.equal(described.body, undefined, `${operation} wants a body`);
    else {
      assert.ok(described.body !== undefined, `${operation} takes no body`);
      this.#check(strict(described.body, this.#description.schemas), call.body, operation);
    }
  }

  checkResponse(operation: string, status: number, body: unknown): void {
    const responses = this.#description.operations[operation]?.responses ?? {};
    assert.ok(String(status) in responses, `${operation} answers no ${status}`);
    const described = responses[String(status)];
    if (described !== null && described !== undefined) this.#check(described, body, `${operation} ${status}`);
  }

  #check(described: Record<string, unknown> | undefined, value: unknown, what: string): void {
    if (described === undefined) return;
    const definitions = this.#description.schemas;
    const validator =
      this.#validators.get(described) ??
      z.fromJSONSchema({ ...described, definitions }, { defaultTarget: 'openapi-3.0' });
    this.#validators.set(described, validator);
    const { error } = validator.safeParse(value);
    assert.equal(error, undefined, `${what}: ${error?.message ?? ''}`);
  }
}

/** Words in a path or a query, as numbers and lists where they are to be that. */
function asSchemaWants(described: Record<string, unknown> | undefined, value: string): unknown {
  if (described?.['type'] === 'integer') return Number(value);
  return described?.['type'] === 'array' ? [value] : value;
}

const strictOnes = new Map<unknown, Record<string, unknown>>();

/** A body may hold what is described and nothing else, though descriptions leave that open. */
function strict(
  described: Record<string, unknown>,
  schemas: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const known = strictOnes.get(described);
  if (known !== undefined) return known;
  const ref = described['$ref'];
  const named = typeof ref === 'string' ? schemas[ref.replace('#/definitions/', '')] : described;
  const made: Record<string, unknown> = { additionalProperties: false, ...schema.parse(named) };
  const isObject = made['properties'] !== undefined && made['oneOf'] === undefined;
  strictOnes.set(described, isObject ? made : described);
  return isObject ? made : described;
}
