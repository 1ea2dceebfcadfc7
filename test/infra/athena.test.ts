import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import * as z from 'zod';
import { keys } from '../../core/contract/keys.ts';
import { driftRecordSchema, type DriftRecord } from '../../core/model/drift.ts';
import { isJsonObject, type Json } from '../../core/model/json.ts';
import { runRecordSchema, type RunRecord } from '../../core/model/run.ts';
import { recordTables, savedQueries } from '../../infra/record-tables.ts';
import { temporaryFolder } from '../../infra/temporary-folder.ts';
import { flatten, ofType, sample, synthesize } from './synthesized.ts';

/**
 * Athena itself is not here. The same SQL runs on DuckDB over real records, in the columns and types of the tables, with
 * keys in lower case as the reader of JSON gives them.
 */

const recorded = z
  .record(z.string(), z.string())
  .parse(JSON.parse(readFileSync('test/fixtures/previous-version/records.json', 'utf8')));
const parsed = <S extends z.ZodType>(prefix: string, schema: S) =>
  Object.entries(recorded)
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, text]) => [key, schema.parse(JSON.parse(text))] as const);
const runs = parsed('runs/', runRecordSchema);
const drifts = parsed('drift/', driftRecordSchema);

const folder = temporaryFolder();
let duck: DuckDBConnection;

function lowered(value: Json): Json {
  if (Array.isArray(value)) return value.map(lowered);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key.toLowerCase(), lowered(member)]),
  );
}

/** A type of Hive: a plain one, an array, or a struct. */
type Shape =
  | { readonly plain: string }
  | { readonly of: Shape }
  | { readonly members: readonly (readonly [name: string, shape: Shape])[] };

function shapeOf(hive: string): Shape {
  const [, outer, inner = ''] = /^(array|struct)<(.*)>$/.exec(hive) ?? [];
  if (outer === undefined) return { plain: hive };
  if (outer === 'array') return { of: shapeOf(inner) };
  const members = [''];
  let depth = 0;
  for (const letter of inner) {
    if (letter === '<') depth += 1;
    if (letter === '>') depth -= 1;
    if (letter === ',' && depth === 0) members.push('');
    else members.push((members.pop() ?? '') + letter);
  }
  return {
    members: members.map((member) => {
      const colon = member.indexOf(':');
      return [member.slice(0, colon), shapeOf(member.slice(colon + 1))] as const;
    }),
  };
}

function duckType(shape: Shape): string {
  if ('plain' in shape) return shape.plain.replace('string', 'VARCHAR');
  if ('of' in shape) return `${duckType(shape.of)}[]`;
  return `STRUCT(${shape.members.map(([name, of]) => `"${name}" ${duckType(of)}`).join(', ')})`;
}

async function load(
  table: string,
  records: readonly (readonly [key: string, record: object])[],
): Promise<void> {
  const columns = recordTables.find(({ name }) => name === table)?.columns ?? {};
  const lines = records.map(([key, record]) => {
    const json: Json = JSON.parse(JSON.stringify(record));
    const row = lowered(json);
    assert.ok(isJsonObject(row));
    return JSON.stringify({ ...row, day: /date=([^/]+)/.exec(key)?.[1] });
  });
  const file = path.join(folder.path, `${table}.ndjson`);
  writeFileSync(file, `${lines.join('\n')}\n`);
  const types = Object.entries({ ...columns, day: 'string' }).map(
    ([name, type]) => `'${name}': '${duckType(shapeOf(type))}'`,
  );
  await duck.run(
    `CREATE OR REPLACE TABLE ${table} AS SELECT * FROM read_json('${file}', format = 'newline_delimited', columns = {${types.join(', ')}})`,
  );
}

async function ask(name: string, ...parameters: string[]): Promise<readonly Json[]> {
  const query = savedQueries.find((each) => each.name === name);
  assert.ok(query, name);
  const reader = await duck.runAndReadAll(query.sql, parameters);
  return JSON.parse(JSON.stringify(reader.getRowObjectsJson())) as Json[];
}

before(async () => {
  duck = await (await DuckDBInstance.create()).connect();
  // As Athena has it: an element that is not there is no error.
  await duck.run('CREATE MACRO element_at(list, place) AS list[place]');
  await load('runs', runs);
  await load('drift', drifts);
});
after(() => folder[Symbol.dispose]());

const days = ['2026-11-01', '2026-11-30'] as const;

test('who drifted what: by the audit log, else by field manager', async () => {
  const rows = await ask('who-drifted-what', ...days);
  assert.deepEqual(
    rows.map(
      (row) => isJsonObject(row) && [row['who'], row['application'], row['kind'], row['name'], row['times']],
    ),
    [
      ['kubectl-set', 'storefront', 'Deployment', 'web', '1'],
      ['kubectl-set', 'payments', 'Deployment', 'api', '1'],
    ],
  );
  const [first] = drifts;
  assert.ok(first);
  const who = { user: 'alice', groups: [], addresses: ['198.51.100.7'], verb: 'patch', at: '', auditId: '' };
  const missing: DriftRecord = { ...first[1], drift: { ...first[1].drift, kind: 'missing', fields: [] } };
  await load('drift', [...drifts, [first[0], { ...first[1], who }], [first[0], missing]]);
  const named = (await ask('who-drifted-what', ...days)).map(
    (row) => z.object({ who: z.string() }).parse(row).who,
  );
  assert.deepEqual(named.toSorted(), ['alice', 'kubectl-set', 'kubectl-set', 'unknown']);
  await load('drift', drifts);
});

