import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordedCharts } from '../../../core/produce/recorded-charts.ts';

const charts = {
  fetch: async () => ({ name: 'web', version: '1.2.3', digest: 'sha256:0', files: new Map() }),
  unpack: async () => new Map(),
};
const versions: readonly (readonly [version: string, isFloating: boolean])[] = [
  ['1.2.3', false],
  ['v1.2.3', false],
  ['1.2.3-rc.1', false],
  ['1.2.3+build-7', false],
  ['1.2', true],
  ['1.x', true],
  ['>=1.2.3', true],
  ['1.2.3 - 2.0.0', true],
  ['1.2.3-0 || >=2', true],
  ['1.2.3-0, <3', true],
];
for (const [version, isFloating] of versions) {
  test(`${version} ${isFloating ? 'may be another chart tomorrow' : 'is one chart for ever'}`, async () => {
    const recorded = new RecordedCharts(charts);
    await recorded.fetch({ oci: 'oci://registry.example/web', version });
    const chart = { oci: 'oci://registry.example/web', version };
    assert.deepEqual(recorded.followed, isFloating ? [{ chart, version: '1.2.3' }] : []);
  });
}
