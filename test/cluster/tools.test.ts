import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { findTools } from './tools.ts';

const run = promisify(execFile);
const progress = (): void => undefined;

describe('kubectl and helm', () => {
  it('are there, of the versions that the product renders with', async () => {
    const { kubectl, helm, path } = await findTools({ progress });
    assert.match((await run(kubectl, ['version', '--client'])).stdout, /Client Version: v1\.36\./);
    assert.match((await run(helm, ['version', '--short'])).stdout, /^v4\./);
    const env = { ...process.env, PATH: path };
    assert.match(
      (await run('sh', ['-c', 'command -v kubectl'], { env })).stdout.trim(),
      new RegExp(`^${kubectl}$`),
    );
  });

  it('are asked of the user where none are packed', async () => {
    const asked = findTools({ progress, env: { PATH: '' }, platform: 'darwin/arm64' });
    await assert.rejects(asked, /This is darwin\/arm64.*lacks kubectl 1\.36 and helm 4\. Install from https/);
  });
});
