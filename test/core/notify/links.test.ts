import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commitLink, dashboardLink, recordLink } from '../../../core/notify/links.ts';

const commits: readonly (readonly [Parameters<typeof commitLink>[0], string | undefined])[] = [
  [{ url: 'https://github.com/a/b.git', provider: 'github' }, 'https://github.com/a/b/commit/abc'],
  [{ url: 'ssh://git@github.com/a/b.git', provider: 'github' }, 'https://github.com/a/b/commit/abc'],
  [{ url: 'https://gitlab.com/a/g/b', provider: 'gitlab' }, 'https://gitlab.com/a/g/b/-/commit/abc'],
  [{ url: 'https://bitbucket.org/a/b.git', provider: 'bitbucket' }, 'https://bitbucket.org/a/b/commits/abc'],
  [{ url: 'https://git.example/a/b.git', provider: 'forgejo' }, 'https://git.example/a/b/commit/abc'],
  [
    { url: 'https://dev.azure.com/o/p/_git/r', provider: 'azure-devops' },
    'https://dev.azure.com/o/p/_git/r/commit/abc',
  ],
  [{ url: 'ssh://git@git.example:2222/a/b.git', provider: 'gitea' }, undefined],
  [{ url: 'http://127.0.0.1:3000/a/b.git', provider: 'github' }, undefined],
  [{ url: 'https://git.example/scm/a/b.git', provider: 'bitbucket-data-center' }, undefined],
  [{ url: 'oci://ghcr.io/a/b' }, undefined],
];
for (const [repository, expected] of commits) {
  test(`a commit of ${repository.url} is at ${expected ?? 'no page that is known'}`, () =>
    assert.equal(commitLink(repository, 'abc')?.url, expected));
}

test('links to AWS lead to the console of the partition', () => {
  const place = { fleet: 'acme', region: 'cn-north-1', bucket: 'b' };
  assert.match(dashboardLink(place).url, /^https:\/\/cn-north-1\.console\.amazonaws\.cn\//);
  assert.match(
    recordLink({ ...place, region: 'us-gov-west-1' }, 'runs/date=2026-11-23/a&b').url,
    /^https:\/\/us-gov-west-1\.console\.amazonaws-us-gov\.com\/s3\/object\/b\?region=us-gov-west-1&prefix=runs%2Fdate%3D2026-11-23%2Fa%26b$/,
  );
});
