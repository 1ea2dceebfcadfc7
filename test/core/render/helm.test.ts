import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Stop } from '../../../core/errors.ts';
import type { JsonObject } from '../../../core/model/json.ts';
import { noFacts, type RenderContext } from '../../../core/render/context.ts';
import { MemoryWorktree, type Files } from '../../fakes/memory-worktree.ts';
import { chart, chartYaml, configMap, renderChart } from './chart-world.ts';

async function valueOf(files: Files, helm: JsonObject = {}, more: Partial<RenderContext> = {}) {
  const { objects } = await renderChart(files, helm, more);
  const data = objects[0]?.['data'];
  return data !== null && typeof data === 'object' && 'value' in data ? data.value : data;
}

const shown = '{{ .Values.a | quote }}';

describe('values', () => {
  const files = chart(configMap('x', shown), {
    'apps/web/values.yaml': 'a: default\n',
    'apps/web/one.yaml': 'a: one\n',
    'apps/two.yaml': 'a: two\n',
    'three.yaml': 'a: three\n',
  });

  test('later ones win: the chart, value files in order, values, parameters', async () => {
    assert.equal(await valueOf(files), 'default');
    assert.equal(await valueOf(files, { valueFiles: ['one.yaml'] }), 'one');
    assert.equal(await valueOf(files, { valueFiles: ['one.yaml', '../two.yaml'] }), 'two');
    assert.equal(await valueOf(files, { valueFiles: ['../two.yaml', '/three.yaml'] }), 'three');
    assert.equal(await valueOf(files, { valueFiles: ['one.yaml'], values: { a: 'inline' } }), 'inline');
    const parameters = [{ name: 'a', value: 'x,y' }];
    assert.equal(await valueOf(files, { values: { a: 'inline' }, parameters }), 'x,y');
  });

  test('parameters are numbers where they look like it, and text where that is forced', async () => {
    const kind = chart(configMap('x', '{{ kindOf .Values.a }}'));
    assert.equal(await valueOf(kind, { parameters: [{ name: 'a', value: '1' }] }), 'int64');
    assert.equal(
      await valueOf(kind, { parameters: [{ name: 'a', value: '1', forceString: true }] }),
      'string',
    );
    assert.equal(await valueOf(kind, { parameters: [{ name: 'a', value: '{1,2}' }] }), 'slice');
  });

  test('files of another source, and of the chart itself', async () => {
    const other = new MemoryWorktree({ 'env/prod.yaml': 'a: elsewhere\n' });
    const references = new Map([['config', other]]);
    assert.equal(
      await valueOf(files, { valueFiles: ['$config/env/prod.yaml'] }, { references }),
      'elsewhere',
    );
    assert.equal(await valueOf(files, { valueFiles: ['$chart/one.yaml'] }), 'one');
    await assert.rejects(
      renderChart(files, { valueFiles: ['$nobody/a.yaml'] }),
      /\$nobody\/a\.yaml .* names the source nobody, and none of spec\.sources/,
    );
  });

  test('a pattern stands for the files that fit, in their order', async () => {
    const many = {
      ...files,
      'env/1.yaml': 'a: "1"\n',
      'env/2.yaml': 'a: "2"\n',
      'env/deep/3.yaml': 'a: "3"\n',
    };
    assert.equal(await valueOf(many, { valueFiles: ['/env/*.yaml'] }), '2');
    assert.equal(await valueOf(many, { valueFiles: ['../../env/**/?.yaml'] }), '3');
    assert.equal(await valueOf(many, { valueFiles: ['$chart/o*.yaml'] }), 'one');
    await assert.rejects(renderChart(many, { valueFiles: ['/env/x*.yaml'] }), /is not there/);
  });

  test('one that is not there is a stop, or passed over where the Application says so', async () => {
    await assert.rejects(
      renderChart(files, { valueFiles: ['gone.yaml'] }),
      /^Stop: apps\/web\/gone\.yaml: .* is not there/,
    );
    const lenient = { valueFiles: ['gone.yaml', 'one.yaml'], ignoreMissingValueFiles: true };
    assert.equal(await valueOf(files, lenient), 'one');
    await assert.rejects(renderChart(files, { valueFiles: ['templates'] }), /helm\.valueFiles is not there/);
    await assert.rejects(
      renderChart(files, { valueFiles: ['../../../x.yaml'] }),
      /leads out of the repository/,
    );
    await assert.rejects(renderChart(files, { valueFiles: ['https://x.example/a.yaml'] }), /is an address/);
  });

  test('each file that was read is an input', async () => {
    const helm = { valueFiles: ['one.yaml', '../two.yaml'] };
    const { inputDigest } = await renderChart(files, helm);
    for (const name of ['apps/web/Chart.yaml', 'apps/web/one.yaml', 'apps/two.yaml']) {
      const changed = { ...files, [name]: `${files[name]}# more\n` };
      assert.notEqual((await renderChart(changed, helm)).inputDigest, inputDigest, name);
    }
    assert.equal((await renderChart({ ...files, 'three.yaml': 'a: 3\n' }, helm)).inputDigest, inputDigest);
  });
});

