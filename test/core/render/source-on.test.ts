import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { load } from 'js-yaml';
import * as z from 'zod';
import { choosesCluster } from '../../../core/model/cluster-selector.ts';
import { sourceSchema } from '../../../core/model/source.ts';
import { sourceOn } from '../../../core/render/source-on.ts';

const prod = { name: 'prod-eu', labels: { stage: 'prod', region: 'eu' } };

const cases = z.array(z.object({ case: z.string(), source: sourceSchema, gives: sourceSchema })).parse(
  load(`
- case: nothing of a cluster that none chooses
  source: {path: base, overrides: [{clusters: {names: [dev]}, path: dev}]}
  gives: {path: base}
- case: the folder, for Kustomize and plain files
  source: {path: base, overrides: [{clusters: {names: [prod-eu]}, path: overlays/prod}]}
  gives: {path: overlays/prod}
- case: of several that hold the later one wins
  source:
    path: base
    overrides:
      - {clusters: {selector: {matchLabels: {stage: prod}}}, path: prod}
      - {clusters: {selector: {matchExpressions: [{key: region, operator: In, values: [eu]}]}}, path: eu}
  gives: {path: eu}
- case: values merge as Helm merges them, files and parameters are added
  source:
    path: chart
    helm:
      valueFiles: [values.yaml]
      values: {image: {tag: "1", pull: Always}, hosts: [a]}
      parameters: [{name: replicas, value: "1"}]
    overrides:
      - clusters: {names: [prod-eu]}
        helm:
          valueFiles: [prod.yaml]
          values: {image: {tag: "2"}, hosts: [b, c]}
          parameters: [{name: replicas, value: "3"}]
  gives:
    path: chart
    helm:
      valueFiles: [values.yaml, prod.yaml]
      values: {image: {tag: "2", pull: Always}, hosts: [b, c]}
      parameters: [{name: replicas, value: "1"}, {name: replicas, value: "3"}]
- case: values where the source itself has none
  source: {path: chart, overrides: [{clusters: {selector: {}}, helm: {values: {a: 1}}}]}
  gives: {path: chart, helm: {values: {a: 1}}}
- case: variables, and what is added to a kustomization
  source:
    path: base
    kustomize: {namePrefix: x-, images: [{name: web, newTag: "1"}]}
    substitute: {variables: {A: "1", B: "1"}}
    overrides:
      - clusters: {names: [prod-eu]}
        kustomize: {images: [{name: web, newTag: "2"}]}
        substitute: {variables: {B: "2"}, labels: {REGION: region}}
  gives:
    path: base
    kustomize: {namePrefix: x-, images: [{name: web, newTag: "2"}]}
    substitute: {variables: {A: "1", B: "2"}, labels: {REGION: region}}
`),
);

describe('the source on one cluster', () => {
  for (const { case: name, source, gives } of cases) {
    it(name, () => {
      const facts = {
        isChosenBy: (clusters: Parameters<typeof choosesCluster>[0]) => choosesCluster(clusters, prod),
      };
      assert.deepEqual(sourceOn(source, facts), gives);
    });
  }
});
