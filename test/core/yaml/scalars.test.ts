import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { scalarsOf, withScalars } from '../../../core/yaml/scalars.ts';

const file = `# top, kept
images:
  - name: ghcr.io/acme/shop # the shop
    newTag: "1.2.3"   # {"$imagepolicy": "shop:shop:tag"}
  - {name: b, newTag: 1.0.0} # flow
web:
  image:   'ghcr.io/acme/web:1.0'
  text: |
    image: not me
  none:
---
image: &a x # anchor
again: *a
`;

describe('scalars of a file', () => {
  it('have a path, a line, and what is said behind them', () => {
    const told = scalarsOf('a.yaml', file).map(
      ({ document, path, value, line, comment }) =>
        `${line} ${document} ${path.join('.')} = ${value} # ${comment}`,
    );
    assert.deepEqual(told, [
      '3 0 images.0.name = ghcr.io/acme/shop # the shop',
      '4 0 images.0.newTag = 1.2.3 # {"$imagepolicy": "shop:shop:tag"}',
      '5 0 images.1.name = b # ',
      '5 0 images.1.newTag = 1.0.0 # flow',
      '7 0 web.image = ghcr.io/acme/web:1.0 # ',
      '12 1 image = x # anchor',
    ]);
  });

  const edited = (path: string, value: string, beside?: readonly [string, string]) => {
    const scalar = scalarsOf('a.yaml', file).find((one) => one.path.join('.') === path);
    assert.ok(scalar);
    const after = withScalars(file, [{ scalar, value, ...(beside && { beside }) }]);
    const before = file.split('\n');
    return after.split('\n').filter((line, index) => line !== before[index] && !before.includes(line));
  };

  it('are replaced alone: quotes, spaces and comments stay', () => {
    assert.deepEqual(edited('images.0.newTag', '1.3.0'), [
      '    newTag: "1.3.0"   # {"$imagepolicy": "shop:shop:tag"}',
    ]);
    assert.deepEqual(edited('web.image', 'ghcr.io/acme/web:2'), ["  image:   'ghcr.io/acme/web:2'"]);
    assert.deepEqual(edited('images.1.newTag', '1.20'), ['  - {name: b, newTag: "1.20"} # flow']);
    assert.deepEqual(edited('image', 'on'), ['image: &a "on" # anchor']);
  });

  it('get a neighbour in the same map', () => {
    assert.deepEqual(edited('images.0.newTag', '1.3.0', ['digest', 'sha256:ab']), [
      '    newTag: "1.3.0"   # {"$imagepolicy": "shop:shop:tag"}',
      '    digest: sha256:ab',
    ]);
    assert.deepEqual(edited('images.1.newTag', '1.1.0', ['digest', 'sha256:ab']), [
      '  - {name: b, newTag: 1.1.0, digest: sha256:ab} # flow',
    ]);
  });

  it('several at once, from the last to the first', () => {
    const all = scalarsOf('a.yaml', file).filter(({ path }) => path.at(-1) === 'newTag');
    const text = withScalars(
      file,
      all.map((scalar) => ({ scalar, value: '9.9.9-long' })),
    );
    assert.equal(scalarsOf('a.yaml', text).filter(({ value }) => value === '9.9.9-long').length, 2);
  });

  it('of what is no YAML are refused with file and line', () => {
    assert.throws(() => scalarsOf('a.yaml', 'a: 1\n b: : 2\n'), /a\.yaml:2/);
  });
});