test('a schema that leads elsewhere is not looked at where no schema is', async () => {
  const files = chart(configMap('x', '"1"'), {
    'apps/web/values.schema.json': '{"$ref": "https://schema.example/a.json"}',
  });
  const { objects } = await renderChart(files, { skipSchemaValidation: true });
  assert.deepEqual(objects[0]?.['data'], { value: '1' });
});

test('release, definitions, tests, origins and several documents', async () => {
  const files = chart(
    `${configMap('{{ .Release.Name }}', '{{ .Release.Namespace }}')}---\n# nothing\n---\n${configMap('b', '1')}`,
    {
      'apps/web/crds/c.yaml':
        'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a.x.example}\n---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: b.x.example}\n',
      'apps/web/templates/tests/t.yaml': configMap('t', '1', '  annotations: {helm.sh/hook: test}\n'),
      'apps/web/templates/NOTES.txt': 'Well done.',
      'apps/web/charts/sub/Chart.yaml': chartYaml('sub'),
      'apps/web/charts/sub/templates/s.yaml': configMap('s', '1'),
    },
  );
  const { objects, origins, renderer } = await renderChart(files, { releaseName: 'shop' });
  assert.equal(renderer, 'helm');
  assert.deepEqual(origins, {
    'apiextensions.k8s.io/CustomResourceDefinition//a.x.example': 'apps/web/crds/c.yaml',
    'apiextensions.k8s.io/CustomResourceDefinition//b.x.example': 'apps/web/crds/c.yaml',
    '/ConfigMap//shop': 'apps/web/templates/a.yaml',
    '/ConfigMap//b': 'apps/web/templates/a.yaml',
    '/ConfigMap//s': 'apps/web/charts/sub/templates/s.yaml',
  });
  assert.deepEqual(objects.find(({ metadata }) => metadata.name === 'shop')?.['data'], { value: 'web' });
  const without = await renderChart(files, { skipCrds: true });
  assert.equal(without.objects.length, 3);
});

test('capabilities are those of the cluster, and asked only where they are used', async () => {
  let asked = 0;
  const facts = {
    ...noFacts,
    capabilities: async () => {
      asked += 1;
      return { version: 'v1.33.5-eks-1', apiVersions: ['v1', 'x.example/v1', 'x.example/v1/Widget'] };
    },
  };
  const asks =
    '{{ .Capabilities.KubeVersion.Minor }}-{{ .Capabilities.APIVersions.Has "x.example/v1/Widget" }}';
  assert.equal(await valueOf(chart(configMap('x', asks)), {}, { facts }), '33-true');
  assert.equal(asked, 1);
  await valueOf(chart(configMap('x', '"1"')), {}, { facts });
  assert.equal(asked, 1);
  const picky = {
    ...chart(configMap('x', '"1"')),
    'apps/web/Chart.yaml': chartYaml('web', 'kubeVersion: ">=1.34.0-0"\n'),
  };
  await assert.rejects(
    renderChart(picky, {}, { facts }),
    /requires kubeVersion: >=1\.34\.0-0 which is incompatible/,
  );
  const { warnings } = await renderChart(chart(configMap('x', asks)));
  assert.match(warnings?.[0]?.message ?? '', /^\.Capabilities tells what Helm assumes/);
});

