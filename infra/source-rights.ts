import { ArnFormat, Stack, Validations } from 'aws-cdk-lib/core';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { ecrRepositoryOf, s3ObjectOf } from '../core/contract/artifact.ts';
import type { RepositoryConfig, StackConfig } from '../core/contract/config.ts';
import { codeCommitOf } from '../core/contract/repository.ts';
import { flattened } from './flattened.ts';
import type { TrueUpFunction } from './trueup-function.ts';

interface EcrPlace {
  readonly account: string;
  readonly region: string;
  /** Of a repository; `PREFIX/*` for all below it. */
  readonly name: string;
}

/** To read the repositories of ECR, and the objects of S3, that the stack configuration names; nothing else of either. */
export function allowSources(to: TrueUpFunction, { repositories, sources }: StackConfig): void {
  const artifacts = repositories.flatMap(({ url, registry }) => {
    const place = registry?.secret === undefined ? ecrRepositoryOf(url) : undefined;
    return place === undefined ? [] : [place];
  });
  const charts = sources.charts.flatMap(({ url, secret }) => {
    // A source is what the names of charts begin with.
    const place = secret === undefined ? ecrRepositoryOf(`${url}/*`) : undefined;
    return place === undefined ? [] : [place];
  });
  allowEcr(to, [...artifacts, ...charts]);
  allowObjects(
    to,
    repositories.map(({ url }) => url),
  );
}

/** To read images of the declared parts of ECR, and their tags. */
export function allowImageSources(to: TrueUpFunction, { sources }: StackConfig): void {
  const places = sources.images.flatMap(({ url, secret }) => {
    // What is declared may be an image itself, or what the names of images begin with.
    return secret === undefined ? [url, `${url}/*`].flatMap((one) => ecrRepositoryOf(one) ?? []) : [];
  });
  allowEcr(to, places);
}

function allowEcr(to: TrueUpFunction, places: readonly EcrPlace[]): void {
  if (places.length === 0) return;
  to.allow(new PolicyStatement({ actions: ['ecr:GetAuthorizationToken'], resources: ['*'] }));
  Validations.of(to).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason: 'GetAuthorizationToken knows no resources; what the token may read, the other statements say.',
  });
  const actions = ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer', 'ecr:ListImages'];
  const arns = places.map(({ account, region, name }) =>
    Stack.of(to).formatArn({ service: 'ecr', region, account, resource: 'repository', resourceName: name }),
  );
  to.allow(new PolicyStatement({ actions, resources: [...new Set(arns)] }));
  for (const arn of arns.filter((one) => one.endsWith('*'))) {
    Validations.of(to).acknowledge({
      id: `AwsSolutions-IAM5[Resource::${flattened(Stack.of(to).resolve(arn))}]`,
      reason:
        'The stack configuration declares charts or images below this name; which there are, applications say.',
    });
  }
}

function allowObjects(to: TrueUpFunction, urls: readonly string[]): void {
  const arns = urls.flatMap((url) => {
    const place = s3ObjectOf(url);
    if (place === undefined) return [];
    const resource = `${place.bucket}/${place.key}`;
    return [Stack.of(to).formatArn({ service: 's3', region: '', account: '', resource })];
  });
  if (arns.length === 0) return;
  // The version that was the newest is read, although a newer one came meanwhile.
  const actions = ['s3:GetObject', 's3:GetObjectVersion'];
  to.allow(new PolicyStatement({ actions, resources: [...new Set(arns)] }));
}

/** To do this with the repositories of CodeCommit among these, and nothing else of CodeCommit. */
export function allowCodeCommit(
  to: TrueUpFunction,
  repositories: readonly Pick<RepositoryConfig, 'url'>[],
  actions: string[],
): void {
  const arns = repositories.flatMap(({ url }) => {
    const place = codeCommitOf(url);
    if (place === undefined) return [];
    const { region, name: resource } = place;
    const arnFormat = ArnFormat.NO_RESOURCE_NAME;
    return [Stack.of(to).formatArn({ service: 'codecommit', region, resource, arnFormat })];
  });
  if (arns.length === 0) return;
  to.allow(new PolicyStatement({ actions, resources: [...new Set(arns)] }));
}
