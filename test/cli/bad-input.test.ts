import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { testCluster, type TestCluster } from '../cluster/test-cluster.ts';
import { LocalWorld } from './local-world.ts';

let cluster: TestCluster;
let world: LocalWorld;
before(async () => {
  cluster = await testCluster('cli-bad');
  world = await LocalWorld.open(cluster.kubeconfigPath);
  await world.write('good/a.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n');
  await world.write('text/readme.txt', 'no manifest');
  await world.write('broken/a.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n---\nkind: Pod\n');
  await world.write('a-file', 'text');
  await world.write('others/notes.txt', 'text');
  await world.write('newer/store.json', '{"version":2}');
  await world.write(
    'away.yaml',
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'away',
      clusters: [{ name: 'away', cluster: { server: 'https://127.0.0.1:9' } }],
      users: [{ name: 'me', user: { token: 'x' } }],
      contexts: [{ name: 'away', context: { cluster: 'away', user: 'me' } }],
    }),
  );
});
after(async () => {
  await world.close();
  await cluster.stop();
});

/** Arguments, what stderr says, and the environment where it differs. */
const cases: readonly [string, readonly string[], RegExp, Record<string, string>?][] = [
  ['an unknown option', ['apply', 'good', '--app', 'a', '--nonsense'], /unknown option '--nonsense'/],
  ['an unknown verb', ['aply'], /unknown command 'aply'/],
  ['no path', ['apply', '--app', 'a'], /missing required argument 'path'/],
  ['no application', ['plan', 'good'], /required option '--app <name>' not specified/],
  ['a name that is none', ['plan', 'good', '--app', 'My_App'], /--app My_App: must be lower-case letters/],
  ['a path that is not there', ['plan', 'nowhere', '--app', 'a'], /nowhere: there is no such file or folder/],
  ['a path without manifests', ['plan', 'text', '--app', 'a'], /folder text: gives no objects/],
  [
    'faulty manifests, all of them at once',
    ['apply', 'broken', '--app', 'a'],
    /2 faults, nothing was changed\n {2}broken\/a\.yaml:1: ConfigMap has no metadata\.name\n {2}broken\/a\.yaml:5: has no apiVersion/,
  ],
  ['no store', ['apply', 'good', '--app', 'a'], /--store file:DIR or --store s3:/, { TRUEUP_STORE: '' }],
  ['a store that is a file', ['apply', 'good', '--app', 'a', '--store', 'file:a-file'], /a-file is a file/],
  [
    'a folder of other files',
    ['apply', 'good', '--app', 'a', '--store', 'file:others'],
    /holds other files \(notes\.txt\)/,
  ],
  ['a store of no kind', ['apply', 'good', '--app', 'a', '--store', 'others'], /must be file:DIR or s3:/],
  [
    'a store of a newer trueup',
    ['status', '--store', 'file:newer'],
    /written by a newer trueup \(format 2; this one knows 1\)/,
  ],
  [
    'an empty store',
    ['status', '--store', 'file:empty'],
    /nothing is in it yet; `trueup apply PATH --app NAME` writes it/,
  ],
  ['both stack and store', ['status', '--stack', 'x', '--store', 'file:state'], /not both/],
  [
    'a context that is not there',
    ['plan', 'good', '--app', 'a', '--context', 'west'],
    /has no context west; it has: /,
  ],
  [
    'no kubeconfig',
    ['plan', 'good', '--app', 'a', '--kubeconfig', 'none.yaml'],
    /there is no such file; name yours/,
  ],
  [
    'a cluster that does not answer',
    ['apply', 'good', '--app', 'a', '--kubeconfig', 'away.yaml'],
    /cluster away.*127\.0\.0\.1:9/,
  ],
  ['heal and accept together', ['drift', '--app', 'a', '--heal', '--accept'], /either --accept or --heal/],
  ['a field without accept', ['drift', '--app', 'a', '--field', 'x'], /say what to --accept/],
  [
    'a number that is none',
    ['apply', 'good', '--app', 'a', '--confirm-prune', 'all'],
    /how many objects the refusal named/,
  ],
];

describe('what cannot be done is told in a sentence, and nothing is half done', () => {
  for (const [what, args, says, env] of cases) {
    it(what, async () => {
      const { code, out, err } = await world.run(args, env);
      assert.deepEqual([code, out], [2, '']);
      assert.match(err, says);
      assert.doesNotMatch(err, /^ +at /m);
      assert.ok(!(await readdir(world.folder)).includes('state'), 'no store was made');
    });
  }
});
