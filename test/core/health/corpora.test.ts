import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { healthOf } from '../../../core/health.ts';
import { objectsOf } from '../../../core/render/objects.ts';
import { readYaml } from '../../../core/yaml/read-yaml.ts';
import { now } from './table.ts';

const corpora = process.env['TRUEUP_CORPORA'];

test(
  'every object of kube-prometheus has a health as soon as it is applied',
  {
    skip: corpora === undefined && 'TRUEUP_CORPORA is not set',
  },
  () => {
    const folder = join(corpora ?? '', 'kube-prometheus');
    const objects = globSync('**/*.yaml', { cwd: folder })
      .flatMap((file) => readYaml(file, readFileSync(join(folder, file), 'utf8')))
      .flatMap((document) => objectsOf(document).objects.map(({ object }) => object));
    assert.equal(objects.length, 131);
    const words = Map.groupBy(objects, (object) => healthOf(object, now).status);
    const waiting = new Set((words.get('Progressing') ?? []).map(({ kind }) => kind));
    assert.deepEqual([...words.keys()].toSorted(), ['Healthy', 'Progressing']);
    assert.deepEqual([...waiting].toSorted(), [
      'APIService',
      'Alertmanager',
      'CustomResourceDefinition',
      'DaemonSet',
      'Deployment',
      'Prometheus',
    ]);
  },
);
