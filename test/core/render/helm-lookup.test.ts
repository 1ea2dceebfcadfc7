import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lookupDeclarationsSchema, lookupKey } from '../../../core/model/lookup.ts';
import type { KubeObject } from '../../../core/model/object.ts';
import { readLookup, type ReadLookup } from '../../../core/read-lookup.ts';
import { noFacts, type AskedFacts } from '../../../core/render/context.ts';
import { chart, configMap, renderChart } from './chart-world.ts';

const kinds = ['v1', 'v1/ConfigMap', 'v1/Namespace', 'v1/Secret', 'apps/v1', 'apps/v1/Deployment'];
const base64 = (text: string) => Buffer.from(text).toString('base64');
const secret = (name: string, data: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'web', uid: 'u1' },
  data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)])),
});
const found = (...objects: KubeObject[]): ReadLookup => ({
  found: 'objects',
  namespaced: objects[0]?.metadata.namespace !== undefined || objects.length === 0,
  objects,
  seen: objects.map(({ metadata }) => ({ name: metadata.name, uid: 'u1', resourceVersion: '7' })),
});

/** A cluster of which this is known, by `lookupKey`. */
function facts(known: Record<string, ReadLookup>): AskedFacts {
  return {
    ...noFacts,
    capabilities: async () => ({ version: 'v1.34.2-eks-1', apiVersions: kinds }),
    lookups: async () => ({
      digest: '',
      isHeld: () => false,
      open: async (lookup) => known[lookupKey(lookup)],
    }),
  };
}

const token = { apiVersion: 'v1', kind: 'Secret', name: 'token' };
const readsToken = chart(
  'apiVersion: v1\nkind: Secret\nmetadata: {name: x}\ndata:\n  p: {{ ((lookup "v1" "Secret" .Release.Namespace "token").data).p | default "bm9uZQ==" }}\n',
);

function rendering(
  template: Parameters<typeof renderChart>[0],
  lookup: object[],
  known: Record<string, ReadLookup>,
) {
  return renderChart(template, { lookup: JSON.parse(JSON.stringify(lookup)) }, { facts: facts(known) });
}

