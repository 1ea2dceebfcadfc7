import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { filesWith, planImageUpdate, type UpdateInput } from '../../../core/images/plan-update.ts';
import type { PushedImage } from '../../../core/model/image.ts';
import { parseApplication } from '../../../core/source.ts';
import { readYaml } from '../../../core/yaml/read-yaml.ts';

const digest = `sha256:${'ab'.repeat(32)}`;
const repository = 'ghcr.io/acme/shop';

function application(images: string, source = '{path: apps/shop}'): string {
  return `apiVersion: trueup.dev/v1
kind: Application
metadata: {name: shop}
spec:
  source: ${source}
  namespace: shop
  clusters: {names: [prod]}
  images:
${images}`;
}
const follow = (rest = '') => `    - image: ${repository}\n      policy: {semver: {range: '1.x'}}\n${rest}`;

function plan(
  files: Readonly<Record<string, string>>,
  image: Partial<PushedImage> = {},
  memory: UpdateInput['memory'] = {},
) {
  const applications = Object.entries(files).flatMap(([file, text]) =>
    text.includes('kind: Application')
      ? readYaml(file, text).map((document) => {
          const parsed = parseApplication(file, document);
          if ('faults' in parsed) throw new Error(JSON.stringify(parsed.faults));
          return { application: parsed.application, file };
        })
      : [],
  );
  const update = planImageUpdate({
    files: new Map(Object.entries(files)),
    applications,
    images: [{ repository, tag: '1.3.0', ...image }],
    memory,
  });
  const [fault] = update.faults;
  if (fault !== undefined) throw new Error(`${fault.subject}: ${fault.message}`);
  const told = update.changes.map(({ policy, place, from, to }) => `${policy} ${place}: ${from} → ${to}`);
  return { ...update, told, files: filesWith(new Map(Object.entries(files)), update.changes) };
}

const kustomization = `resources: [../base]
# production takes releases only
images:
  - name: ${repository}
    newTag: 1.2.0 # since May
`;

