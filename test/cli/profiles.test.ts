import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Command } from 'commander';
import { stackOption, withCommon } from '../../cli/options.ts';
import { deleteProfile, listProfiles, setProfile, useProfile } from '../../cli/profile.ts';
import { applyProfile, profilesFile } from '../../cli/profiles.ts';

let folder: string;
const before = process.env['XDG_CONFIG_HOME'];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trueup-profiles-'));
  process.env['XDG_CONFIG_HOME'] = folder;
});
afterEach(async () => {
  await rm(folder, { recursive: true });
  if (before === undefined) delete process.env['XDG_CONFIG_HOME'];
  else process.env['XDG_CONFIG_HOME'] = before;
});

/** What a verb gets, as `name value` of what is set. */
function optionsOf(line: readonly string[], env: NodeJS.ProcessEnv = {}): Record<string, unknown> {
  const command = withCommon(new Command('status')).addOption(stackOption());
  command.parse([...line], { from: 'user' });
  applyProfile(command, env);
  const { output: _, profile: __, ...rest } = command.opts<Record<string, unknown>>();
  return rest;
}

describe('profiles', () => {
  test('give a verb the records that its line does not name', async () => {
    assert.deepEqual(optionsOf([]), {}, 'none is needed');
    await setProfile('prod', { stack: 'trueup-prod', region: 'eu-central-1', awsProfile: 'p' });
    await setProfile('laptop', { store: 'file:state', context: 'kind' });
    const env: NodeJS.ProcessEnv = { AWS_REGION: 'us-east-1' };
    assert.deepEqual(optionsOf([], env), { stack: 'trueup-prod' }, 'the first one is current');
    assert.deepEqual(env, { AWS_REGION: 'us-east-1', AWS_PROFILE: 'p' }, 'the environment goes first');
    const named: NodeJS.ProcessEnv = { AWS_REGION: 'us-east-1', TRUEUP_STORE: 'file:other' };
    assert.deepEqual(optionsOf(['--profile', 'prod'], named), { stack: 'trueup-prod' });
    assert.equal(named['AWS_REGION'], 'eu-central-1', 'unless the profile is named');
    const store = `file:${join(process.env['INIT_CWD'] ?? process.cwd(), 'state')}`;
    assert.deepEqual(optionsOf([], { TRUEUP_PROFILE: 'laptop' }), { store, context: 'kind' });
    assert.deepEqual(optionsOf(['--profile', 'laptop', '--context', 'x']), { store, context: 'x' });
  });

  test('give way to the line, and the current one to the environment', async () => {
    await setProfile('prod', { stack: 'trueup-prod' });
    assert.deepEqual(optionsOf(['--stack', 'other']), { stack: 'other' });
    assert.deepEqual(optionsOf([], { TRUEUP_STORE: 'file:x' }), {});
    assert.throws(() => optionsOf(['--profile', 'prod', '--stack', 'other']), /either --profile, or --stack/);
  });

  test('are listed, used and forgotten', async () => {
    await setProfile('a', { stack: 'one' });
    await setProfile('b', { stack: 'two', region: 'eu-west-1' });
    await useProfile('b');
    assert.match(listProfiles().text, /\*? +a +stack one +-\n\* +b +stack two +region eu-west-1/);
    await deleteProfile('b');
    assert.deepEqual(listProfiles().names, ['a']);
    assert.deepEqual(optionsOf([]), {}, 'no other one takes its place');
    assert.equal(JSON.parse(await readFile(profilesFile(), 'utf8')).current, undefined);
  });

  test('a name or a file that is none is told with what to do', async () => {
    assert.throws(
      () => optionsOf(['--profile', 'x']),
      /no profile x. There is none yet; `trueup profile set x/,
    );
    await assert.rejects(setProfile('a', {}), /--stack NAME .* or --store PLACE/);
    await assert.rejects(setProfile('a', { stack: 'x', context: 'y' }), /go with --stack/);
    await assert.rejects(setProfile('A b', { stack: 'x' }), /name must be lower-case/);
    await setProfile('a', { stack: 'one' });
    await assert.rejects(useProfile('c'), /Known: a/);
    await writeFile(profilesFile(), '{');
    assert.throws(() => optionsOf([]), /holds no profiles: mend it, or delete it/);
  });
});
