import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JsonObject } from '../../../core/model/json.ts';
import { describeRef, refOf } from '../../../core/model/object.ts';
import type { Files } from '../../fakes/memory-worktree.ts';
import { chart, chartYaml, configMap, renderChart } from './chart-world.ts';

describe('dependencies', () => {
  const dependency = (more: string) =>
    chartYaml('web', `dependencies:\n- name: sub\n  version: 1.x\n${more}`);
  const sub = {
    'lib/sub/Chart.yaml': chartYaml('sub'),
    'lib/sub/templates/s.yaml': configMap('s', '{{ .Values.a | quote }}'),
  };
  const names = async (files: Files, helm: JsonObject = {}) =>
    (await renderChart(files, helm)).objects.map((object) => describeRef(refOf(object)));

  test('a chart beside it, with the values that it is given', async () => {
    const files = {
      ...chart(''),
      ...sub,
      'apps/web/Chart.yaml': dependency('  repository: file://../../lib/sub\n'),
    };
    const { objects, origins } = await renderChart(files, { values: { sub: { a: '7' } } });
    assert.deepEqual(objects[0]?.['data'], { value: '7' });
    assert.deepEqual(origins, { '/ConfigMap//s': 'lib/sub/templates/s.yaml' });
    const { inputDigest } = await renderChart(files);
    const changed = { ...files, 'lib/sub/templates/s.yaml': configMap('s', '"8"') };
    assert.notEqual((await renderChart(changed)).inputDigest, inputDigest);
  });

  test('what charts/ holds needs no lock', async () => {
    const vendored = {
      'apps/web/charts/sub/Chart.yaml': chartYaml('sub'),
      'apps/web/charts/sub/templates/s.yaml': configMap('s', '"1"'),
    };
    const files = {
      ...chart(''),
      ...vendored,
      'apps/web/Chart.yaml': dependency('  repository: https://charts.example\n'),
    };
    assert.deepEqual(await names(files), ['ConfigMap s']);
  });

  const lock = (digest: string) =>
    `dependencies:\n- name: sub\n  repository: https://charts.example\n  version: 1.2.3\ndigest: ${digest}\ngenerated: "2026-11-23T08:06:36Z"\n`;
  const refused: { why: string; files: Files; says: RegExp }[] = [
    {
      why: 'no lock',
      files: {},
      says: /apps\/web\/Chart\.yaml: depends on sub at https:\/\/charts\.example without Chart\.lock/,
    },
    {
      why: 'a lock of other dependencies',
      files: { 'apps/web/Chart.lock': lock(`sha256:${'0'.repeat(64)}`) },
      says: /that Chart\.lock does not know/,
    },
  ];
  for (const { why, files, says } of refused) {
    test(`${why} is a stop`, async () => {
      const all = {
        ...chart(''),
        ...files,
        'apps/web/Chart.yaml': dependency('  repository: https://charts.example\n'),
      };
      await assert.rejects(renderChart(all), says);
    });
  }

  test('charts that name each other, or lead out, are a stop', async () => {
    const loop = {
      ...chart(''),
      'apps/web/Chart.yaml': chartYaml(
        'web',
        'dependencies:\n- {name: web, version: 1.x, repository: "file://../web"}\n',
      ),
    };
    await assert.rejects(renderChart(loop), /charts may name each other/);
    const out = { ...chart(''), 'apps/web/Chart.yaml': dependency('  repository: file://../../../sub\n') };
    await assert.rejects(renderChart(out), /out of the repository/);
  });
});
