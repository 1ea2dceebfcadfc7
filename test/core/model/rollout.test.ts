import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { load } from 'js-yaml';
import * as z from 'zod';
import { clustersByStage, rolloutSchema } from '../../../core/model/rollout.ts';
import { placeOf, widthOf } from '../../../core/reconcile/rollout-gate.ts';

const clusters = [
  { name: 'dev', labels: { stage: 'dev', region: 'eu' } },
  { name: 'eu-1', labels: { stage: 'prod', region: 'eu' } },
  { name: 'us-1', labels: { stage: 'prod', region: 'us' } },
  { name: 'bare', labels: {} },
];

const cases = z
  .array(z.object({ case: z.string(), rollout: rolloutSchema, stages: z.array(z.array(z.string())) }))
  .parse(
    load(`
- case: a cluster is in the first stage that chooses it
  rollout:
    stages:
      - {name: eu, clusters: {selector: {matchLabels: {region: eu}}}}
      - {name: prod, clusters: {selector: {matchLabels: {stage: prod}}}}
      - {name: rest}
  stages: [[dev, eu-1], [us-1], [bare]]
- case: the rest is what no other stage has, wherever it stands
  rollout: {stages: [{name: most}, {name: last, clusters: {names: [us-1]}}]}
  stages: [[dev, eu-1, bare], [us-1]]
- case: what no stage has comes last, in one more
  rollout: {stages: [{name: dev, clusters: {names: [dev]}}, {name: none, clusters: {names: [elsewhere]}}]}
  stages: [[dev], [], [eu-1, us-1, bare]]
`),
  );

describe('stages of a rollout', () => {
  for (const { case: name, rollout, stages } of cases) {
    it(name, () => assert.deepEqual(clustersByStage(rollout, clusters), stages));
  }

  it('a cluster that is in none of the noted ones has its turn after all of them', () => {
    const members = [['dev'], ['eu-1', 'us-1']];
    assert.deepEqual(placeOf(members, 'us-1'), { stage: 1, rank: 1, members });
    assert.deepEqual(placeOf(members, 'new'), { stage: 2, rank: 0, members });
  });

  it('a percentage is of the stage, rounded down, and one at least', () => {
    const widths = [widthOf({ maxParallel: '25%' }, 10), widthOf({ maxParallel: '10%' }, 4)];
    assert.deepEqual([...widths, widthOf({ maxParallel: 3 }, 2), widthOf({}, 9)], [2, 1, 3, Infinity]);
  });

  for (const [fault, stages] of Object.entries({
    'must have a name each': [{ name: 'a', clusters: { names: ['dev'] } }, { name: 'a' }],
    'may leave out clusters in one stage only': [{ name: 'a' }, { name: 'b' }],
    'must be minutes or hours, such as 5m or 1h': [{ name: 'a', soak: '30s' }],
    'must be a number, or a percentage such as 25%': [{ name: 'a', maxParallel: true }],
  })) {
    it(`refuses stages that break the rule: ${fault}`, () => {
      const { error } = rolloutSchema.safeParse({ stages });
      assert.deepEqual(
        error?.issues.map(({ message }) => message),
        [fault],
      );
    });
  }
});
