import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseStackConfig } from '../../../core/contract/config.ts';
import { carryFields } from '../../../core/promotions/carry-fields.ts';

const staging = `# what staging runs
image:
  tag: "1.20" # {"$imagepolicy": "shop:web:tag"}
  digest: sha256:bbb
replicas: 5
images:
  - {name: ghcr.io/acme/api, newTag: 2.0.0}
  - name: ghcr.io/acme/web
    newTag: 'v2'
odd: a, b
`;
const prod = `images: # in another order
  - name: ghcr.io/acme/web
    newTag: v1
  - name: ghcr.io/acme/api
    newTag: 1.0.0   # kept as it is
image: {tag: 1.19, digest: sha256:aaa}
replicas: 9 # of prod alone
odd: x
`;

const carry = (fields: readonly string[], to = prod) =>
  carryFields(['staging.yaml', staging], ['prod.yaml', to], fields);

describe('values that are promoted', () => {
  test('are taken one by one, spelled as they were; all else stays, to the byte', () => {
    const fields = ['image.tag', 'image.digest', 'images[name=ghcr.io/acme/web].newTag', 'image.tag'];
    const expected = prod
      .replace('tag: 1.19', 'tag: "1.20"')
      .replace('sha256:aaa', 'sha256:bbb')
      .replace('newTag: v1', "newTag: 'v2'");
    assert.equal(carry(fields), expected);
    assert.equal(carry(['images[name=ghcr.io/acme/api].newTag']), prod.replace('1.0.0', '2.0.0'));
    assert.equal(carry(['replicas']), prod.replace('replicas: 9', 'replicas: 5'));
  });

  const refused: readonly [string, () => string, RegExp][] = [
    ['the source has none', () => carry(['image.name']), /staging.yaml.*has no value image.name/],
    [
      'the target has none',
      () => carry(['replicas'], 'a: 1\n'),
      /prod.yaml.*has no value replicas; nothing of it is carried over/,
    ],
    [
      'an entry is there twice',
      () => carry(['images[name=ghcr.io/acme/web].newTag'], `${prod}---\n${prod}`),
      /prod.yaml.*has more than one value/,
    ],
    [
      'it would be read as something else there',
      () => carry(['odd'], '{odd: x, c: 1}\n'),
      /cannot take the value of odd/,
    ],
    ['the file is no YAML', () => carry(['odd'], 'a: [\n'), /cannot be read as YAML/],
  ];
  for (const [name, work, why] of refused) {
    test(`are refused where ${name}`, () => {
      assert.throws(work, (error: Error & { subject?: string }) =>
        why.test(`${error.subject}: ${error.message}`),
      );
    });
  }

  test('are named in the configuration by paths that can be followed', () => {
    const url = 'https://git.example.com/acme/config';
    const config = (field: string) => ({
      repositories: [
        { name: 'dev', url },
        {
          name: 'prod',
          url,
          promotion: {
            by: 'pullRequest' as const,
            from: 'dev',
            files: [{ from: 'a.yaml', to: 'b.yaml', fields: [field] }],
          },
        },
      ],
      clusters: [{ name: 'any', access: { type: 'eks' as const, name: 'any' } }],
    });
    for (const field of ['image.tag', 'images[name=ghcr.io/acme/web].newTag', 'a'])
      parseStackConfig(config(field));
    for (const field of ['', '.a', 'a..b', 'a[0]', 'a[b=c', 'a[b=]'])
      assert.throws(() => parseStackConfig(config(field)), /must be like image.tag/, field);
  });
});
