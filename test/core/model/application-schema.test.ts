import { test } from 'node:test';
import { format, resolveConfig } from 'prettier';
import * as z from 'zod';
import { applicationSchema } from '../../../core/model/application.ts';

const published = 'docs/reference/application.schema.json';
const config = await resolveConfig(published);

/** A change of the schema is published by `node --test --test-update-snapshots test/core/model/application-schema.test.ts`. */
test('the published JSON Schema of Application is that of the code', async (context) => {
  const schema = {
    title: 'trueup Application',
    description: 'What to deploy where: a file in the applications folder of a config repository.',
    ...z.toJSONSchema(applicationSchema, { io: 'input' }),
  };
  const text = await format(JSON.stringify(schema), { ...config, parser: 'json' });
  context.assert.fileSnapshot(text, published, { serializers: [String] });
});
