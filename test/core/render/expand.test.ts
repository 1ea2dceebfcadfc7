import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BadExpression, expand } from '../../../core/render/expand.ts';

const variables: Readonly<Record<string, string>> = {
  cluster_env: 'prod',
  cluster_region: 'eu-central-1',
  empty: '',
  path: '/apps/web/index.tar.gz',
  text: 'Hello World',
};
const lookup = (name: string) => (Object.hasOwn(variables, name) ? variables[name] : undefined);

/** Those of Flux's guide come first. */
const cases: readonly (readonly [text: string, gives: string])[] = [
  ['${cluster_env}', 'prod'],
  ['${cluster_env:=dev}', 'prod'],
  ['${missing:=dev}', 'dev'],
  ['${missing:-dev}', 'dev'],
  ['app-${cluster_env}.${cluster_region}', 'app-prod.eu-central-1'],
  ['$${cluster_env}', '${cluster_env}'],
  ['$cluster_env and $(cluster_env)', '$cluster_env and $(cluster_env)'],
  ['${cluster_region:0:2}', 'eu'],
  ['${cluster_region:3}', 'central-1'],
  ['${cluster_env/prod/production}', 'production'],
  ['no variables at all', 'no variables at all'],
  ['${empty:=dev}|${empty:-dev}', 'dev|dev'],
  ['${empty=dev}|${empty-dev}', '|'],
  ['${missing=dev}|${missing-dev}', 'dev|dev'],
  ['${missing:=}', ''],
  ['${missing:=a:=b}', 'a:=b'],
  ['${missing:=${cluster_env}}', 'prod'],
  ['${missing:=${other:=x-${cluster_env}}}!', 'x-prod!'],
  ['${cluster_env:=${missing}}', 'prod'],
  ['${text^^}|${text,,}|${text,}|${cluster_env^}', 'HELLO WORLD|hello world|hello World|Prod'],
  ['${#cluster_env}', '4'],
  ['${path#*/}|${path##*/}', 'apps/web/index.tar.gz|index.tar.gz'],
  ['${path%.*}|${path%%.*}', '/apps/web/index.tar|/apps/web/index'],
  ['${path#none}', '/apps/web/index.tar.gz'],
  ['${text#H?l}', 'lo World'],
  ['${text/o/0}|${text//o/0}', 'Hell0 World|Hell0 W0rld'],
  ['${text/#Hello/Bye}|${text/%World/All}', 'Bye World|Hello All'],
  ['${text//l/$&}', 'He$&$&o Wor$&d'],
  ['${path/\\/apps/x}', 'x/web/index.tar.gz'],
  ['$${a} ${cluster_env} $$${cluster_env}', '${a} prod $${cluster_env}'],
];
for (const [text, gives] of cases) {
  test(`${text} gives ${gives}`, () => {
    assert.equal(expand(text, lookup), gives);
  });
}

const refused: readonly (readonly [text: string, why: RegExp])[] = [
  ['${missing}', /there is no variable missing/],
  ['${constructor}', /there is no variable constructor/],
  ['${missing^^}', /there is no variable missing/],
  ['${missing:=${other}}', /there is no variable other/],
  ['${cluster_env', /no closing brace/],
  ['${}', /no name of a variable/],
  ['${1}', /no name of a variable/],
  ['${cluster_env!}', /behind cluster_env in \$\{…\} is not known/],
  ['${cluster.env}', /there is no variable cluster$/],
];
for (const [text, why] of refused) {
  test(`${text} is refused`, () => {
    assert.throws(
      () => expand(text, lookup),
      (error) => error instanceof BadExpression && why.test(error.message),
    );
  });
}

const secrets = ['url=${HOST\npassword=hunter2', 'pass${9hunter2}', '${cluster_env!hunter2}', '${#hunter2'];
for (const text of secrets) {
  test(`of ${JSON.stringify(text)} nothing is quoted but the name of a variable`, () => {
    assert.throws(
      () => expand(text, lookup),
      (error) => error instanceof BadExpression && !/hunter2|HOST/.test(error.message),
    );
  });
}

test('defaults in defaults are followed so far, and never to the end of the stack', () => {
  const deep = (levels: number) => `${'${missing:='.repeat(levels)}end${'}'.repeat(levels)}`;
  assert.equal(expand(deep(32), lookup), 'end');
  for (const levels of [33, 20_000]) {
    assert.throws(
      () => expand(deep(levels), lookup),
      (error) => error instanceof BadExpression && /more than 32 deep/.test(error.message),
    );
  }
});

test('a text of a hundred thousand stars and letters is matched in no time', () => {
  const long = 'a'.repeat(20_000);
  assert.equal(
    expand(`\${v%%${'*a'.repeat(20)}b}`, () => long.slice(0, 300)),
    long.slice(0, 300),
  );
});
