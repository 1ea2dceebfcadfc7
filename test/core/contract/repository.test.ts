import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from 'js-yaml';
import * as z from 'zod';
import { codeCommitOf, repositorySchema, secretsOf } from '../../../core/contract/repository.ts';

const fleet = { name: 'fleet', url: 'https://git.example/acme/fleet.git' };

const taken = z.array(z.record(z.string(), z.unknown())).parse(
  load(`
- {}
- {url: 'https://git.example:8443/acme/fleet.git', tag: v1.2}
- {url: 'http://127.0.0.1:3000/acme/fleet.git', tokenSecret: git/token}
- {semver: '>=1.0.0-0 <2'}
- {commit: ${'a'.repeat(40)}}
- {url: 'ssh://git@git.example/acme/fleet.git', ssh: {secret: git/key}}
- {url: 'ssh://git@[2001:db8::1]:2222/fleet', ssh: {secret: git/key}, branch: release/1.x}
- {githubApp: {appId: 12, installationId: 34, privateKeySecret: git/app, apiUrl: 'https://ghe.example/api/v3'}}
- {url: 'https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/fleet', provider: codecommit}
- {submodules: true, lfs: {hosts: [media.example, '*.s3.amazonaws.com']}}
- {url: 'oci://ghcr.io/acme/fleet', tag: main}
- {url: 'oci://registry.example:5000/acme/team_a/fleet.prod', semver: ^1, registry: {secret: acme/registry, internal: true}}
- {url: 'oci://123456789012.dkr.ecr.eu-west-1.amazonaws.com/fleet', digest: 'sha256:${'a'.repeat(64)}'}
- {url: 'oci://ghcr.io/acme/fleet', tag: main, verify: {mode: require, cosign: {keys: [{secret: acme/cosign}]}}}
- {url: 'oci://ghcr.io/acme/fleet', tag: main, verify: {mode: warn, cosign: {keyless: {trustedRoot: '{}', identities: [{issuer: i, identity: a}]}}}}
- {url: 's3://acme-artifacts/fleet/main.tar.gz'}
- {url: 's3://acme.artifacts/Fleet (prod)/v=1.tgz', applications: .}
`),
);
for (const change of taken) {
  test(`taken: ${JSON.stringify(change)}`, () => {
    const parsed = repositorySchema.parse({ ...fleet, ...change });
    // What synth has parsed is parsed again by every function.
    assert.deepEqual(repositorySchema.parse(JSON.parse(JSON.stringify(parsed))), parsed);
  });
}

