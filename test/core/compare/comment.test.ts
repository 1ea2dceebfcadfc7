import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { previewComment } from '../../../core/compare/comment.ts';
import { compareRenderings, type Rendering } from '../../../core/compare/comparison.ts';
import { Stop } from '../../../core/errors.ts';
import { kubeObjectSchema } from '../../../core/model/object.ts';
import { readYaml } from '../../../core/yaml/read-yaml.ts';

const cap = { percent: 30, objects: 5 };
const names = { base: 'main', head: 'feature' };

function rendered(text: string, onDelete: 'orphan' | 'prune' = 'prune'): Rendering {
  const objects = readYaml('a.yaml', text).map(({ value }) => kubeObjectSchema.parse(value));
  return { kind: 'rendered', objects, prune: true, onDelete };
}
const config = (name: string, value = '1') =>
  `---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}, namespace: shop}, data: {a: "${value}"}}\n`;

function comment(base: Record<string, Rendering>, head: Record<string, Rendering>): string {
  const targets = compareRenderings(new Map(Object.entries(base)), new Map(Object.entries(head)), {
    cap,
    isComplete: true,
  });
  return previewComment(targets, names);
}

/** What a reader of Markdown would take for anything but code. */
function outsideCode(text: string): string {
  const fenced = text.replaceAll(/^(`{3,})diff\n[^]*?^\1$/gm, '');
  return fenced.replaceAll(/(?<!`)(`+)(?!`)[^\n]*?(?<!`)\1(?!`)/g, '');
}

describe('the comment on a change', () => {
  it('says that nothing changes', () => {
    const same = { 'prod/shop': rendered(config('a')) };
    assert.equal(
      comment(same, same),
      '<!-- trueup: preview -->\n\n### trueup: nothing changes on any cluster\n\n`main` → `feature`\n',
    );
  });

  it('counts, warns and folds what differs', () => {
    const base = { 'prod/shop': rendered(config('a') + config('b')), 'prod/web': rendered(config('w')) };
    const head = {
      'prod/shop': rendered(config('a', '2') + config('c')),
      'dev/new': rendered(config('fresh')),
    };
    assert.equal(
      comment(base, head),
      `<!-- trueup: preview -->

### trueup: 3 applications on 2 clusters

\`main\` → \`feature\`

**Look twice**
- ⚠️ \`shop\` on \`prod\`: \`ConfigMap shop/b\` is deleted
- ⚠️ \`web\` on \`prod\`: \`ConfigMap shop/w\` is deleted

| application | cluster | created | changed | gone |
| --- | --- | --- | --- | --- |
| \`new\` (new) | \`dev\` | 1 | 0 | 0 |
| \`shop\` | \`prod\` | 1 | 1 | 1 |
| \`web\` (gone) | \`prod\` | 0 | 0 | 1 |

<details><summary>new on dev: 1 object</summary>

\`\`\`diff
+ ConfigMap shop/fresh
\`\`\`

</details>

<details><summary>shop on prod: 3 objects</summary>

\`\`\`diff
! ConfigMap shop/a
    data.a
-     "1"
+     "2"
- ConfigMap shop/b
+ ConfigMap shop/c
\`\`\`

</details>

<details><summary>web on prod: 1 object</summary>

\`\`\`diff
- ConfigMap shop/w
\`\`\`

</details>
`,
    );
  });

  it('names what cannot be rendered, and leaves it as it is', () => {
    const { faults } = new Stop({ subject: 'apps/a.yaml:3', message: 'is no object' });
    const text = comment({ 'prod/shop': rendered(config('a')) }, { 'prod/shop': { kind: 'failed', faults } });
    assert.match(
      text,
      /Cannot be rendered; stays as it is\*\*\n- ❌ `shop` on `prod`: `apps\/a\.yaml:3` is no object/,
    );
    assert.doesNotMatch(text, /deleted/);
  });

  it('says of an application that is gone what its onDelete says', () => {
    const text = comment({ 'prod/shop': rendered(config('a'), 'orphan') }, {});
    assert.match(text, /is given up and left on the cluster/);
    assert.match(comment({ 'prod/shop': rendered(config('a')) }, {}), /is deleted/);
  });

  it('takes nothing for gone while an Application cannot be read, and says which', () => {
    const base = new Map([['prod/shop', rendered(config('a'))]]);
    const targets = compareRenderings(base, new Map(), { cap, isComplete: false });
    const broken = [{ subject: 'applications/shop.yaml:3', message: 'there is no such field' }];
    const text = previewComment(targets, { ...names, broken });
    assert.match(text, /stays as it is\*\*\n- ❌ `applications\/shop\.yaml:3` there is no such field/);
    assert.doesNotMatch(text, /gone|deleted/);
  });

  it('says when the cap would stop it', () => {
    const many = Array.from({ length: 10 }, (_, index) => config(`c${index}`)).join('');
    const text = comment({ 'prod/shop': rendered(many) }, { 'prod/shop': rendered(config('c0')) });
    assert.match(text, /would delete 9 of 10 objects: more than the cap/);
  });

  it('lets no name and no value be markup', () => {
    const hostile =
      '{apiVersion: example.com/v1, kind: "<img src=x>`|[x](http://e)", metadata: {name: "a`b"}, "@team": "```\\n</details><script>"}';
    const text = comment({}, { 'prod/shop': rendered(hostile) });
    assert.doesNotMatch(outsideCode(text), /<img|<script|\]\(http/);
  });

  it('fits into one comment, and says what it leaves out', () => {
    const objects = (letter: string) =>
      rendered(Array.from({ length: 120 }, (_, index) => config(`c${index}`, letter.repeat(150))).join(''));
    const applications = (count: number, rendering: Rendering) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`prod/app${index}`, rendering]));
    const [old, next] = [objects('x'), objects('y')];
    const some = comment(applications(3, old), applications(3, next));
    assert.equal(some.match(/ {2}and \d+ more objects/g)?.length, 3);
    const all = comment(applications(12, old), applications(12, next));
    assert.ok(all.length < 65_536, `${all.length}`);
    assert.match(all, /_\d more part\(s\) are too long to show here/);
  });

  it('says once what is the same on several clusters', () => {
    const [old, next] = [rendered(config('a') + config('b')), rendered(config('a', '2'))];
    const on = (rendering: Rendering) =>
      Object.fromEntries(Array.from({ length: 6 }, (_, index) => [`c${index}/shop`, rendering]));
    const text = comment(on(old), { ...on(next), 'c5/shop': rendered(config('a', '3') + config('b')) });
    const some = '`c0`, `c1`, `c2`, `c3` and 1 more';
    assert.match(text, new RegExp(`- ⚠️ \`shop\` on ${some}: \`ConfigMap shop/b\` is deleted\n`));
    assert.match(text, new RegExp(`\\| \`shop\` \\| ${some} \\| 0 \\| 1 \\| 1 \\|\n`));
    assert.match(
      text,
      /<summary>shop on c0, c1, c2, c3 and 1 more: 2 objects<[^]*<summary>shop on c5: 1 object</,
    );
  });
});