describe('declared lookups', () => {
  test('a Secret that is there is found, and so is that it is not', async () => {
    const known = { 'v1 Secret web/token': found(secret('token', { p: 'correct horse battery' })) };
    const { objects, lookups, warnings } = await rendering(readsToken, [token], known);
    assert.deepEqual(objects[0]?.['data'], { p: base64('correct horse battery') });
    assert.deepEqual(warnings, []);
    const seen = { name: 'token', uid: 'u1', resourceVersion: '7' };
    assert.deepEqual(lookups, [{ ...token, namespace: 'web', seen: [seen] }]);
    const none = await rendering(readsToken, [token], { 'v1 Secret web/token': found() });
    assert.deepEqual(none.objects[0]?.['data'], { p: base64('none') });
    assert.deepEqual(none.lookups, [{ ...token, namespace: 'web', seen: [] }]);
  });

  test('lists, kinds without namespaces, kinds that the cluster does not serve, and templates in values', async () => {
    const template = [
      configMap(
        'x',
        '{{ range (lookup "v1" "ConfigMap" "shared" "").items }}{{ .kind }}/{{ .metadata.name }} {{ end }}',
      ),
      '  one: {{ (lookup "v1" "ConfigMap" "shared" "b").data.k }}',
      '  uid: {{ (lookup "v1" "Namespace" "" "kube-system").metadata.uid }}',
      '  version: {{ .Capabilities.KubeVersion.Version }} {{ .Capabilities.APIVersions.Has "apps/v1/Deployment" }} {{ .Capabilities.APIVersions.Has "acme.io/v1" }}',
      '  inValues: {{ tpl .Values.text . }}',
      '---\napiVersion: acme.io/v1\nkind: Widget\nmetadata: {name: w}\n',
    ].join('\n');
    const entry = (name: string): KubeObject => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: 'shared' },
      data: { k: `of ${name}` },
    });
    const system: KubeObject = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'kube-system', uid: 'u-7' },
    };
    const text = 'text: \'{{ (lookup "v1" "ConfigMap" "shared" "a").data.k }}\'\n';
    const { objects } = await rendering(
      chart(template, { 'apps/web/values.yaml': text }),
      [
        { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shared' },
        { apiVersion: 'v1', kind: 'Namespace', name: 'kube-system' },
      ],
      {
        'v1 ConfigMap shared/*': found(entry('a'), entry('b')),
        'v1 Namespace web/kube-system': found(system),
      },
    );
    assert.deepEqual(
      objects.map(({ kind }) => kind),
      ['ConfigMap', 'Widget'],
    );
    assert.deepEqual(objects[0]?.['data'], {
      value: 'ConfigMap/a ConfigMap/b',
      one: 'of b',
      uid: 'u-7',
      version: 'v1.34.2-eks-1 true false',
      inValues: 'of a',
    });
  });

  test('a list over all namespaces, and what is in one of them', async () => {
    const everywhere = { apiVersion: 'v1', kind: 'ConfigMap', namespace: '*' };
    const entry = (namespace: string, name: string): KubeObject => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace },
    });
    const template = [
      configMap(
        'x',
        '{{ range (lookup "v1" "ConfigMap" "" "").items }}{{ .metadata.namespace }}/{{ .metadata.name }} {{ end }}',
      ),
      '  two: {{ range (lookup "v1" "ConfigMap" "two" "").items }}{{ .metadata.name }} {{ end }}',
      '  one: {{ (lookup "v1" "ConfigMap" "one" "a").metadata.namespace }}',
      '  none: {{ lookup "v1" "ConfigMap" "three" "a" | len }}',
    ].join('\n');
    const { objects, lookups } = await rendering(chart(template), [everywhere], {
      'v1 ConfigMap */*': found(entry('one', 'a'), entry('two', 'a'), entry('two', 'b')),
    });
    const data = { value: 'one/a two/a two/b', two: 'a b', one: 'one', none: 0 };
    assert.deepEqual(objects[0]?.['data'], data);
    assert.deepEqual(
      lookups?.map((one) => [one.namespace, one.seen.length]),
      [['*', 3]],
    );
    const named = lookupDeclarationsSchema.safeParse([{ ...everywhere, name: 'a' }]);
    assert.match(named.error?.issues[0]?.message ?? '', /has one namespace and not/);
  });

  test('a list over all namespaces asks for them at once, in the order of a server', async () => {
    const live = (namespace: string, name: string) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace, uid: name, resourceVersion: '1' },
    });
    const asked: object[] = [];
    const cluster = {
      get: () => Promise.reject(new Error('asked for one')),
      list: async (_resource: unknown, _labels: string, options: object) => {
        asked.push(options);
        return { items: [live('b', 'x'), live('a-b', 'y'), live('a', 'z')], resourceVersion: '1' };
      },
    };
    const resource = { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true };
    const lookup = { apiVersion: 'v1', kind: 'ConfigMap', namespace: '*' };
    const read = await readLookup(cluster, [{ ...resource, verbs: [] }], lookup);
    assert.deepEqual(asked, [{ most: 100 }]);
    assert.equal(read.found, 'objects');
    const names = read.found === 'objects' ? read.seen.map(({ name }) => name) : [];
    assert.deepEqual(names, ['y', 'z', 'x']);
  });

  test('what is not known yet says so, all of it at once', async () => {
    const other = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shared' };
    await assert.rejects(rendering(readsToken, [token, other], {}), (error) => {
      assert.match(
        String(error),
        /^Stop: folder apps\/web: v1 Secret web\/token is not known yet: the next sweep/,
      );
      assert.match(JSON.stringify(error), /v1 ConfigMap shared\/\* is not known yet/);
      return true;
    });
  });

  test('what may not be read is a fault where a template asks for it, and only there', async () => {
    const known: Record<string, ReadLookup> = {
      'v1 Secret web/token': {
        found: 'nothing',
        message: 'the cluster does not let us get secrets web/token',
      },
    };
    await assert.rejects(
      rendering(readsToken, [token], known),
      /^Stop: helm\.lookup: lookup of v1 Secret web\/token: the cluster does not let us get/,
    );
    assert.equal((await rendering(chart(configMap('x', '1')), [token], known)).objects.length, 1);
  });

  test('what is not declared is a fault with the words to declare it, a list of everything too', async () => {
    const known = { 'v1 Secret web/token': found() };
    const more = chart(
      configMap(
        'x',
        '{{ ((lookup "v1" "ConfigMap" .Release.Namespace "a").metadata).name | default "none" | quote }}',
      ) +
        '  all: {{ len (lookup "v1" "Secret" "" "").items | quote }}\n  p: {{ (lookup "v1" "Secret" "web" "token").data | quote }}\n',
    );
    await assert.rejects(
      rendering(more, [token], known),
      /^Stop: helm\.lookup: does not declare all that the chart looks up; add { apiVersion: v1, kind: ConfigMap, name: a }, { apiVersion: v1, kind: Secret, namespace: "\*" }$/,
    );
    const fails = chart('{{ (lookup "v1" "Secret" "other" "a").data.p }}');
    await assert.rejects(
      rendering(fails, [token], known),
      /add { apiVersion: v1, kind: Secret, namespace: other, name: a }$/,
    );
  });

  test('without a declaration the fault says what to declare', async () => {
    await assert.rejects(
      renderChart(
        chart(configMap('x', '{{ lookup "v1" "Secret" .Release.Namespace "token" | len | quote }}')),
        {},
      ),
      /lookup asks a cluster.*declare { apiVersion: v1, kind: Secret, name: token } under helm\.lookup/,
    );
  });
});

