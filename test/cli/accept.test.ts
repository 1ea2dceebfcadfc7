import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addRule } from '../../cli/accept.ts';
import type { Rule } from '../../core/model/rule.ts';

const rule: Rule = {
  match: { group: 'apps', kind: 'Deployment', namespace: 'web', name: 'front' },
  fields: ['/spec/template/spec/containers/[name="app"]/image'],
  drift: 'ignore',
  reason: 'the autoscaler: #12',
};

const item = [
  '- match:',
  '    group: apps',
  '    kind: Deployment',
  '    namespace: web',
  '    name: front',
  '  fields:',
  '    - /spec/template/spec/containers/[name="app"]/image',
  '  drift: ignore',
  '  reason: "the autoscaler: #12"',
];

const indented = (by: number): string => item.map((line) => `${' '.repeat(by)}${line}`).join('\n');
const json = JSON.stringify(rule);
const head = ['apiVersion: trueup.dev/v1', 'kind: Application', 'metadata: {name: web}'].join('\n');

const cases: readonly { readonly name: string; readonly before: string; readonly after: string }[] = [
  {
    name: 'no rules yet: at the end of the spec, which keeps its comments',
    before: `# yaml-language-server: x\n${head}\nspec:\n  source:\n    path:   apps/web # plain\n\n  drift: heal # all of it\n`,
    after: `# yaml-language-server: x\n${head}\nspec:\n  source:\n    path:   apps/web # plain\n\n  drift: heal # all of it\n  rules:\n${indented(4)}\n`,
  },
  {
    name: 'behind the rules that are there, whatever follows them',
    before: `${head}\nspec:\n  rules:\n    # the first\n    - drift: 'observe' # why\n\n  # the mode\n  drift: "heal"\n`,
    after: `${head}\nspec:\n  rules:\n    # the first\n    - drift: 'observe' # why\n${indented(4)}\n\n  # the mode\n  drift: "heal"\n`,
  },
  {
    name: 'rules that are not indented, and a file without a last line end',
    before: `${head}\nspec:\n  drift: heal\n  rules:\n  - drift: observe`,
    after: `${head}\nspec:\n  drift: heal\n  rules:\n  - drift: observe\n${indented(2)}`,
  },
  {
    name: 'a list in brackets',
    before: `${head}\nspec:\n  rules: [{drift: observe}] # short\n  drift: heal\n`,
    after: `${head}\nspec:\n  rules: [{drift: observe}, ${json}] # short\n  drift: heal\n`,
  },
  {
    name: 'an empty list',
    before: `${head}\nspec:\n  rules: []\n`,
    after: `${head}\nspec:\n  rules: [${json}]\n`,
  },
  {
    name: 'rules without a value',
    before: `${head}\nspec:\n  rules: # none yet\n  drift: heal\n`,
    after: `${head}\nspec:\n  rules: # none yet\n${indented(4)}\n  drift: heal\n`,
  },
  {
    name: 'a spec in braces',
    before: `${head}\nspec: {drift: heal}\n`,
    after: `${head}\nspec: {drift: heal, rules: [${json}]}\n`,
  },
  {
    name: 'a spec that is followed by something else, and a block text at its end',
    before: `kind: Application\nspec:\n    note: |\n        two\n        lines\nmetadata:\n    name: web\n`,
    after: `kind: Application\nspec:\n    note: |\n        two\n        lines\n    rules:\n${indented(6)}\nmetadata:\n    name: web\n`,
  },
];

describe('a rule is written into an Application file', () => {
  for (const { name, before, after } of cases) {
    it(name, () => assert.equal(addRule(before, rule), after));
    it(`${name}: with the line ends of Windows`, () => {
      assert.equal(addRule(before.replaceAll('\n', '\r\n'), rule), after.replaceAll('\n', '\r\n'));
    });
  }

  it('twice, one behind the other', () => {
    const other: Rule = { match: { kind: 'Service' }, drift: 'observe' };
    const text = addRule(addRule(`${head}\nspec:\n  drift: heal\n`, rule), other);
    const added = '    - match:\n        kind: Service\n      drift: observe\n';
    assert.equal(text, `${head}\nspec:\n  drift: heal\n  rules:\n${indented(4)}\n${added}`);
  });

  it('for one of several Applications', () => {
    const second = head.replace('web', 'shop');
    const text = `${head}\nspec:\n  drift: heal\n---\n${second}\nspec:\n  drift: heal\n`;
    assert.equal(
      addRule(text, rule, 'web'),
      `${head}\nspec:\n  drift: heal\n  rules:\n${indented(4)}\n---\n${second}\nspec:\n  drift: heal\n`,
    );
    assert.throws(() => addRule(text, rule), /holds 2 Applications/);
    assert.throws(() => addRule(text, rule, 'other'), /holds 0 Applications named other/);
  });

  it('not into what is no Application', () => {
    assert.throws(() => addRule('kind: Service\n', rule), /holds 0 Applications/);
    assert.throws(() => addRule('a: [', rule), /is not YAML/);
    assert.throws(() => addRule(`${head}\n`, rule), /Application web: has no spec/);
  });
});
