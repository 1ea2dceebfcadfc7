import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { KeyedSopsOpener } from '../../../adapters/sops-files.ts';
import { Blocked, Stop } from '../../../core/errors.ts';
import type { KubeObject } from '../../../core/model/object.ts';
import type { Rendered } from '../../../core/render/render.ts';
import {
  canonicalObjects,
  contentDigest,
  decodeSnapshot,
  encodeSnapshot,
  maskObjects,
  openObjects,
  sealSnapshot,
} from '../../../core/snapshot.ts';
import { MemorySealer } from '../../fakes/memory-sealer.ts';
import { commitOf } from '../../fakes/memory-worktree.ts';
import { Rendering, type TreeFiles } from './rendering.ts';

/** From files that sops encrypted, through a snapshot, to what is applied. */

const fixture = (name: string) =>
  readFileSync(join(import.meta.dirname, '../../fixtures/sops', name), 'utf8');
const secret = fixture('secret.yaml');
const opener = new KeyedSopsOpener({ age: async () => fixture('first.txt'), kms: [], remedy: 'allow it' });
const sealer = new MemorySealer();

let rendering: Rendering;
before(async () => {
  rendering = await Rendering.start();
});
after(async () => rendering[Symbol.asyncDispose]());

const render = async (files: TreeFiles, source: object = {}) =>
  rendering.render(files, { source: { path: 'app', ...source } });

interface Kept {
  readonly digest: string;
  readonly text: string;
}

async function keep({ objects, sops }: Rendered): Promise<Kept> {
  const content = {
    application: 'web',
    namespace: 'web',
    objects: canonicalObjects(objects),
    ...(sops && { sops }),
  };
  const commit = commitOf('1'.repeat(40));
  const provenance = { commit, renderer: 'plain' as const, versions: {}, inputDigest: 'none', origins: {} };
  return {
    digest: await contentDigest(content, sealer),
    text: encodeSnapshot(await sealSnapshot(content, provenance, sealer)),
  };
}

const opened = async ({ digest, text }: Kept): Promise<readonly KubeObject[]> =>
  openObjects(decodeSnapshot(digest, text), sealer, opener);

const encoded = (text: string) => Buffer.from(text).toString('base64');
const data = {
  10: encoded('ten'),
  9: encoded('nine'),
  empty: '',
  password: encoded('hunter2-password'),
  text: encoded('several\nlines: of it\n'),
  token: encoded('hunter2-token'),
};