describe('hooks', () => {
  const job = (name: string, notes: string) =>
    `apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: ${name}\n  annotations: {${notes}}\n---\n`;
  const ours = async (template: string) => {
    const { objects } = await renderChart(chart(template));
    return Object.fromEntries(
      objects.map(({ metadata: { name, annotations = {} } }) => [
        name,
        Object.entries(annotations).flatMap(([key, value]) =>
          key.startsWith('trueup.dev/') ? [`${key.slice('trueup.dev/'.length)}=${value}`] : [],
        ),
      ]),
    );
  };

  test('install and upgrade are told apart; weights and policies in our words', async () => {
    const template =
      job(
        'b',
        '"helm.sh/hook": "pre-install,pre-upgrade", "helm.sh/hook-weight": "-5", "helm.sh/hook-delete-policy": "hook-succeeded,before-hook-creation"',
      ) +
      job('a', '"helm.sh/hook": post-install') +
      job('c', '"helm.sh/hook": "pre-delete,post-delete,pre-rollback,post-rollback"') +
      `${configMap('d', '1', '  annotations: {"helm.sh/hook": post-install}\n')}---\n` +
      configMap('kept', '1', '  annotations: {"helm.sh/resource-policy": keep}\n');
    assert.deepEqual(await ours(template), {
      b: ['hook=pre-install,pre-upgrade', 'hook-delete=succeeded,before', 'wave=0'],
      d: ['hook=post-install', 'hook-delete=before', 'wave=1'],
      a: ['hook=post-install', 'hook-delete=before', 'wave=2'],
      c: ['hook=delete,post-delete,pre-rollback,post-rollback', 'hook-delete=before', 'wave=3'],
      kept: ['prune=disabled'],
    });
  });

  test('a policy that nobody knows is a stop', async () => {
    const template = job('b', '"helm.sh/hook": pre-install, "helm.sh/hook-delete-policy": sometimes');
    await assert.rejects(
      ours(template),
      /^Stop: apps\/web\/templates\/a\.yaml: has helm\.sh\/hook-delete-policy: sometimes/,
    );
  });
});

describe('what differs from one rendering to the next', () => {
  const secret =
    'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  password: {{ .Values.password | default (randAlphaNum 12) | quote }}\n';

  test('is named with its function and never with its value, and fails', async () => {
    const error = await renderChart(chart(secret)).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof Stop);
    assert.equal(
      error.message,
      'apps/web/templates/a.yaml: Secret s: stringData.password differs from one rendering to the next (randAlphaNum in apps/web/templates/a.yaml:5); ' +
        'set the value that the chart would generate, or helm.nondeterministic: ignore where a change at each rendering does no harm',
    );
  });

  test('is no matter where the value is set; the lint still names the function', async () => {
    const { warnings } = await renderChart(chart(secret), { values: { password: 'given-by-us' } });
    assert.deepEqual(warnings, [
      {
        subject: 'apps/web/templates/a.yaml:5',
        message: 'randAlphaNum is random: each rendering gives another value',
      },
    ]);
  });

  test('is a warning where the Application says so', async () => {
    const { objects, warnings } = await renderChart(chart(secret), { nondeterministic: 'ignore' });
    assert.equal(objects.length, 1);
    assert.match(warnings?.[1]?.message ?? '', /^Secret s: stringData\.password differs/);
  });

  test('the day too, though it is the same in both renderings', async () => {
    const day = configMap('x', '{{ now | date "2006-01-02" | quote }}');
    await assert.rejects(
      renderChart(chart(day)),
      /ConfigMap x: data\.value differs .*\(now in apps\/web\/templates\/a\.yaml:6\)/,
    );
  });

  test('words in texts, comments and fields are no functions', async () => {
    const harmless = `${configMap('x', '{{ "now" | quote }}')}  b: {{ .Values.now | quote }}\n  c: {{/* now */}}"x"\n  d: now\n`;
    assert.deepEqual((await renderChart(chart(harmless))).warnings, []);
  });

  test('a lookup is refused where its answer matters, and only there', async () => {
    const counts = chart(configMap('x', '{{ lookup "v1" "ConfigMap" "a" "b" | len | quote }}'));
    await assert.rejects(
      renderChart(counts),
      /^Stop: apps\/web\/templates\/a\.yaml:6: lookup asks a cluster, .* decides over ConfigMap x; set the values/,
    );
    const { warnings } = await renderChart(counts, { lookup: 'empty' });
    assert.match(warnings?.[0]?.message ?? '', /^lookup finds nothing: rendering has no cluster/);
    const kept = configMap(
      'x',
      '{{ $old := (lookup "v1" "Secret" .Release.Namespace "s").data }}{{ .Values.password | default (get ($old | default dict) "p") | quote }}',
    );
    assert.deepEqual((await renderChart(chart(kept), { values: { password: 'a' } })).warnings, []);
    const breaks = configMap(
      'x',
      '{{ with lookup "v1" "Secret" "a" "b" }}{{ index .data "p" }}{{ else }}"1"{{ end }}',
    );
    await assert.rejects(renderChart(chart(breaks)), /decides over/);
  });

  test('install or upgrade is told where it matters', async () => {
    const matters = configMap('x', '{{ .Release.IsInstall | quote }}');
    assert.match(
      (await renderChart(chart(matters))).warnings?.[0]?.message ?? '',
      /^\.Release\.IsInstall knows no release/,
    );
    const moot = configMap('x', '{{ if .Release.IsUpgrade }}"1"{{ else }}"1"{{ end }}');
    assert.deepEqual((await renderChart(chart(moot))).warnings, []);
  });
});

