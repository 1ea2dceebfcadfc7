import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { JsonObject } from '../../core/model/json.ts';
import { testCluster, type TestCluster } from '../cluster/test-cluster.ts';
import { LocalWorld, driftShape, planShape } from './local-world.ts';

const run = promisify(execFile);

let cluster: TestCluster;
let world: LocalWorld;
let namespace: string;
before(async () => {
  cluster = await testCluster('cli-apply');
  ({ namespace } = cluster);
  world = await LocalWorld.open(cluster.kubeconfigPath);
});
after(async () => {
  await world.close();
  await cluster.stop();
});

const configMap = (name: string, data: Readonly<Record<string, string>>) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: ${JSON.stringify(data)}\n`;

const pathOf = (name: string) => `/api/v1/namespaces/${namespace}/configmaps/${name}`;

async function textOf(path: string): Promise<string> {
  return JSON.stringify((await cluster.admin.ask('GET', path)).body);
}

async function editBy(user: string, path: string, patch: JsonObject): Promise<void> {
  const client = await cluster.as(user);
  const answer = await client.ask('PATCH', `${path}?fieldManager=${user}`, {
    body: patch,
    contentType: 'application/merge-patch+json',
  });
  assert.equal(answer.status, 200);
}

const target = (app: string) => ['--app', app, '--namespace', namespace];

async function succeeds(args: readonly string[]): Promise<void> {
  const { code, out, err } = await world.run(args);
  assert.equal(code, 0, out + err);
}

describe('plan, apply and drift without AWS', () => {
  it('from files to a cluster and back: each step says what it did, and ends as documented', async () => {
    await world.write('shop/front.yaml', configMap('front', { greeting: 'hello' }));
    await world.write(
      'shop/pass.yaml',
      'apiVersion: v1\nkind: Secret\nmetadata: {name: pass}\nstringData: {password: hunter2}\n',
    );
    const first = await world.run(['plan', 'shop', ...target('shop')]);
    assert.equal(first.code, 1, first.err);
    assert.match(
      first.out,
      /^create ConfigMap .*front: is new\ncreate Secret .*pass: is new\n\n.*: 2 to create\n$/,
    );
    await assert.rejects(stat(join(world.folder, 'state')), { code: 'ENOENT' });

    const applied = await world.run(['apply', 'shop', ...target('shop'), '--wait']);
    assert.deepEqual([applied.code, applied.err], [0, '']);
    assert.match(applied.out, /2 created, 0 updated, 0 unchanged, 0 pruned; Healthy\n$/);

    const clean = await world.run(['plan', 'shop', ...target('shop')]);
    assert.deepEqual([clean.code, clean.err], [0, '']);
    await succeeds(['drift', '--app', 'shop']);

    await editBy('alice', pathOf('front'), { data: { greeting: 'bye' } });
    const drift = await world.run(['drift', '--app', 'shop']);
    assert.equal(drift.code, 1);
    assert.match(drift.out, /changed +data\.greeting +"hello" +"bye" +alice/);
    const plan = await world.json(['plan', 'shop', ...target('shop')], planShape);
    assert.deepEqual(
      plan.changes.map(({ action, name, why, fields }) => ({ action, name, why, fields })),
      [
        {
          action: 'update',
          name: 'front',
          why: 'differs on the cluster',
          fields: [{ path: 'data.greeting', live: 'bye', desired: 'hello' }],
        },
        { action: 'leave', name: 'pass', why: 'is as desired', fields: [] },
      ],
    );

    const healed = await world.run(['drift', '--app', 'shop', '--heal']);
    assert.equal(healed.code, 0, healed.out);
    assert.match(healed.out, /Synced.*healed/s);
    assert.match(await textOf(pathOf('front')), /"hello"/);
    const status = await world.run(['status', '--app', 'shop']);
    assert.match(status.out, /shop +0000000 +local files .*Synced +Healthy/);
    assert.match((await world.run(['history', '--app', 'shop'])).out, /heal .*\n.*sync .*2 created/);
  });

  it('keeps no secret value: not in the store, not in what it prints', async () => {
    const rendered = await world.run(['render', 'shop', '-o', 'yaml']);
    assert.match(rendered.out, /password: hmac:[0-9a-f]{64}/);
    await editBy('alice', `/api/v1/namespaces/${namespace}/secrets/pass`, {
      stringData: { password: 'hunter3' },
    });
    const plan = await world.run(['plan', 'shop', ...target('shop'), '-o', 'json']);
    const drift = await world.run(['drift', '--app', 'shop', '-o', 'json']);
    assert.equal(drift.code, 1);
    const files = await readdir(join(world.folder, 'state'), { recursive: true, withFileTypes: true });
    const texts = await Promise.all(
      files
        .filter((file) => file.isFile())
        .map(async (file) => readFile(join(file.parentPath, file.name), 'latin1')),
    );
    for (const text of [rendered.out, plan.out, drift.out, ...texts]) {
      assert.doesNotMatch(text, /hunter[23]|aHVudGVyM/);
    }
    assert.ok(texts.length > 5);
    await succeeds(['drift', '--app', 'shop', '--heal']);
    assert.equal((await stat(join(world.folder, '.config/trueup/sealing.key'))).mode & 0o777, 0o600);
  });

  it('prunes only when told to, and takes what it kept before', async () => {
    await world.write('tidy/a.yaml', configMap('tidy-a', { a: '1' }));
    await world.write('tidy/b.yaml', configMap('tidy-b', { b: '1' }));
    await succeeds(['apply', 'tidy', ...target('tidy')]);
    await world.remove('tidy/b.yaml');
    const kept = await world.run(['apply', 'tidy', ...target('tidy')]);
    assert.equal(kept.code, 0, kept.err);
    assert.match(kept.err, /1 objects would be pruned with --prune/);
    await succeeds(['drift', '--app', 'tidy', '--heal']);
    assert.equal((await cluster.admin.ask('GET', pathOf('tidy-b'))).status, 200);
    const plan = await world.run(['plan', 'tidy', ...target('tidy'), '--prune']);
    assert.equal(plan.code, 1);
    assert.match(plan.out, /prune ConfigMap .*tidy-b: is gone from Git/);
    const pruned = await world.run(['apply', 'tidy', ...target('tidy'), '--prune']);
    assert.match(pruned.out, /pruned +ConfigMap .*tidy-b/);
    assert.equal((await cluster.admin.ask('GET', pathOf('tidy-b'))).status, 404);
  });

  it('asks before it prunes above the cap, and takes the number for an answer', async () => {
    for (let index = 0; index < 8; index += 1) {
      await world.write(`many/${index}.yaml`, configMap(`many-${index}`, { a: '1' }));
    }
    await succeeds(['apply', 'many', ...target('many')]);
    for (let index = 1; index < 8; index += 1) await world.remove(`many/${index}.yaml`);
    const refused = await world.run(['apply', 'many', ...target('many'), '--prune']);
    assert.equal(refused.code, 1);
    assert.match(
      refused.out,
      /blocked, would prune 7 of 8 objects.*`trueup apply PATH --app many --prune --confirm-prune 7`/,
    );
    assert.equal((await cluster.admin.ask('GET', pathOf('many-7'))).status, 200);
    const agreed = await world.run(['apply', 'many', ...target('many'), '--prune', '--confirm-prune', '7']);
    assert.equal(agreed.code, 0, agreed.out);
    assert.equal((await cluster.admin.ask('GET', pathOf('many-7'))).status, 404);
  });

  it('--dry-run shows the plan and leaves store and cluster as they are', async () => {
    await world.write('dry/a.yaml', configMap('dry-a', { a: '1' }));
    const dry = await world.run(['apply', 'dry', ...target('dry'), '--dry-run', '--store', 'file:dry-state']);
    assert.deepEqual([dry.code, dry.err], [0, '']);
    assert.match(dry.out, /create ConfigMap .*dry-a: is new/);
    assert.equal((await cluster.admin.ask('GET', pathOf('dry-a'))).status, 404);
    await assert.rejects(stat(join(world.folder, 'dry-state')), { code: 'ENOENT' });
  });

  it('a plan tells beforehand what the server would refuse', async () => {
    await world.write('wrong/a.yaml', `${configMap('wrong-a', { a: '1' })}immutabel: true\n`);
    await world.write('wrong/b.yaml', 'apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: b}\n');
    const plan = await world.json(['plan', 'wrong', ...target('wrong')], planShape);
    assert.deepEqual(plan.summary['blocked'], 2);
    assert.match(plan.changes.map(({ why }) => why).join('\n'), /immutabel: field not declared in schema/);
    assert.match(plan.changes.map(({ why }) => why).join('\n'), /does not serve example\.com\/v1 Gadget/);
  });

  it('takes over what is there only with --adopt', async () => {
    await cluster.admin.create(`/api/v1/namespaces/${namespace}/configmaps`, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'found' },
      data: { a: 'theirs' },
    });
    await world.write('found.yaml', configMap('found', { a: 'ours' }));
    const refused = await world.run(['apply', 'found.yaml', ...target('found')]);
    assert.equal(refused.code, 1);
    assert.match(refused.out, /exists already, and nothing proves that we created it/);
    const adopted = await world.run(['apply', 'found.yaml', ...target('found'), '--adopt']);
    assert.equal(adopted.code, 0, adopted.out);
    assert.match(await textOf(pathOf('found')), /"ours"/);
  });

  it('records the commit of a repository, and that there is more than it', async () => {
    const git = async (...args: string[]) =>
      run('git', [
        '-C',
        join(world.folder, 'repo'),
        '-c',
        'user.name=Ada',
        '-c',
        'user.email=ada@example.com',
        ...args,
      ]);
    await world.write('repo/apps/a.yaml', configMap('repo-a', { a: '1' }));
    await git('init', '-q', '-b', 'main');
    await git('add', '.');
    await git('commit', '-q', '-m', 'first');
    const { stdout } = await git('rev-parse', 'HEAD');
    const sha = stdout.slice(0, 7);
    assert.match(
      (await world.run(['apply', 'repo/apps', ...target('repo')])).out,
      new RegExp(`at ${sha}: applied`),
    );
    await world.write('repo/apps/a.yaml', configMap('repo-a', { a: '2' }));
    await world.run(['apply', 'repo/apps', ...target('repo')]);
    const { out } = await world.run(['status', '--app', 'repo']);
    assert.match(out, new RegExp(`${sha} +first \\(with changes not committed\\) \\(Ada\\)`));
  });

  it('goes back to what was applied before, stays there, and forward again', async () => {
    await world.write('back/a.yaml', configMap('back-a', { version: 'one' }));
    await world.run(['apply', 'back', ...target('back')]);
    await world.write('back/a.yaml', configMap('back-a', { version: 'two' }));
    await world.run(['apply', 'back', ...target('back')]);
    const back = await world.run(['rollback', '--app', 'back', '--reason', 'two is broken']);
    assert.equal(back.code, 0, back.err);
    assert.match(await textOf(pathOf('back-a')), /"one"/);
    const held = await world.run(['apply', 'back', ...target('back')]);
    assert.equal(held.code, 2);
    assert.match(
      held.err,
      /is pinned by .* \(two is broken\); lift that first with `trueup rollback --app back --lift`/,
    );
    await succeeds(['rollback', '--app', 'back', '--lift']);
    assert.match(await textOf(pathOf('back-a')), /"two"/);
  });

  it('follows the settings of an Application file, and writes accepted drift into it', async () => {
    const application = [
      '# kept as it is',
      'apiVersion: trueup.dev/v1',
      'kind: Application',
      'metadata: {name: ruled}',
      'spec:',
      '  source: {path: elsewhere}',
      '  clusters: {names: [somewhere]}',
      `  namespace: ${namespace}`,
      '  drift: observe',
      '',
    ].join('\n');
    await world.write('application.yaml', application);
    await world.write('ruled/a.yaml', configMap('ruled-a', { a: '1', b: '1' }));
    const settings = ['--application', 'application.yaml'];
    await succeeds(['apply', 'ruled', '--app', 'ruled', ...settings]);
    await editBy('alice', pathOf('ruled-a'), { data: { a: '2', b: '2' } });
    const observed = await world.run(['drift', '--app', 'ruled', '--heal']);
    assert.equal(observed.code, 1);
    assert.match(await textOf(pathOf('ruled-a')), /"a":"2"/);
    const accepted = await world.run([
      'drift',
      '--app',
      'ruled',
      '--accept',
      '--object',
      'ConfigMap/ruled-a',
      '--field',
      'data.a',
      ...settings,
    ]);
    assert.equal(accepted.code, 0, accepted.err);
    const written = await readFile(join(world.folder, 'application.yaml'), 'utf8');
    assert.ok(written.startsWith('# kept as it is\n'));
    assert.match(written, /rules:\n.*match:.*\/data\/a/s);
    const left = await world.json(['drift', '--app', 'ruled'], driftShape);
    assert.deepEqual(
      left.open.flatMap(({ drift }) => drift.fields.map(({ path }) => path)),
      ['data.b'],
    );
  });

  it('says what it waits for, for as long as --timeout says', async () => {
    await world.write(
      'never/a.yaml',
      'apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: never-a}\n' +
        'spec: {accessModes: [ReadWriteOnce], storageClassName: none, resources: {requests: {storage: 1Gi}}}\n',
    );
    const waited = await world.run(['apply', 'never', ...target('never'), '--wait', '--timeout', '3s']);
    assert.equal(waited.code, 1, waited.err);
    assert.match(waited.err, /: waits for PersistentVolumeClaim .*never-a: Progressing, /);
    assert.match(waited.out, /HEALTH +OBJECT +MESSAGE\nProgressing +PersistentVolumeClaim .*never-a/);
    const useless = await world.run(['apply', 'never', ...target('never'), '--timeout', '3s']);
    assert.deepEqual([useless.code, /--timeout says how long to --wait/.test(useless.err)], [2, true]);
  });

  it('refuses records of another cluster that the same context led to', async () => {
    const own = ['--store', 'file:moved'];
    await world.write('moved-in/a.yaml', configMap('moved-a', { a: '1' }));
    await succeeds(['apply', 'moved-in', ...target('moved'), ...own]);
    const folder = join(world.folder, 'moved', 'identity');
    const [file = ''] = await readdir(folder);
    const text = await readFile(join(folder, file), 'utf8');
    await writeFile(join(folder, file), text.replace(/"uid":"[^"]*"/, '"uid":"of-another"'));
    await world.write('moved-in/a.yaml', configMap('moved-a', { a: '2' }));
    const verbs = [
      ['plan', 'moved-in', ...target('moved')],
      ['apply', 'moved-in', ...target('moved')],
      ['drift', '--app', 'moved'],
      ['rollback', '--app', 'moved'],
    ];
    for (const verb of verbs) {
      const refused = await world.run([...verb, ...own]);
      assert.equal(refused.code, 2, verb[0]);
      assert.match(refused.err, /are of another cluster: .* of-another .*delete identity\//);
    }
    assert.match(await textOf(pathOf('moved-a')), /"1"/);
    await world.remove(join('moved', 'identity', file));
    await succeeds(['apply', 'moved-in', ...target('moved'), ...own]);
    assert.match(await textOf(pathOf('moved-a')), /"2"/);
  });

  it('lets go of the target at Ctrl-C, and the next apply goes on', async () => {
    await world.write('slow/a.yaml', configMap('slow-a', { a: '1' }));
    // Health that never settles keeps it waiting.
    await world.write(
      'slow/b.yaml',
      'apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: slow-b}\n' +
        'spec: {accessModes: [ReadWriteOnce], storageClassName: none, resources: {requests: {storage: 1Gi}}}\n',
    );
    const child = world.start(['apply', 'slow', ...target('slow'), '--wait']);
    const applied = async () => (await cluster.admin.ask('GET', pathOf('slow-a'))).status === 200;
    const deadline = Date.now() + 30_000;
    while (!(await applied()) && Date.now() < deadline) await new Promise((done) => setTimeout(done, 100));
    child.kill('SIGINT');
    const [code] = await once(child, 'exit');
    assert.equal(code, 130);
    const next = await world.run(['apply', 'slow', ...target('slow')]);
    assert.equal(next.code, 0, next.err);
    assert.match(next.out, /: applied, /);
    assert.equal((await cluster.admin.ask('GET', pathOf('slow-a'))).status, 200);
  });
});
