import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { brotliCompressSync, gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { unpackChart } from '../../adapters/chart-archive.ts';
import { Stop } from '../../core/errors.ts';
import { archiveOf, chartArchive, type Member } from '../charts/archive.ts';

describe('archives', () => {
  const chart: Member = { path: 'web/Chart.yaml', content: 'name: web' };
  const zeros = 6 * 1024 * 1024;
  const refused: { why: string; members: readonly Member[]; says: RegExp }[] = [
    {
      why: 'a path that climbs',
      members: [chart, { path: 'web/../../etc/passwd' }],
      says: /holds a path that leads out of it: "web\/\.\.\/\.\.\/etc\/passwd"/,
    },
    {
      why: 'an absolute path',
      members: [chart, { path: '/etc/passwd' }],
      says: /leads out of it: "\/etc\/passwd"/,
    },
    { why: 'a path of Windows', members: [chart, { path: 'web\\..\\x' }], says: /leads out of it/ },
    {
      why: 'a symlink',
      members: [chart, { path: 'web/x', type: '2', link: '/etc/passwd' }],
      says: /holds the link web\/x/,
    },
    {
      why: 'a hard link',
      members: [chart, { path: 'web/x', type: '1', link: 'web/Chart.yaml' }],
      says: /holds the link web\/x/,
    },
    {
      why: 'a device',
      members: [chart, { path: 'web/x', type: '3' }],
      says: /holds web\/x, which is no file/,
    },
    {
      why: 'a file outside of the folder',
      members: [chart, { path: 'x.yaml' }],
      says: /outside of the chart's folder/,
    },
    {
      why: 'a file that is too large',
      members: [chart, { path: 'web/x', content: Buffer.alloc(zeros) }],
      says: /of 6291456 bytes; files of up to/,
    },
    {
      why: 'a bomb',
      members: [
        chart,
        ...Array.from({ length: 21 }, (_, index) => ({
          path: `web/${index}`,
          content: Buffer.alloc(5 * 1024 * 1024),
        })),
      ],
      says: /unpacks to more than 104857600 bytes/,
    },
    {
      why: 'more files than a chart has',
      members: [chart, ...Array.from({ length: 10_000 }, (_, index) => ({ path: `web/${index}` }))],
      says: /holds more than 10000 files/,
    },
    { why: 'no Chart.yaml', members: [{ path: 'web/x' }], says: /has no Chart\.yaml/ },
  ];
  for (const { why, members, says } of refused) {
    test(`with ${why} are refused`, async () => {
      const error = await unpackChart(archiveOf(members), 'chart web').catch((thrown: unknown) => thrown);
      assert.ok(error instanceof Stop, String(error));
      assert.match(error.message, says);
    });
  }

  const packers = { gzip: gzipSync, zstd: zstdCompressSync, brotli: brotliCompressSync };
  for (const [name, pack] of Object.entries(packers)) {
    test(`that are packed twice are refused, since no limit holds for the second time: ${name}`, async () => {
      const twice = gzipSync(pack(gunzipSync(chartArchive('web', '1.0.0'))));
      await assert.rejects(
        unpackChart(twice, 'chart web'),
        /^Stop: chart web: is (?:packed twice|no sound tar archive)/,
      );
    });
  }

  test('that are none are refused', async () => {
    await assert.rejects(unpackChart(Buffer.from('PK'), 'chart web'), /^Stop: chart web: is no gzip archive/);
    const half = chartArchive('web', '1.0.0').subarray(0, 100);
    await assert.rejects(unpackChart(half, 'chart web'), Stop);
  });
});
