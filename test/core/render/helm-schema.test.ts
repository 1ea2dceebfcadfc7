import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stop } from '../../../core/errors.ts';
import { assertOwnSchemas } from '../../../core/render/helm-schema.ts';

function check(schema: string, path = 'values.schema.json'): void {
  assertOwnSchemas(new Map([[path, Buffer.from(schema)]]), (inside) => `web/${inside}`);
}

const draft4 = '"$schema": "http://json-schema.org/draft-04/schema#"';

const allowed = [
  'true',
  '\uFEFF{"$schema": "http://json-schema.org/schema#"}',
  '{"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://acme.example/web.json"}',
  '{"$id": "http://example.com/root.json", "properties": {"a": {"$id": "#/properties/a"}}}',
  '{"$id": "values.schema.json", "$ref": "#/$defs/a", "$defs": {"a": {"$dynamicRef": "#b"}}}',
  '{"properties": {"$ref": {"type": "string"}, "id": {"type": "string"}}, "default": {"id": "file:/x"}}',
  '{"$defs": {"schema": {"$ref": "http://json-schema.org/draft-07/schema#"}}}',
  `{${draft4}, "id": "http://acme.example"}`,
];
for (const schema of allowed) {
  test(`${schema} opens nothing`, () => {
    check(schema);
  });
}

const refused: readonly (readonly [schema: string, why: RegExp])[] = [
  ['{"$ref": "https://acme.example/a.json#/a"}', /\$ref: https:\/\/acme\.example\/a\.json#\/a leads out/],
  ['{"$ref": "//user:word@127.0.0.1/a"}', /\$ref: \/\/127\.0\.0\.1\/a leads out/],
  ['{"$ref": "http://json-schema.org@127.0.0.1/a"}', /leads out/],
  ['{"$ref": "other.json"}', /\$ref: other\.json leads out/],
  ['{"not": [{"\\u0024recursiveRef": "file:///etc/passwd"}]}', /\$recursiveRef: .* leads out/],
  ['{"$dynamicRef": "urn:a"}', /\$dynamicRef: .* leads out/],
  ['{"properties": {"__proto__": {"$ref": "file:///etc/passwd"}}}', /\$ref: .* leads out/],
  ['{"$schema": "file:///etc/passwd"}', /\$schema: .* is no draft/],
  ...['file:/a', 'http://acme.example/a?', 'http://localhost/a', 'http://127.0.0.1/a', '/proc/1/environ'].map(
    (id) => [`{"$id": "${id}"}`, /\$id: .* is an id that Helm could open/] as const,
  ),
  [`{"items": {${draft4}}, "id": "file:/a"}`, / id: .* is an id that Helm could open/],
  ['', /is no JSON/],
  ['{} {}', /is no JSON/],
  [`${'['.repeat(100_000)}{"$ref": "a"}${']'.repeat(100_000)}`, /leads out|is no JSON/],
];
for (const [schema, why] of refused) {
  test(`${schema.slice(0, 100)} is refused`, () => {
    for (const path of ['values.schema.json', 'charts/a/charts/b/values.schema.json']) {
      assert.throws(
        () => check(schema, path),
        (error) =>
          error instanceof Stop && error.message.startsWith(`web/${path}: `) && why.test(error.message),
      );
    }
  });
}

test('other files of a chart may hold what they like', () => {
  check('{"$ref": "file:///etc/passwd"}', 'files/schema.json');
});
