import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as z from 'zod';
import { payloadsOf, secretOf, unsigned } from '../core/receive/payloads.ts';
import { everyHook } from '../fakes/hook-world.ts';
import { signed } from '../fakes/senders.ts';
import { bareEnvironment } from './bare-environment.ts';

/** `trueup event` as a person runs it: files in a folder of theirs, and no AWS. */

const program = resolve(import.meta.dirname, '../../cli/trueup.ts');
let folder = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trueup-event-'));
  await writeFile(join(folder, 'config.json'), JSON.stringify(everyHook));
});
after(async () => {
  await rm(folder, { recursive: true });
});

const answerSchema = z.looseObject({
  outcome: z.string(),
  status: z.number(),
  proof: z.string(),
  reason: z.string().optional(),
});

async function run(args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((done) => {
    const options = { cwd: tmpdir(), env: { ...bareEnvironment, INIT_CWD: folder } };
    const all = [program, 'event', '--headers', 'head', '--body', 'body', '-o', 'json', ...args];
    const child = execFile(process.execPath, all, options, (_, out, err) => {
      done({ code: child.exitCode ?? -1, out, err });
    });
  });
}

/** Puts a provider's request into files, as a proxy or the provider's own page shows it. */
async function putFiles(provider: 'gitlab' | 'harbor' | 'quay' | 'nexus', form: 'lines' | 'json') {
  const [payload] = payloadsOf(provider);
  assert.ok(payload);
  const request = signed(provider, unsigned(provider, payload));
  const lines = Object.entries(request.headers).map(([name, value]) => `${name.toUpperCase()}: ${value}`);
  const text = [`POST ${request.path} HTTP/1.1`, ...lines, ''].join('\r\n');
  await writeFile(join(folder, 'head'), form === 'json' ? JSON.stringify(request.headers) : text);
  await writeFile(join(folder, 'body'), request.body);
  await writeFile(join(folder, 'secret'), `${secretOf(provider)}\n`);
}

describe('trueup event', () => {
  it('says what a push would become, and for which repository', async () => {
    await putFiles('gitlab', 'lines');
    const config = ['--config', 'config.json', '--secret-file', 'secret'];
    const { code, out, err } = await run(['--provider', 'gitlab', ...config]);
    assert.equal(err, '');
    const answer = answerSchema.parse(JSON.parse(out));
    assert.deepEqual([code, answer.outcome, answer.proof], [0, 'published', 'verified']);
    const { before: earlier, ...push } = z.array(z.looseObject({})).parse(answer['pushes'])[0] ?? {};
    assert.equal(earlier, '95790bf891e76fee5e1747ab589903a6a1f80f22');
    assert.deepEqual(push, {
      repository: 'diaspora',
      ref: 'refs/heads/main',
      after: 'da1560886d4f094c3e6c9ef40349f7d38b5d27d7',
    });
  });

  it('works without a secret and a configuration, and says what it did not look at', async () => {
    await putFiles('harbor', 'json');
    const { code, out, err } = await run(['--provider', 'harbor']);
    const answer = answerSchema.parse(JSON.parse(out));
    assert.deepEqual([code, answer.outcome, answer.proof], [0, 'published', 'not checked']);
    assert.match(err, /proof was not checked.*\n.*Repositories were not looked for/);
  });

  it('says why a request would be refused', async () => {
    await putFiles('gitlab', 'json');
    await writeFile(join(folder, 'secret'), 'another');
    const { code, out } = await run(['--provider', 'gitlab', '--secret-file', 'secret']);
    const answer = answerSchema.parse(JSON.parse(out));
    assert.deepEqual([code, answer.outcome, answer.status, answer.proof], [1, 'refused', 401, 'refused']);
    assert.match(answer.reason ?? '', /x-gitlab-token does not fit/);
  });

  it('says why nothing would come of one', async () => {
    await putFiles('gitlab', 'json');
    await writeFile(join(folder, 'body'), JSON.stringify({ object_kind: 'issue' }));
    const { code, out } = await run(['--provider', 'gitlab']);
    const answer = answerSchema.parse(JSON.parse(out));
    assert.deepEqual([code, answer.outcome], [1, 'ignored']);
    assert.match(answer.reason ?? '', /^event issue is not used/);
  });

  it('verifies a path where the request line is given, and cannot where it is not', async () => {
    await putFiles('quay', 'lines');
    const shown = await run(['--provider', 'quay', '--secret-file', 'secret']);
    assert.equal(answerSchema.parse(JSON.parse(shown.out)).proof, 'verified');
    await putFiles('quay', 'json');
    const hidden = await run(['--provider', 'quay', '--secret-file', 'secret']);
    assert.equal(answerSchema.parse(JSON.parse(hidden.out)).proof, 'not checked');
  });

  it('says what may be wrong with the files', async () => {
    const secret = ['--secret-file', 'secret'];
    const rows = [
      [
        'quay',
        'POST /hooks/quay/another-secret-of-32-characters HTTP/1.1',
        1,
        /last part of the path .* is not the secret/,
      ],
      ['gitlab', 'GET /hooks/gitlab HTTP/1.1\nx-gitlab-event: Push Hook', 1, /a webhook is a POST/],
      [
        'gitlab',
        'x-gitlab-token: another',
        1,
        /Either --secret-file holds another secret .*or, where the sender signs, --body/,
      ],
      [
        'gitlab',
        'POST /hooks/gitlab HTTP/1.1\nauthorization Bearer hidden',
        2,
        /^trueup: head: line 2 is neither a header/,
      ],
      ['gitlab', '{"x-gitlab-token": 7}', 2, /head: must be lines of HTTP, or a JSON object/],
      [
        'gitlab',
        'POST /hooks/github HTTP/1.1',
        2,
        /request to another hook, not to gitlab: give --provider github/,
      ],
    ] as const;
    for (const [provider, head, code, says] of rows) {
      await putFiles(provider, 'lines');
      await writeFile(join(folder, 'head'), head);
      const ran = await run(['--provider', provider, '--config', 'config.json', ...secret]);
      assert.equal(ran.code, code, ran.err);
      assert.match(`${ran.err}${ran.out}`, says);
      assert.doesNotMatch(ran.err, /hidden/);
    }
  });

  it('names what is missing', async () => {
    await putFiles('nexus', 'json');
    for (const [args, says] of [
      [['--provider', 'svn'], /There is no provider svn\. There are: github, gitlab, /],
      [['--provider', 'nexus'], /needs to know more: give the stack configuration/],
      [
        ['--provider', 'gitlab', '--hook', 'x', '--config', 'config.json'],
        /has no hook gitlab with the id x; declare it under hooks\./,
      ],
      [
        ['--provider', 'gitlab', '--config', 'body'],
        /body: stack configuration: [^]*repositories: is missing; expected array/,
      ],
      [['--provider', 'gitlab', '--secret-file', 'none'], /Cannot read none/],
      [['--provider', 'ecr'], /tells EventBridge and has no webhook/],
    ] as const) {
      const { code, err } = await run(args);
      assert.equal(code, 2);
      assert.match(err, says);
    }
  });
});
