import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as z from 'zod';
import { flatten, ofType, sample, synthesize } from './synthesized.ts';

const statementSchema = z.object({
  Action: z.union([z.string(), z.array(z.string())]),
  Resource: z.unknown(),
});

test('the snapshot function may read the declared registries of ECR, and the secrets of the others', () => {
  const registry = 'oci://123456789012.dkr.ecr.eu-west-1.amazonaws.com';
  using synthesized = synthesize({
    ...sample,
    sources: {
      charts: [
        { url: `${registry}/charts` },
        { url: 'https://charts.example/stable', secret: 'acme/charts' },
        { url: 'oci://ghcr.io/acme' },
      ],
    },
  });
  const statements = ofType(synthesized.resources, 'AWS::IAM::Policy').flatMap(([name, { Properties }]) =>
    name.includes('Snapshot')
      ? z.object({ PolicyDocument: z.object({ Statement: z.array(statementSchema) }) }).parse(Properties)
          .PolicyDocument.Statement
      : [],
  );
  const rights = statements.flatMap(({ Action, Resource }) =>
    [Action]
      .flat()
      .flatMap((action) => [Resource].flat().map((resource) => `${action} ${flatten(resource)}`)),
  );
  const found = rights
    .filter((right) => right.startsWith('ecr:') || right.includes('acme/charts'))
    .toSorted();
  const repository = 'arn:<Partition>:ecr:eu-west-1:123456789012:repository/charts/*';
  assert.deepEqual(found, [
    `ecr:BatchGetImage ${repository}`,
    'ecr:GetAuthorizationToken *',
    `ecr:GetDownloadUrlForLayer ${repository}`,
    `ecr:ListImages ${repository}`,
    'secretsmanager:GetSecretValue arn:<Partition>:secretsmanager:<Region>:<AccountId>:secret:acme/charts-??????',
  ]);
});
