import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commitPage } from '../../../core/view/commit-page.ts';

test('a commit is shown where its host shows it, and nowhere else', () => {
  const pages = {
    'https://github.com/acme/config.git': 'https://github.com/acme/config/commit/4c1d2aa',
    'ssh://git@github.com/acme/config.git': 'https://github.com/acme/config/commit/4c1d2aa',
    'ssh://git@ssh.github.com:443/acme/config.git': 'https://github.com/acme/config/commit/4c1d2aa',
    'ssh://git@gitlab.acme.com:2222/a/b/config.git': 'https://gitlab.acme.com/a/b/config/-/commit/4c1d2aa',
    'https://gitea.acme.com:3000/acme/config': 'https://gitea.acme.com:3000/acme/config/commit/4c1d2aa',
    'https://bitbucket.org/acme/config.git': 'https://bitbucket.org/acme/config/commits/4c1d2aa',
    'https://dev.azure.com/acme/shop/_git/config':
      'https://dev.azure.com/acme/shop/_git/config/commit/4c1d2aa',
    'https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/config':
      'https://eu-west-1.console.aws.amazon.com/codesuite/codecommit/repositories/config/commit/4c1d2aa?region=eu-west-1',
    'https://git.acme.com/config.git': undefined,
    'http://127.0.0.1:8080/acme/config.git': undefined,
    'oci://registry.acme.com/config': undefined,
  };
  for (const [cloneUrl, page] of Object.entries(pages))
    assert.equal(commitPage(cloneUrl, '4c1d2aa'), page, cloneUrl);
});