describe('references to stores of secrets in what is looked up', () => {
  const reference = 'ref+awssecrets://acme/db#/password';
  const map = (data: Record<string, string>, metadata: object = {}): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'token', namespace: 'web', uid: 'u1', ...metadata },
    data,
  });
  const places: { where: string; object: KubeObject }[] = [
    { where: 'a value of a Secret', object: secret('token', { p: reference }) },
    { where: 'a value that a template decodes', object: secret('token', { p: base64(reference) }) },
    { where: 'a value of a ConfigMap', object: map({ p: reference }) },
    { where: 'a part of a value', object: map({ p: `x ${reference.toUpperCase()}` }) },
    { where: 'base64 without its padding', object: map({ p: base64(`${reference}s`).replace(/=+$/, '') }) },
    { where: 'a key', object: map({ 'ref+awsssm://acme/license': 'x' }) },
    { where: 'an annotation', object: map({}, { annotations: { a: 'ref+awsssm://acme/license' } }) },
  ];
  for (const { where, object } of places) {
    test(`are refused in ${where}, and not quoted`, async () => {
      const { kind } = object;
      const template = chart(configMap('x', `{{ lookup "v1" "${kind}" "web" "token" | len | quote }}`));
      const known = { [`v1 ${kind} web/token`]: found(object) };
      await assert.rejects(rendering(template, [{ ...token, kind }], known), (error) => {
        assert.match(
          String(error),
          /^Stop: helm\.lookup: lookup of v1 \w+ web\/token: what was found holds a ref/,
        );
        assert.ok(!JSON.stringify(error).includes('acme'));
        return true;
      });
    });
  }
});

describe('values of Secrets that were looked up', () => {
  const value = 'correct horse battery';
  const known = { 'v1 Secret web/token': found(secret('token', { p: value, user: 'postgres' })) };
  const read = '(index (lookup "v1" "Secret" "web" "token").data "p" | b64dec)';
  const spills: { why: string; data: string }[] = [
    { why: 'as it is', data: `{{ ${read} | quote }}` },
    { why: 'in base64', data: `{{ ${read} | b64enc | quote }}` },
    { why: 'within a text', data: `"postgres://u:{{ ${read} | urlquery }}@db"` },
    { why: 'backwards', data: `{{ ${read} | splitList "" | reverse | join "" | quote }}` },
  ];
  for (const { why, data } of spills) {
    test(`are refused in a ConfigMap ${why}, and never quoted`, async () => {
      await assert.rejects(rendering(chart(configMap('x', data)), [token], known), (error) => {
        assert.match(
          String(error),
          /a\.yaml.*: ConfigMap x: data\.value holds, or depends on, a value of a Secret/,
        );
        assert.ok(!JSON.stringify(error).includes(value));
        return true;
      });
    });
  }

  test('are let into Secrets, and their checksums anywhere; the same words by chance are no matter', async () => {
    const template = [
      `apiVersion: v1\nkind: Secret\nmetadata: {name: x}\nstringData: {url: "u:{{ ${read} }}@db"}`,
      '---',
      configMap('z', '{{ include "sum" . }}', '  labels: {db: postgres}\n'),
    ].join('\n');
    const sum = `{{ define "sum" }}{{ lookup "v1" "Secret" "web" "token" | toJson | sha256sum | quote }}{{ end }}`;
    const { objects } = await rendering(
      chart(template, { 'apps/web/templates/_sum.tpl': sum }),
      [token],
      known,
    );
    assert.equal(objects.length, 2);
  });

  test('are looked for as they are where other values cannot be rendered', async () => {
    const strict = `{{ if ne ${read} "${value}" }}{{ fail "no" }}{{ end }}`;
    await assert.rejects(
      rendering(chart(strict + configMap('x', `{{ ${read} | quote }}`)), [token], known),
      /ConfigMap x: data\.value holds/,
    );
  });

  test('are told from others in annotations too', async () => {
    const annotated = secret('token', { p: value });
    const metadata = { ...annotated.metadata, annotations: { copy: 'a copy of it' } };
    const withCopy = { 'v1 Secret web/token': found({ ...annotated, metadata }) };
    const copy = '(lookup "v1" "Secret" "web" "token").metadata.annotations.copy';
    await assert.rejects(
      rendering(chart(configMap('x', `{{ ${copy} | quote }}`)), [token], withCopy),
      /ConfigMap x: data\.value holds, or depends on/,
    );
  });

  test('are masked in what Helm says', async () => {
    await assert.rejects(rendering(chart(`{{ fail ${read} }}`), [token], known), (error) => {
      assert.ok(String(error).includes('***') && !String(error).includes(value), String(error));
      return true;
    });
  });
});