const refused = z.array(z.tuple([z.record(z.string(), z.unknown()), z.string()])).parse(
  load(`
# options and other transports smuggled in addresses
- [{url: '--upload-pack=touch /tmp/x'}, 'url: must be https:// or ssh://']
- [{url: 'ext::sh -c touch% /tmp/x'}, 'url: must be https:// or ssh://']
- [{url: 'file:///etc'}, 'url: must be https:// or ssh://']
- [{url: 'git://git.example/fleet.git'}, 'url: must be https:// or ssh://']
- [{url: 'http://git.example/fleet.git'}, 'url: must be https:// or ssh://']
- [{url: 'http://127.0.0.1.evil.example/x'}, 'url: must be https:// or ssh://']
- [{url: 'git@git.example:acme/fleet.git'}, 'url: must be spelled ssh://user@host/path']
- [{url: 'https://user:secret@git.example/fleet.git'}, 'url: must not hold a user name or token; name a tokenSecret instead']
- [{url: 'https://git.example/fleet.git?x=1'}, 'url: must have the form https://host[:port]/path']
- [{url: "https://git.example/fl\\neet"}, 'url: must have the form https://host[:port]/path']
- [{url: 'ssh://-oProxyCommand=touch@git.example/x', ssh: {secret: k}}, 'url: must have the form ssh://user@host[:port]/path, without a password']
- [{url: 'ssh://git@-oProxyCommand=touch/x', ssh: {secret: k}}, 'url: must have the form ssh://user@host[:port]/path, without a password']
- [{url: 'ssh://git:pw@git.example/x', ssh: {secret: k}}, 'url: must have the form ssh://user@host[:port]/path, without a password']
- [{url: 'ssh://git@git.example', ssh: {secret: k}}, 'url: must have the form ssh://user@host[:port]/path, without a password']
# and in refs
- [{branch: '--upload-pack=touch /tmp/x'}, 'branch: is no name of a ref']
- [{branch: 'ma*n'}, 'branch: is no name of a ref']
- [{branch: 'a..b'}, 'branch: is no name of a ref']
- [{tag: 'x y'}, 'tag: is no name of a ref']
- [{tag: 'v1^{}'}, 'tag: is no name of a ref']
- [{tag: 'a:b'}, 'tag: is no name of a ref']
- [{semver: 'one'}, 'semver: is no range of versions, such as ^1.2 or >=1.0.0-0']
- [{commit: abc123}, 'commit: must be a full SHA of 40 hex digits']
- [{branch: main, tag: v1}, 'tag: only one of branch and tag can be tracked']
# artifacts
- [{url: 'oci://ghcr.io/acme/fleet'}, 'url: needs the tag, semver or digest to follow']
- [{url: 'oci://ghcr.io/acme/fleet:main', tag: main}, 'url: must have the form oci://HOST']
- [{url: 'oci://ghcr.io/acme/../victim', tag: main}, 'url: must have the form oci://HOST']
- [{url: 'oci://user:secret@ghcr.io/acme/fleet', tag: main}, 'url: must have the form oci://HOST']
- [{url: 'oci://ghcr.io/Acme/fleet', tag: main}, 'url: must have the form oci://HOST']
- [{url: 'oci://ghcr.io/acme/fleet', tag: a/b}, 'tag: is no tag of a registry']
- [{url: 'oci://ghcr.io/acme/fleet', digest: 'sha256:abc'}, 'digest: must be sha256: and 64 hex digits']
- [{url: 'oci://ghcr.io/acme/fleet', tag: a, semver: ^1}, 'semver: only one of tag and semver can be tracked']
- [{url: 'oci://ghcr.io/acme/fleet', branch: main}, 'branch: is not for oci:// repositories']
- [{url: 'oci://ghcr.io/acme/fleet', tag: main, tokenSecret: k}, 'tokenSecret: is not for oci:// repositories']
- [{url: 'oci://ghcr.io/acme/fleet', tag: main, provider: gitlab}, 'provider: is not for oci:// repositories']
- [{url: 'oci://ghcr.io/acme/fleet', tag: main, verify: {mode: require, gpgKeys: [k]}}, 'verify: artifacts are signed by cosign, not by the keys of commits']
- [{url: 'oci://ghcr.io/acme/fleet', tag: main, verify: {mode: require, cosign: {}}}, 'verify.cosign: needs keys or keyless']
- [{url: 's3://acme-artifacts/fleet.rar'}, 'url: must have the form s3://BUCKET/KEY']
- [{url: 's3://acme-artifacts/*.tgz'}, 'url: must have the form s3://BUCKET/KEY']
- [{url: 's3://acme-artifacts/\${aws:username}.tgz'}, 'url: must have the form s3://BUCKET/KEY']
- [{url: 's3://acme-artifacts/fleet.tgz', tag: v1}, 'tag: is not for s3:// repositories']
- [{url: 's3://acme-artifacts/fleet.tgz', verify: {mode: 'off'}}, 'verify: is not for s3:// repositories']
- [{digest: 'sha256:${'a'.repeat(64)}'}, 'digest: is not for Git repositories']
- [{registry: {}}, 'registry: is not for Git repositories']
- [{verify: {mode: require, cosign: {keys: [k]}}}, 'verify: cosign is for oci:// repositories']
# ways in that do not fit the address, or each other
- [{url: 'ssh://git@git.example/x'}, 'ssh: an ssh:// url needs the secret with key and known_hosts']
- [{ssh: {secret: k}}, 'ssh: is for ssh:// urls; this one needs a token or nothing']
- [{url: 'ssh://git@git.example/x', ssh: {secret: k}, tokenSecret: t}, 'url: a token is for https:// urls']
- [{tokenSecret: t, githubApp: {appId: 1, installationId: 2, privateKeySecret: k}}, 'githubApp: cannot stand beside tokenSecret']
- [{url: 'https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/fleet', tokenSecret: t}, 'url: CodeCommit is read by the IAM role of the function; it takes no token']
- [{githubApp: {appId: 1, installationId: 2, privateKeySecret: k, apiUrl: 'http://169.254.169.254'}}, 'githubApp.apiUrl: must be https://']
- [{url: 'ssh://git@git.example/x', ssh: {secret: k}, lfs: {}}, 'lfs: works with https:// urls of hosts that speak Git LFS']
- [{lfs: {hosts: ['https://media.example']}}, 'lfs.hosts.0: must be a host, with a port if it has one']
- [{verify: {mode: require}}, 'verify: names nobody who may sign; list gpgKeys, sshKeys or gitsign']
`),
);
for (const [change, message] of refused) {
  test(`refused: ${JSON.stringify(change)}`, () => {
    const { error } = repositorySchema.safeParse({ ...fleet, ...change });
    const faults = error?.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`) ?? [];
    assert.ok(
      faults.some((fault) => fault.startsWith(message)),
      `${message} in ${faults.join('; ')}`,
    );
  });
}

test('CodeCommit is known by its address', () => {
  const url = 'https://git-codecommit.cn-north-1.amazonaws.com.cn/v1/repos/fleet.config';
  assert.deepEqual(codeCommitOf(url), { region: 'cn-north-1', name: 'fleet.config' });
  assert.equal(codeCommitOf('https://git-codecommit.x.amazonaws.com.evil.example/v1/repos/a'), undefined);
});

test('every secret that a repository names is known, each once', () => {
  const gitsign = { trustedRoot: { secret: 'root' }, identities: [{ issuer: 'i', identity: 'a' }] };
  const verify = {
    mode: 'require',
    gpgKeys: ['inline', { secret: 'keys' }],
    sshKeys: [{ secret: 'keys' }],
    gitsign,
  };
  assert.deepEqual(secretsOf(repositorySchema.parse({ ...fleet, tokenSecret: 'git/token', verify })), [
    'git/token',
    'keys',
    'root',
  ]);
});