test('mean time to heal, of healed episodes alone', async () => {
  const healed = drifts
    .filter(([, { state }]) => state === 'healed')
    .map(([, record]) => record.secondsToHeal);
  const rows = await ask('mean-time-to-heal', ...days);
  assert.deepEqual(
    rows.map((row) => isJsonObject(row) && [row['cluster'], row['healed'], row['mean_seconds_to_heal']]),
    [['production', '1', healed[0]]],
  );
});

test('changes by author: applied pushes, each commit once', async () => {
  const rows = await ask('changes-by-author', ...days);
  assert.deepEqual(
    rows.map((row) => isJsonObject(row) && [row['author'], row['commits'], row['runs']]),
    [['Ada Park', '1', '2']],
  );
  assert.deepEqual(await ask('changes-by-author', '2026-10-01', '2026-10-31'), []);
});

test('state of a cluster on a date: the last commit that was applied by then', async () => {
  const [[, base]] = runs.filter(([, { target }]) => target.application === 'storefront') as [
    (typeof runs)[number],
  ];
  const at = '2026-12-05T10:00:00.000Z';
  const outcome = base.outcome === undefined ? undefined : { ...base.outcome, kind: 'applied' as const, at };
  const later: RunRecord = {
    ...base,
    startedAt: at,
    commit: { ...base.commit, sha: 'later' },
    ...(outcome && { outcome }),
  };
  await load('runs', [...runs, [keys.run(base.target, at, 'later'), later]]);
  const shas = async (day: string) =>
    (await ask('state-of-a-cluster-on-a-date', 'production', '2026-01-01', day)).map(
      (row) => isJsonObject(row) && [row['application'], row['sha']],
    );
  const { sha } = base.commit;
  assert.deepEqual(await shas('2026-11-30'), [
    ['payments', sha],
    ['storefront', sha],
  ]);
  assert.deepEqual(await shas('2026-12-31'), [
    ['payments', sha],
    ['storefront', 'later'],
  ]);
  await load('runs', runs);
});

/** Every path into a column: `target.cluster`, `drift.fields.path`. */
function pathsOf(column: string, shape: Shape): readonly string[] {
  if ('plain' in shape) return [column];
  if ('of' in shape) return pathsOf(column, shape.of);
  return shape.members.flatMap(([name, of]) => pathsOf(`${column}.${name}`, of));
}

function pathsIn(schema: Json, at = ''): readonly string[] {
  if (!isJsonObject(schema)) return [];
  const { properties, items } = schema;
  if (items !== undefined) return pathsIn(items, at);
  if (!isJsonObject(properties)) return [at.toLowerCase()];
  return Object.entries(properties).flatMap(([name, of]) => pathsIn(of, at === '' ? name : `${at}.${name}`));
}

for (const [table, schema] of [
  ['runs', runRecordSchema],
  ['drift', driftRecordSchema],
] as const) {
  test(`every column of ${table} is a field of the record`, () => {
    const json: Json = JSON.parse(JSON.stringify(z.toJSONSchema(schema, { unrepresentable: 'any' })));
    const known = pathsIn(json);
    const columns = recordTables.find(({ name }) => name === table)?.columns ?? {};
    for (const column of Object.entries(columns).flatMap(([name, type]) => pathsOf(name, shapeOf(type)))) {
      assert.ok(known.includes(column), column);
    }
  });
}

const tableSchema = z.object({
  TableInput: z.object({
    Name: z.string(),
    Parameters: z.record(z.string(), z.unknown().transform(flatten)),
  }),
});

test('the projected days are where the records lie', () => {
  using stack = synthesize({ ...sample, athena: true });
  const tables = ofType(stack.resources, 'AWS::Glue::Table').map(([, { Properties }]) =>
    tableSchema.parse(Properties),
  );
  assert.equal(tables.length, 2);
  for (const [table, [record]] of [
    ['runs', runs],
    ['drift', drifts],
  ] as const) {
    const found = tables.find(({ TableInput }) => TableInput.Name === table);
    const template = found?.TableInput.Parameters['storage.location.template'] ?? '';
    const day = /date=([^/]+)/.exec(record?.[0] ?? '')?.[1] ?? '';
    assert.ok(`s3://<StorageBucket>/${record?.[0]}`.startsWith(template.replace('${day}', day)), template);
  }
  assert.equal(ofType(stack.resources, 'AWS::Athena::NamedQuery').length, savedQueries.length);
});

test('nothing of it is there unless it is asked for', () => {
  using stack = synthesize();
  assert.deepEqual(ofType(stack.resources, 'AWS::Glue::Table'), []);
});