describe('an image that is pushed', () => {
  it('is written where the kustomization of a following application names it, and nowhere else', () => {
    const files = {
      'applications/shop.yaml': application(follow()),
      'apps/shop/kustomization.yaml': kustomization,
      'apps/other/kustomization.yaml': kustomization,
    };
    const { told, files: texts } = plan(files);
    assert.deepEqual(told, ['shop:shop apps/shop/kustomization.yaml:5: 1.2.0 → 1.3.0']);
    assert.deepEqual([...texts], [['apps/shop/kustomization.yaml', kustomization.replace('1.2.0', '1.3.0')]]);
  });

  it('is left where its policy says so, with the reason', () => {
    const files = {
      'applications/shop.yaml': application(follow()),
      'apps/shop/kustomization.yaml': kustomization,
    };
    const reasonOf = (tag: string) => plan(files, { tag }).left[0]?.reason;
    assert.equal(reasonOf('2.0.0'), 'its policy does not follow the tag 2.0.0');
    assert.equal(reasonOf('latest'), 'its policy does not follow the tag latest');
    assert.equal(reasonOf('1.1.9'), '1.2.0 stands there, which its policy puts before 1.1.9');
    assert.equal(reasonOf('1.2.0'), 'it stands at 1.2.0 already');
    assert.deepEqual(plan(files, { repository: 'ghcr.io/acme/web' }).left, [], 'nobody follows that one');
  });

  it('that stands nowhere is told of, with what to do', () => {
    const [left] = plan({ 'applications/shop.yaml': application(follow()) }).left;
    assert.match(left?.reason ?? '', /stands nowhere.*kustomization in apps\/shop.*"shop:shop"/);
  });

  it('is not written again once a person took it back; another is', () => {
    const files = {
      'applications/shop.yaml': application(follow()),
      'apps/shop/kustomization.yaml': kustomization,
    };
    const first = plan(files);
    const places = [`apps/shop/kustomization.yaml#.images.[${repository}].newTag`];
    assert.deepEqual(first.memory, { 'shop:shop': { last: '1.3.0', places, rejected: [] } });
    // 1.2.0 stands there again.
    const again = plan(files, {}, first.memory);
    assert.deepEqual(again.told, []);
    assert.equal(again.left[0]?.reason, 'a person took 1.3.0 back; write it by hand, or push another tag');
    assert.deepEqual(again.memory, { 'shop:shop': { last: '1.3.0', places, rejected: ['1.3.0'] } });
    const other = plan(files, { tag: '1.3.1' }, again.memory);
    assert.equal(other.told.length, 1);
    assert.deepEqual(other.memory, { 'shop:shop': { last: '1.3.1', places, rejected: ['1.3.0'] } });
  });

  it('of two places is judged by each: one that a person took back stays back, one that came since is brought along', () => {
    const marked = (tag: string) => `tag: ${tag} # {"$imagepolicy": "shop:shop:tag"}\n`;
    const files = (tags: Readonly<Record<string, string>>) => ({
      'applications/shop.yaml': application(follow()),
      'apps/shop/kustomization.yaml': kustomization.replace('1.2.0', '1.3.0'),
      ...Object.fromEntries(
        Object.entries(tags).map(([name, tag]) => [`apps/shop/${name}.yaml`, marked(tag)]),
      ),
    });
    const { memory } = plan(files({ prod: '1.2.0' }));
    const back = plan(files({ prod: '1.2.0' }), {}, memory);
    assert.deepEqual([back.told, back.memory['shop:shop']?.rejected], [[], ['1.3.0']]);
    assert.equal(plan(files({ prod: '1.2.0' }), { tag: '1.3.1' }, back.memory).told.length, 2);
    // The older one is none, though it is newer than what stands in that place.
    assert.match(
      plan(files({ prod: '1.1.0' }), { tag: '1.2.5' }, memory).left[0]?.reason ?? '',
      /1\.3\.0 stands/,
    );
    const wanted = plan(files({ prod: '1.3.0' }), {}, back.memory);
    assert.deepEqual(wanted.memory['shop:shop']?.rejected, [], 'what stands in both again is wanted again');
    assert.deepEqual(plan(files({ prod: '1.3.0', added: '1.2.0' }), {}, memory).told, [
      'shop:shop apps/shop/added.yaml:1: 1.2.0 → 1.3.0',
    ]);
  });

  const taken = [
    {
      after: 'another entry came before it',
      file: 'apps/shop/kustomization.yaml',
      text: kustomization.replace('images:\n', 'images:\n  - name: ghcr.io/acme/proxy\n    newTag: "9"\n'),
    },
    {
      after: 'another document came before its own',
      file: 'apps/shop/deployment.yaml',
      before: `metadata: {name: shop}\ntag: 1.2.0 # {"$imagepolicy": "shop:shop:tag"}\n`,
      text: `metadata: {name: proxy}\n---\nmetadata: {name: shop}\ntag: 1.2.0 # {"$imagepolicy": "shop:shop:tag"}\n`,
    },
    {
      after: 'what it is in was renamed',
      file: 'apps/shop/prod.yaml',
      before: `tag: 1.2.0 # {"$imagepolicy": "shop:shop:tag"}\n`,
      text: `version: 1.2.0 # {"$imagepolicy": "shop:shop:tag"}\n`,
    },
  ];
  for (const { after, file, before = kustomization, text } of taken)
    it(`stays back where a person took it back and ${after}`, () => {
      const applications = { 'applications/shop.yaml': application(follow()) };
      const { memory, told } = plan({ ...applications, [file]: before });
      assert.equal(told.length, 1);
      const back = plan({ ...applications, [file]: text }, {}, memory);
      assert.deepEqual([back.told, back.memory['shop:shop']?.rejected], [[], ['1.3.0']]);
    });

  it('of a tag that moves is judged by where it leads, also where the digest came with it', () => {
    const [one, two, three] = ['1', '2', '3'].map((digit) => `sha256:${digit.repeat(64)}`);
    const policy = `    - {image: ${repository}, policy: {newest: {}}, filter: {pattern: '^main$'}, digest: always}\n`;
    const files = (more: string) => ({
      'applications/shop.yaml': application(policy),
      'apps/shop/kustomization.yaml': `images:\n  - name: ${repository}\n    newTag: main\n${more}`,
    });
    const pinned = (at = '') => files(`    digest: ${at}\n`);
    const image = { tag: 'main', digest: two ?? '' };
    const { memory, told } = plan(files(''), image);
    assert.equal(told.length, 1);
    const back = plan(pinned(one), image, memory);
    assert.deepEqual([back.told, back.memory['shop:shop']?.rejected], [[], [`main@${two}`]]);
    assert.equal(plan(pinned(one), { tag: 'main', digest: three ?? '' }, back.memory).told.length, 1);
    assert.deepEqual(plan(pinned(two), image, back.memory).memory['shop:shop']?.rejected, []);
  });

  it('that was pushed before the one that stands there changes nothing, where only time tells', () => {
    const files = {
      'applications/shop.yaml': application(`    - image: ${repository}\n      policy: {newest: {}}\n`),
      'apps/shop/kustomization.yaml': kustomization,
    };
    const [early, late] = ['2026-11-23T12:00:00Z', '2026-11-23T12:01:00Z'];
    const written = plan(files, { tag: 'second', at: late });
    assert.equal(written.told.length, 1);
    const after = { ...files, ...Object.fromEntries(written.files) };
    const again = plan(after, { tag: 'first', at: early }, written.memory);
    assert.deepEqual([again.told, again.left[0]?.reason], [[], 'a later push was written already']);
    const next = plan(after, { tag: 'third', at: '2026-11-23T12:02:00Z' }, written.memory);
    assert.equal(next.told.length, 1);
  });

  it('is pinned by digest where the policy wants that, or where one stands', () => {
    const always = {
      'applications/shop.yaml': application(follow('      digest: always\n')),
      'apps/shop/kustomization.yaml': kustomization,
    };
    const { files } = plan(always, { digest });
    assert.match(
      files.get('apps/shop/kustomization.yaml') ?? '',
      /newTag: 1\.3\.0 # since May\n {4}digest: sha256:ab/,
    );
    const pinned = kustomization + `    digest: sha256:${'0'.repeat(64)}\n`;
    const standing = {
      'applications/shop.yaml': application(follow()),
      'apps/shop/kustomization.yaml': pinned,
    };
    assert.match(
      plan(standing, { digest }).files.get('apps/shop/kustomization.yaml') ?? '',
      /digest: sha256:abab/,
    );
    assert.throws(
      () => plan(standing),
      /apps\/shop\/kustomization\.yaml:5: is pinned by digest, and none is known/,
    );
  });

  it('is judged by what was written last where places name digests alone', () => {
    const values = (at: string) => `image: {digest: "${at}"}\n`;
    const files = (at: string) => ({
      'applications/shop.yaml': application(
        follow('      digest: always\n      helm: [{file: values.yaml, digest: image.digest}]\n'),
      ),
      'apps/shop/values.yaml': values(at),
    });
    const before = `sha256:${'0'.repeat(64)}`;
    const { memory, files: texts } = plan(files(before), { digest });
    assert.equal(texts.get('apps/shop/values.yaml'), values(digest));
    const late = plan(files(digest), { tag: '1.2.0', digest: before }, memory);
    assert.deepEqual(late.told, []);
    const back = plan(files(before), { digest }, memory);
    assert.deepEqual([back.told, back.memory['shop:shop']?.rejected], [[], [`1.3.0@${digest}`]]);
    assert.equal(
      plan(files(before), { tag: '1.3.1', digest: before.replaceAll('0', '1') }, back.memory).told.length,
      1,
    );
  });

  it('is written into values of a chart and into the Application itself', () => {
    const helm = `      helm:
        - {file: values.yaml, tag: image.tag}
        - {tag: worker.image.tag}
`;
    const source = `
    path: apps/shop
    helm:
      values:
        worker: {image: {tag: "1.2.0"}} # the worker
    kustomize:
      images:
        - {name: ${repository}, newTag: 1.2.0}`;
    const files = {
      'applications/shop.yaml': `# two in one file\n---\n${application(follow(helm), source)}`,
      'apps/shop/values.yaml': 'image:\n  repository: x\n  tag: "1.2.0"\n',
    };
    assert.deepEqual(plan(files).told, [
      'shop:shop applications/shop.yaml:14: 1.2.0 → 1.3.0',
      'shop:shop apps/shop/values.yaml:3: 1.2.0 → 1.3.0',
      'shop:shop applications/shop.yaml:11: 1.2.0 → 1.3.0',
    ]);
  });

  it('says which values of a chart are not there, or not of one line, and writes the others', () => {
    const helm = `      helm:
        - {file: values.yaml, tag: image.tag}
        - {file: values.yaml, tag: image.typo, digest: long}
        - {file: gone.yaml, image: image}
        - {tag: image.tag}
`;
    const files = {
      'applications/shop.yaml': application(follow(helm)),
      'apps/shop/values.yaml': 'image: {repository: x, tag: "1.2.0"}\nlong: >-\n  1.2.0\n',
    };
    const { told, left } = plan(files);
    assert.deepEqual(told, ['shop:shop apps/shop/values.yaml:1: 1.2.0 → 1.3.0']);
    const reasons = left.map(({ reason }) => reason);
    assert.deepEqual(reasons, [
      'apps/shop/values.yaml has no value image.typo of one line: nothing is written there',
      'apps/shop/values.yaml has no value long of one line: nothing is written there',
      'apps/shop/gone.yaml has no value image of one line: nothing is written there',
      'applications/shop.yaml has no value image.tag of one line: nothing is written there',
    ]);
  });

  it('follows setter markers, ours and those of Flux, by the policies of Flux as they stand', () => {
    const flux = `apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageRepository
metadata: {name: shop, namespace: flux-system}
spec: {image: ${repository}, interval: 5m}
---
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImagePolicy
metadata: {name: shop, namespace: flux-system}
spec:
  imageRepositoryRef: {name: shop}
  filterTags: {pattern: '^main-[a-f0-9]+-(?P<ts>[0-9]+)$', extract: $ts}
  policy: {numerical: {order: asc}}
`;
    const deployment = `image: ${repository}:main-aa-90 # {"$imagepolicy": "flux-system:shop"}
tag: main-aa-90 # {"$imagepolicy": "flux-system:shop:tag"}
other: ${repository}:1.0.0 # {"$imagepolicy": "shop:shop"}
`;
    const files = {
      'applications/shop.yaml': application(follow()),
      'flux/images.yaml': flux,
      'apps/shop/deployment.yaml': deployment,
    };
    assert.deepEqual(plan(files, { tag: 'main-bb-100' }).told, [
      `flux-system:shop apps/shop/deployment.yaml:1: ${repository}:main-aa-90 → ${repository}:main-bb-100`,
      'flux-system:shop apps/shop/deployment.yaml:2: main-aa-90 → main-bb-100',
    ]);
    assert.deepEqual(plan(files, { tag: 'main-bb-100' }).left, [
      { policy: 'shop:shop', reason: 'its policy does not follow the tag main-bb-100' },
    ]);
    assert.deepEqual(plan(files).told, [
      `shop:shop apps/shop/deployment.yaml:3: ${repository}:1.0.0 → ${repository}:1.3.0`,
    ]);
  });

  it('is not written into what is no YAML: file and line are named, and nothing is planned', () => {
    const files = {
      'applications/shop.yaml': application(follow()),
      'apps/shop/kustomization.yaml': 'images:\n  - name: a\n   newTag: b\n',
    };
    assert.throws(() => plan(files), /apps\/shop\/kustomization\.yaml:3/);
  });

  it('has faulty policies told of', () => {
    const faulty = (policy: string) => () =>
      plan({
        'applications/shop.yaml': application(`    - image: ${repository}\n${policy}`),
        'apps/shop/kustomization.yaml': kustomization,
      });
    assert.throws(faulty(`      policy: {semver: {range: 'one'}}\n`), /shop:shop: "one" is no range/);
    assert.throws(
      faulty(`      policy: {newest: {}}\n      filter: {pattern: '('}\n`),
      /"\(" is no regular expression/,
    );
    assert.throws(
      faulty(`      policy: {newest: {}}\n      filter: {pattern: '.*', extract: $ts}\n`),
      /the group ts/,
    );
  });
});
