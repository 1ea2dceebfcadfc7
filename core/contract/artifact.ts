import * as z from 'zod';

// Repositories that are no Git: one archive in an OCI registry or in S3.

/** Names as the distribution specification has them: no dot segment, and nothing that URLs respell. */
const ociForm =
  /^oci:\/\/(?:[-.a-z0-9]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)+$/;
/** No wildcard or variable of an IAM policy, where the key is written to allow the reading of this object alone. */
const s3Form =
  /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/([\w!.'()=+@,:-][\w!.'()/=+@,: -]{0,800}\.(?:tgz|tar\.gz|zip))$/;

/** Which kind of repository a url is of; `git` for all that begins with neither oci:// nor s3://. */
export function kindOf(url: string): 'git' | 'oci' | 's3' {
  if (url.startsWith('oci://')) return 'oci';
  return url.startsWith('s3://') ? 's3' : 'git';
}

/** Why this is no url of an artifact; undefined where it is one, and for what is neither oci:// nor s3://. */
export function whyNoArtifact(url: string): string | undefined {
  const kind = kindOf(url);
  if (kind === 'oci' && !ociForm.test(url)) {
    return 'must have the form oci://HOST[:PORT]/NAME in lower case, without user, tag or digest';
  }
  if (kind === 's3' && !s3Form.test(url)) {
    return 'must have the form s3://BUCKET/KEY, with a key that ends in .tar.gz, .tgz or .zip and holds no * ? $ or the like';
  }
  return undefined;
}

/** Bucket and key of an S3 object that is a repository. */
export function s3ObjectOf(url: string): { readonly bucket: string; readonly key: string } | undefined {
  const [, bucket, key] = s3Form.exec(url) ?? [];
  return bucket === undefined || key === undefined ? undefined : { bucket, key };
}

/** Account, region and name of a repository in a private registry of ECR. */
export function ecrRepositoryOf(
  url: string,
): { readonly account: string; readonly region: string; readonly name: string } | undefined {
  const [, account, region, name] =
    /^oci:\/\/([0-9]{12})\.dkr\.ecr(?:-fips)?\.([-a-z0-9]+)\.amazonaws\.com(?:\.cn)?\/(.+)$/.exec(url) ?? [];
  if (account === undefined || region === undefined || name === undefined) return undefined;
  return { account, region, name };
}

export const digestSchema = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 hex digits');

/** How a registry, or a Helm repository, is reached, where that takes more than its name. */
export const registrySchema = z.strictObject({
  secret: z
    .string()
    .min(1)
    .exactOptional()
    .describe('Secrets Manager name of USER:PASSWORD; absent: public, or ECR by the rights of the function'),
  hosts: z
    .array(z.string().regex(/^(?:\*\.)?[a-z0-9][-.a-z0-9]*(?::[0-9]+)?$/, 'must be a host name, or *.DOMAIN'))
    .max(20)
    .default([])
    .describe('other hosts that contents may lie on, that it redirects to, or that give out tokens'),
  internal: z
    .boolean()
    .default(false)
    .describe('its addresses may be private ones, such as those of a VPC; link-local ones never'),
});
