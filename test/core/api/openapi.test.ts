import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { format, resolveConfig } from 'prettier';
import * as z from 'zod';
import { openApi } from '../../../core/api/openapi.ts';
import product from '../../../package.json' with { type: 'json' };

const published = 'docs/reference/openapi.json';
const config = await resolveConfig(published);

/** A change of the API is published by `node --test --test-update-snapshots test/core/api/openapi.test.ts`. */
test('the published description of the API is that of the code', async (context) => {
  const text = await format(JSON.stringify(openApi(product.version)), { ...config, parser: 'json' });
  context.assert.fileSnapshot(text, published, { serializers: [String] });
});

test('it is OpenAPI 3.1, and each name in it leads to a schema', async () => {
  const described = openApi(product.version);
  const { valid, errors } = await new Validator().validate(structuredClone(described));
  assert.ok(valid, JSON.stringify(errors, undefined, 1));
  const text = JSON.stringify(described);
  const { components } = z
    .object({ components: z.object({ schemas: z.record(z.string(), z.unknown()) }) })
    .parse(described);
  const named = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name = '']) => name);
  assert.ok(named.length > 0);
  assert.deepEqual(
    [...new Set(named)].filter((name) => !(name in components.schemas)),
    [],
  );
  // What has a name stands there once, whatever asks for it.
  assert.ok(!text.includes('"$defs"') && !text.includes('"__schema'), 'a schema is inside of another');
});
