import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from 'js-yaml';
import { parseStackConfig } from '../../../core/contract/config.ts';
import { placeOf } from '../../../core/contract/cluster-access.ts';

const repositories = [{ name: 'config', url: 'https://git.example/config.git' }];
const arn = 'arn:aws:eks:eu-west-1:222222222222:cluster/shop';
const role = 'arn:aws:iam::222222222222:role/trueup';

function configOf(yaml: string) {
  return parseStackConfig({ repositories, ...(load(yaml) as object) });
}

const places: readonly (readonly [string, ReturnType<typeof placeOf>])[] = [
  ['{ type: eks, name: shop }', { name: 'shop', region: undefined, account: undefined }],
  ['{ type: eks, name: shop, region: eu-west-1 }', { name: 'shop', region: 'eu-west-1', account: undefined }],
  [
    `{ type: eks, name: shop, roleArn: "${role}" }`,
    { name: 'shop', region: undefined, account: '222222222222' },
  ],
  [`{ type: eks, arn: "${arn}" }`, { name: 'shop', region: 'eu-west-1', account: '222222222222' }],
];
for (const [access, place] of places) {
  test(`${access} is a place`, () => {
    const [cluster] = configOf(`clusters: [{ name: a, access: ${access} }]`).clusters;
    assert.ok(cluster?.access.type === 'eks');
    assert.deepEqual(placeOf(cluster.access), place);
  });
}

const refused: readonly (readonly [string, RegExp])[] = [
  ['clusters: [{ name: a, access: { type: eks } }]', /clusters\.0\.access: give either name or arn/],
  [`clusters: [{ name: a, access: { type: eks, name: shop, arn: "${arn}" } }]`, /give either name or arn/],
  [
    `clusters: [{ name: a, access: { type: eks, arn: "${arn}", region: eu-west-1 } }]`,
    /the arn tells the region: leave region out/,
  ],
  ['clusters: [{ name: a, access: { type: eks, arn: shop } }]', /must be the ARN of an EKS cluster/],
  [
    'clusters: [{ name: a, access: { type: eks, name: shop, externalId: x1 } }]',
    /externalId goes with a roleArn/,
  ],
  ['discovery: [{ tags: {} }]', /discovery\.0\.tags: name at least one tag/],
  ['discovery: [{ tags: { a: b }, roleArn: trueup }]', /must be the ARN of an IAM role/],
  ['discovery: [{ tags: { a: b }, externalId: x1 }]', /externalId goes with a roleArn/],
  ['discovery: [{ tags: { a: b }, namePrefix: EU_ }]', /must be lower-case letters, digits and dashes/],
  ['{}', /clusters: name a cluster, or a discovery/],
];
for (const [yaml, fault] of refused) {
  test(`refused: ${yaml}`, () => assert.throws(() => configOf(yaml), fault));
}