describe('a Secret that sops encrypted', () => {
  test('stays encrypted in the snapshot, and is whole when it is applied', async () => {
    const rendered = await render({ 'app/secret.yaml': secret });
    const kept = await keep(rendered);
    assert.doesNotMatch(kept.text + JSON.stringify(rendered), /hunter2|aHVudGVyMi/);
    assert.match(JSON.stringify(rendered.objects), /"password":"ENC\[AES256_GCM/);
    assert.equal(rendered.objects[0]?.['sops'], undefined);
    const metadata = { name: 'web', labels: { app: 'web' } };
    assert.deepEqual(await opened(kept), [
      { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data },
    ]);
  });

  test('is shown as it was committed', async () => {
    const { objects } = await render({ 'app/secret.yaml': secret });
    const [shown] = await maskObjects(canonicalObjects(objects), sealer);
    assert.match(JSON.stringify(shown), /"token":"ENC\[AES256_GCM/);
  });

  test('has the digest of its ciphertext, which no key is asked for', async () => {
    const one = await keep(await render({ 'app/secret.yaml': secret }));
    assert.deepEqual(await keep(await render({ 'app/secret.yaml': secret })), one);
    const other = await keep(await render({ 'app/secret.yaml': fixture('mac-only.yaml') }));
    assert.notEqual(other.digest, one.digest);
    const forged = one.text.replace('app: web', 'app: own');
    assert.throws(() => decodeSnapshot(one.digest, forged), /does not match its digest/);
  });

  test('in JSON, beside a Secret that is sealed by us', async () => {
    const own = 'apiVersion: v1\nkind: Secret\nmetadata: {name: own}\nstringData: {a: hunter2-own}\n';
    const kept = await keep(await render({ 'app/secret.json': fixture('secret.json'), 'app/own.yaml': own }));
    assert.doesNotMatch(kept.text, /hunter2|aHVudGVyMi/);
    assert.deepEqual(
      (await opened(kept)).map((object) => object['data']),
      [{ a: encoded('hunter2-own') }, { password: encoded('hunter2-password'), user: encoded('web') }],
    );
  });

  test('may be changed by kustomize around its values', async () => {
    const kustomization =
      'namespace: shop\nnamePrefix: my-\nlabels: [{pairs: {team: a}}]\nresources: [secret.yaml]\n';
    const rendered = await render({ 'app/kustomization.yaml': kustomization, 'app/secret.yaml': secret });
    assert.equal(rendered.renderer, 'kustomize');
    const [object] = await opened(await keep(rendered));
    assert.deepEqual(object?.metadata, {
      name: 'my-web',
      namespace: 'shop',
      labels: { app: 'web', team: 'a' },
    });
    assert.deepEqual(object['data'], data);
  });

  test('may have variables around its values', async () => {
    const text = secret.replace('app: web', 'app: ${STAGE}');
    const rendered = await render(
      { 'app/secret.yaml': text },
      { substitute: { variables: { STAGE: 'test' } } },
    );
    assert.deepEqual(rendered.objects[0]?.metadata.labels, { app: 'test' });
    // As sops would say of the same file: the label was changed without it.
    await assert.rejects(
      keep(rendered).then(opened),
      /^Stop: Secret web \(app\/secret.yaml\): does not match/,
    );
  });

  test('that was altered is told with its file, and no key with what to do', async () => {
    const altered = await keep(await render({ 'app/secret.yaml': secret.replace('app: web', 'app: evil') }));
    await assert.rejects(opened(altered), (error: unknown) => {
      assert.ok(error instanceof Stop);
      return /^Secret web \(app\/secret.yaml\): does not match its MAC/.test(error.message);
    });
    const kept = await keep(await render({ 'app/secret.yaml': secret }));
    await assert.rejects(openObjects(decodeSnapshot(kept.digest, kept.text), sealer), Blocked);
  });
});

const generated =
  'secretGenerator: [{name: a, literals: ["password=ENC[AES256_GCM,data:a,iv:b,tag:c,type:str]"]}]';
const patch =
  'resources: [secret.yaml]\npatches: [{patch: "{apiVersion: v1, kind: Secret, metadata: {name: web}, stringData: {more: hunter2}}"}]';
const unmarked = secret.replace(/\nsops:[^]*/, '\n');
const mine = "encrypt with --encrypted-regex '^(data|stringData)$'";

const refused: readonly { what: string; files: TreeFiles; message: string | RegExp }[] = [
  {
    what: 'another kind',
    files: { 'app/a.yaml': fixture('config-map.yaml') },
    message: /is encrypted by SOPS and no Secret/,
  },
  {
    what: 'some of the data',
    files: { 'app/a.yaml': fixture('partial.yaml') },
    message: `but its data.token is not; ${mine}`,
  },
  {
    what: 'everything',
    files: { 'app/a.yaml': fixture('whole.yaml') },
    message: /app\/a.yaml:2: is encrypted by SOPS whole/,
  },
  {
    what: 'several objects',
    files: { 'app/a.yaml': fixture('several.yaml') },
    message: /is in app\/a.yaml with others, under one MAC/,
  },
  { what: 'without metadata', files: { 'app/a.yaml': unmarked }, message: /no whole `sops` block/ },
  {
    what: 'a ConfigMap without metadata',
    files: { 'app/a.yaml': unmarked.replace('kind: Secret', 'kind: ConfigMap') },
    message: /no whole `sops` block/,
  },
  {
    what: 'a label',
    files: {
      'app/a.yaml': secret.replace('app: web', 'app: ENC[AES256_GCM,data:aaaa,iv:bbbb,tag:cccc,type:str]'),
    },
    message: `metadata.labels.app encrypted by SOPS, which is no secret; ${mine}`,
  },
  {
    what: 'for nobody whom we know',
    files: { 'app/a.yaml': secret.replace('    age:', '    pgp:') },
    message: /for neither KMS nor age/,
  },
  {
    what: 'for groups',
    files: { 'app/a.yaml': secret.replace('    age:', '    key_groups:\n        - age: []\n    age:') },
    message: /groups of keys/,
  },
  {
    what: 'by a generator',
    files: { 'app/kustomization.yaml': generated },
    message: /no whole `sops` block/,
  },
  {
    what: 'with a plain value patched in',
    files: { 'app/kustomization.yaml': patch, 'app/secret.yaml': secret },
    message: /but its stringData.more is not/,
  },
  {
    what: 'in a chart',
    files: { 'app/Chart.yaml': 'apiVersion: v2\nname: a\nversion: 1.0.0\n', 'app/templates/a.yaml': secret },
    message: /no manifest of the folder has its MAC; in a chart/,
  },
];

describe('what could not be opened, or not be masked, is refused when it is rendered', () => {
  for (const { what, files, message } of refused) {
    test(what, async () => {
      await assert.rejects(render(files), (error: unknown) => {
        assert.ok(error instanceof Stop, String(error));
        if (typeof message === 'string') assert.ok(error.message.includes(message), error.message);
        else assert.match(error.message, message);
        assert.doesNotMatch(error.message, /hunter2|ENC\[/);
        return true;
      });
    });
  }
});
