import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from 'js-yaml';
import * as z from 'zod';
import { resolveTracked, trackedRef, tracks } from '../../../core/contract/tracked-ref.ts';

const revision = z.strictObject({
  branch: z.string().exactOptional(),
  tag: z.string().exactOptional(),
  semver: z.string().exactOptional(),
  commit: z.string().exactOptional(),
  digest: z.string().exactOptional(),
  url: z.string().exactOptional(),
});

/** `found`: name of the ref that is followed, of those the host has; none is null. */
const resolutions = z.array(z.tuple([revision, z.array(z.string()), z.string().nullable()])).parse(
  load(`
- [{}, [refs/heads/main, refs/heads/x/refs/heads/main, refs/tags/main], refs/heads/main]
- [{branch: release/1.x}, [refs/heads/main], null]
- [{tag: v1}, [refs/heads/v1, refs/tags/v1, refs/tags/v1.0.0], refs/tags/v1]
- [{tag: '1.0'}, [refs/tags/v1.0], null]
# the highest by precedence, not by spelling, with or without v
- [{semver: ^1.2}, [refs/tags/v1.2.0, refs/tags/1.10.0, refs/tags/v1.9.0, refs/tags/v2.0.0], refs/tags/1.10.0]
- [{semver: ~1.2.3}, [refs/tags/v1.2.2, refs/tags/v1.3.0], null]
- [{semver: '*'}, [refs/tags/v0.1.0, refs/tags/latest, refs/tags/v1, refs/tags/v1.2, refs/heads/9.9.9], refs/tags/v0.1.0]
# prereleases only where the range names one; then all of them within the range, as Flux takes them
- [{semver: '>=1.0.0'}, [refs/tags/v1.0.0, refs/tags/v1.1.0-rc.1], refs/tags/v1.0.0]
- [{semver: '>=1.0.0-0'}, [refs/tags/v1.0.0, refs/tags/v1.1.0-rc.1, refs/tags/v1.1.0-beta.11], refs/tags/v1.1.0-rc.1]
- [{semver: ^1.0.0-alpha}, [refs/tags/v1.4.0-rc.2, refs/tags/v1.4.0-rc.10, refs/tags/v2.0.0-rc.1], refs/tags/v1.4.0-rc.10]
- [{semver: 1.0.0 - 1.9.0}, [refs/tags/v1.9.0, refs/tags/v1.9.0-rc.1], refs/tags/v1.9.0]
# build metadata decides between equals; of two spellings of one version the one with the v
- [{semver: 1.x}, [refs/tags/1.0.0+2, refs/tags/1.0.0+10, refs/tags/1.0.0], refs/tags/1.0.0+10]
- [{semver: 1.x}, [refs/tags/v1.0.0, refs/tags/1.0.0], refs/tags/v1.0.0]
`),
);
for (const [tracked, refs, found] of resolutions) {
  test(`${JSON.stringify(tracked)} of ${refs.join(', ')} is ${found ?? 'nothing'}`, () => {
    const resolved = resolveTracked(tracked, new Map(refs.map((ref) => [ref, `sha of ${ref}`])));
    assert.deepEqual(resolved, found === null ? undefined : { ref: found, sha: `sha of ${found}` });
  });
}

test('a commit is what it is, whatever refs the host has', () => {
  const commit = 'a'.repeat(40);
  assert.deepEqual(resolveTracked({ commit }, new Map()), { sha: commit, ref: commit });
});

const pushes = z.array(z.tuple([revision, z.string(), z.boolean()])).parse(
  load(`
- [{}, refs/heads/main, true]
- [{}, refs/tags/main, false]
- [{branch: x}, refs/heads/main, false]
- [{tag: v1}, refs/tags/v1, true]
- [{tag: v1}, refs/tags/v1.0.0, false]
- [{semver: ^1}, refs/tags/v1.3.0, true]
- [{semver: ^1}, refs/tags/v2.0.0, false]
- [{semver: ^1}, refs/heads/1.3.0, false]
- [{semver: ^1}, refs/tags/v1.3.0-rc.1, false]
- [{semver: ^1}, 'semver:^1', true]
- [{digest: 'sha256:0'}, 'sha256:0', true]
- [{digest: 'sha256:0'}, refs/tags/v1, false]
- [{url: 's3://acme/fleet.tgz'}, object, true]
- [{url: 's3://acme/fleet.tgz'}, refs/heads/main, false]
`),
);
for (const [tracked, ref, expected] of pushes) {
  test(`a push to ${ref} ${expected ? 'may move' : 'says nothing of'} ${trackedRef(tracked)}`, () => {
    assert.equal(tracks(tracked, ref), expected);
  });
}