describe('faults', () => {
  const cases: { why: string; files: Files; helm?: JsonObject; says: RegExp; never?: string }[] = [
    {
      why: 'fail in a template, with its place',
      files: chart('{{ fail "no good" }}'),
      says: /^Stop: apps\/web\/templates\/a\.yaml:1: is not rendered: .*no good/s,
    },
    {
      why: 'a value that is quoted',
      files: chart('{{ fail (printf "bad password %s" .Values.auth.password) }}', {
        'apps/web/values.yaml': 'auth: {password: ""}\n',
      }),
      helm: { values: { auth: { password: 'hunter22' } } },
      says: /bad password \*\*\*/,
      never: 'hunter22',
    },
    {
      why: 'a whole map that is quoted',
      files: chart(configMap('x', '{{ .Values.auth.password.value }}')),
      helm: { values: { auth: { password: 'hunter22' } } },
      says: /is not rendered/,
      never: 'hunter22',
    },
    {
      why: 'a parameter that cannot be parsed',
      files: chart(configMap('x', '"1"')),
      helm: { parameters: [{ name: 'a[x]', value: 'hunter22' }] },
      says: /is not rendered: .*mend the name in helm\.parameters/,
      never: 'hunter22',
    },
    {
      why: 'values that the schema of the chart refuses',
      files: chart(configMap('x', '"1"'), {
        'apps/web/values.schema.json': '{"type": "object", "properties": {"a": {"type": "integer"}}}',
      }),
      helm: { values: { a: 'hunter22' } },
      says: /values don't meet the specifications/,
      never: 'hunter22',
    },
    {
      why: 'a schema that leads elsewhere, of a chart below',
      files: chart(configMap('x', '"1"'), {
        'apps/web/charts/a/Chart.yaml': chartYaml('a'),
        'apps/web/charts/a/values.schema.json': '{"$ref": "https://schema.example/a.json"}',
      }),
      says: /apps\/web\/charts\/a\/values\.schema\.json: \$ref: https:\/\/schema\.example\/a\.json leads out/,
    },
    {
      why: 'YAML that breaks in what was rendered',
      files: chart(`${configMap('x', '"1"')} b: 1\n`),
      says: /^Stop: .*apps\/web\/templates\/a\.yaml/,
    },
    {
      why: 'a value file that is no map',
      files: chart(configMap('x', '"1"'), { 'apps/web/v.yaml': '- a\n' }),
      helm: { valueFiles: ['v.yaml'] },
      says: /^Stop: apps\/web\/v\.yaml:1: is no map of values/,
    },
    {
      why: 'a library',
      files: { ...chart(''), 'apps/web/Chart.yaml': chartYaml('web', 'type: library\n') },
      says: /^Stop: apps\/web\/Chart\.yaml: is a library/,
    },
    {
      why: 'an object that a chart has twice',
      files: chart(configMap('x', '"1"'), { 'apps/web/templates/b.yaml': configMap('x', '"2"') }),
      says: /ConfigMap x is defined in apps\/web\/templates\/[ab]\.yaml too/,
    },
  ];
  for (const { why, files, helm, says, never } of cases) {
    test(why, async () => {
      const error = await renderChart(files, helm).catch((thrown: unknown) => thrown);
      assert.ok(error instanceof Stop);
      assert.match(String(error), says);
      const all = JSON.stringify(error.faults);
      assert.ok(never === undefined || !all.includes(never), all);
      assert.ok(!all.includes('trueup-helm-'), all);
    });
  }
});
