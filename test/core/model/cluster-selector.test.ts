import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { load } from 'js-yaml';
import * as z from 'zod';
import { choosesCluster, clusterSelectorSchema } from '../../../core/model/cluster-selector.ts';

const clusters = [
  { name: 'dev-eu', labels: { stage: 'dev', region: 'eu' } },
  { name: 'prod-eu', labels: { stage: 'prod', region: 'eu' } },
  { name: 'prod-us', labels: { stage: 'prod', region: 'us', legacy: '' } },
  { name: 'bare', labels: {} },
];

const cases = z
  .array(z.object({ case: z.string(), clusters: clusterSelectorSchema, chosen: z.array(z.string()) }))
  .parse(
    load(`
- case: names alone, known or not
  clusters: {names: [prod-us, nowhere]}
  chosen: [prod-us]
- case: all labels must be equal
  clusters: {selector: {matchLabels: {stage: prod, region: eu}}}
  chosen: [prod-eu]
- case: an empty selector is all clusters
  clusters: {selector: {}}
  chosen: [dev-eu, prod-eu, prod-us, bare]
- case: In
  clusters: {selector: {matchExpressions: [{key: region, operator: In, values: [us, ap]}]}}
  chosen: [prod-us]
- case: NotIn holds without the label
  clusters: {selector: {matchExpressions: [{key: region, operator: NotIn, values: [us]}]}}
  chosen: [dev-eu, prod-eu, bare]
- case: Exists, with an empty value too
  clusters: {selector: {matchExpressions: [{key: legacy, operator: Exists}]}}
  chosen: [prod-us]
- case: DoesNotExist
  clusters: {selector: {matchExpressions: [{key: stage, operator: DoesNotExist}]}}
  chosen: [bare]
- case: labels and expressions together
  clusters: {selector: {matchLabels: {stage: prod}, matchExpressions: [{key: legacy, operator: DoesNotExist}]}}
  chosen: [prod-eu]
- case: a label that every object inherits is no label
  clusters: {selector: {matchExpressions: [{key: constructor, operator: Exists}]}}
  chosen: []
`),
  );

describe('clusters of a selector', () => {
  for (const { case: name, clusters: wanted, chosen } of cases) {
    it(name, () => {
      const found = clusters.filter((one) => choosesCluster(wanted, one)).map((one) => one.name);
      assert.deepEqual(found, chosen);
    });
  }

  for (const [name, wrong] of Object.entries({
    'In without values': { selector: { matchExpressions: [{ key: 'a', operator: 'In' }] } },
    'Exists with values': {
      selector: { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['b'] }] },
    },
    'names and a selector': { names: ['a'], selector: {} },
    neither: {},
  })) {
    it(`refuses ${name}`, () => assert.equal(clusterSelectorSchema.safeParse(wrong).success, false));
  }
});
