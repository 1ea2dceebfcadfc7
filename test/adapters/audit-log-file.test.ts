import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { AuditLogFile } from '../../adapters/audit-log-file.ts';
import { Stop } from '../../core/errors.ts';

const start = Date.parse('2026-11-23T12:00:00Z');
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trueup-audit-'));
});
after(async () => rm(folder, { recursive: true }));

/** One write, `seconds` after noon; `padding` makes the line long. */
function line(seconds: number, { verb = 'patch', padding = '' } = {}): string {
  const at = new Date(start + seconds * 1000).toISOString();
  return JSON.stringify({
    auditID: `id-${seconds}`,
    stage: 'ResponseComplete',
    requestURI: '/api/v1/namespaces/web/configmaps/a',
    verb,
    user: { username: 'alice' },
    userAgent: 'kubectl/v1.36.3',
    objectRef: { resource: 'configmaps', namespace: 'web', name: 'a' },
    responseStatus: { code: 200 },
    requestObject: { padding },
    requestReceivedTimestamp: at,
    stageTimestamp: at,
  });
}

async function logOf(...lines: string[]): Promise<AuditLogFile> {
  const path = join(folder, `${lines.length}-${Math.abs(lines.join('').length)}.log`);
  await writeFile(path, lines.join('\n'));
  return new AuditLogFile(path);
}

async function idsIn(log: AuditLogFile, from: number, to: number): Promise<string[]> {
  const writes = await Array.fromAsync(log.writes(start + from * 1000, start + to * 1000));
  return writes.map(({ who }) => who.auditId).sort();
}

describe('an audit log in a file', () => {
  it('gives the writes between two times', async () => {
    const log = await logOf(line(1), line(2), line(3, { verb: 'get' }), line(4), line(5), '');
    assert.deepEqual(await idsIn(log, 2, 4), ['id-2', 'id-4']);
  });

  it('is read across chunks, whatever character lies at their edge', async () => {
    const padding = 'ü€'.repeat(60_000);
    const log = await logOf(line(1, { padding }), line(2, { padding }), line(3), '');
    assert.deepEqual(await idsIn(log, 0, 9), ['id-1', 'id-2', 'id-3']);
  });

  it('is read no further back than it was asked for', async () => {
    // Older than disorder explains: what stands before it is not looked at, or it would be found.
    const log = await logOf(line(600), line(1), line(500), '');
    assert.deepEqual(await idsIn(log, 400, 900), ['id-500']);
  });

  it('may hold lines in the making, or cut off, or empty', async () => {
    const log = await logOf('{"verb":"patch"', '', line(1), '{"verb":"patch","stage":');
    assert.deepEqual(await idsIn(log, 0, 9), ['id-1']);
    assert.deepEqual(await idsIn(await logOf(''), 0, 9), []);
  });

  it('that is not there is a Stop that names it', async () => {
    const log = new AuditLogFile(join(folder, 'none.log'));
    await assert.rejects(
      idsIn(log, 0, 9),
      (error) => error instanceof Stop && error.subject.endsWith('none.log'),
    );
  });
});
