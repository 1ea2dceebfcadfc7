import * as z from 'zod';
import { Stop } from '../core/errors.ts';
import { guardedFetch, statusFault, type GuardedAnswer, type Reach } from './guarded-fetch.ts';
import { assertDigest } from './helm-repository.ts';

const maxManifestBytes = 4 * 1024 * 1024;
const maxPages = 100;

const manifestTypes = 'application/vnd.oci.image.manifest.v1+json';
const indexTypes = 'application/vnd.oci.image.index.v1+json';
const annotationsSchema = z.record(z.string(), z.string()).nullish();
const descriptorSchema = z.object({
  mediaType: z.string(),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  size: z.number().int().nonnegative(),
  annotations: annotationsSchema,
});
const manifestSchema = z.object({
  config: descriptorSchema,
  layers: z.array(descriptorSchema).max(100),
  annotations: annotationsSchema,
});
const indexSchema = z.object({
  manifests: z.array(descriptorSchema.extend({ artifactType: z.string().nullish() })),
});
const imageSchema = z.object({
  config: descriptorSchema.nullish(),
  manifests: z
    .array(
      descriptorSchema.extend({
        platform: z.object({ os: z.string(), architecture: z.string() }).nullish(),
      }),
    )
    .max(1000)
    .nullish(),
  annotations: annotationsSchema,
});
const tagsSchema = z.object({ tags: z.array(z.string()).nullish() });
/** Types under which images are kept, those of Docker's own format too: of one platform, and of several. */
const imageTypes = [
  manifestTypes,
  indexTypes,
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
].join(', ');
const tokenSchema = z.object({ token: z.string().optional(), access_token: z.string().optional() });

export type OciDescriptor = z.infer<typeof descriptorSchema>;
export interface OciManifest extends z.infer<typeof manifestSchema> {
  /** `sha256:` and hex, of the manifest itself. */
  readonly digest: string;
}

/** Of one platform where it has a `config`, of several where it has `manifests`. */
export interface OciImage extends z.infer<typeof imageSchema> {
  readonly digest: string;
}

/** One repository of an OCI registry, and what it may be asked with. */
export interface OciAccess {
  /** `https://HOST`, or http on loopback. */
  readonly origin: string;
  /** Name in the registry, e.g. `stefanprodan/charts/podinfo`. */
  readonly name: string;
  readonly reach: Reach;
  /** `Basic …`, for the registry or for whoever gives out its tokens. */
  readonly basic: string | undefined;
  readonly secret: string | undefined;
}

/** Reads one repository over the distribution API. Digests are checked of all that it gives. */
export class OciRepository {
  readonly #access: OciAccess;
  #authorization: string | undefined;

  constructor(access: OciAccess) {
    this.#access = access;
  }

  /** All tags, page by page; none where there is no such repository. */
  async tags(): Promise<readonly string[]> {
    const tags: string[] = [];
    let next: string | undefined = `/v2/${this.#access.name}/tags/list?n=1000`;
    for (let page = 0; page < maxPages && next !== undefined; page += 1) {
      const answer = await this.#ask(next, maxManifestBytes);
      if (answer.status === 404) return [];
      const { body, headers } = this.#good(answer, 'tags');
      tags.push(...(this.#parse(body, tagsSchema, 'list of tags').tags ?? []));
      next = /<([^>]+)>;\s*rel="?next"?/.exec(headers.get('link') ?? '')?.[1];
    }
    return tags;
  }

  /** Of a tag, or of a digest. Throws Stop when there is none. */
  async manifest(reference: string): Promise<OciManifest> {
    const found = await this.find(reference);
    if (found !== undefined) return found;
    const { reach, name, secret } = this.#access;
    throw statusFault(reach, 404, `${name} ${reference}`, secret);
  }

  /** The same; undefined when there is none. */
  async find(reference: string): Promise<OciManifest | undefined> {
    const found = await this.#manifest(reference, manifestTypes);
    if (found === undefined) return undefined;
    return { ...this.#parse(found.body, manifestSchema, 'manifest'), digest: found.digest };
  }

  /** An image of one platform or of several, as it is kept; undefined when there is none. */
  async image(reference: string): Promise<OciImage | undefined> {
    const found = await this.#manifest(reference, imageTypes);
    if (found === undefined) return undefined;
    return { ...this.#parse(found.body, imageSchema, 'manifest of an image'), digest: found.digest };
  }

  async #manifest(
    reference: string,
    accept: string,
  ): Promise<{ readonly body: Uint8Array; readonly digest: string } | undefined> {
    const path = `/v2/${this.#access.name}/manifests/${reference}`;
    const answer = await this.#ask(path, maxManifestBytes, { accept });
    if (answer.status === 404) return undefined;
    const { body, headers } = this.#good(answer, reference);
    const promised = reference.startsWith('sha256:') ? reference : headers.get('docker-content-digest');
    const digest = promised ?? '';
    const what = `the manifest of ${reference}`;
    if (!/^sha256:[0-9a-f]{64}$/.test(digest)) {
      throw new Stop({ subject: this.#access.reach.subject, message: `gives no sha256 digest with ${what}` });
    }
    assertDigest(body, digest.slice('sha256:'.length), what, this.#access.reach.subject);
    return { body, digest };
  }

  /** Content of a layer. `bytes`: the most that is read. */
  async blob({ digest, size }: OciDescriptor, bytes: number): Promise<Uint8Array> {
    const { subject } = this.#access.reach;
    if (size > bytes)
      throw new Stop({ subject, message: `holds a layer of ${size} bytes; up to ${bytes} are read` });
    const { body } = this.#good(await this.#ask(`/v2/${this.#access.name}/blobs/${digest}`, bytes), digest);
    assertDigest(body, digest.slice('sha256:'.length), 'a layer', subject);
    return body;
  }

  /**
   * Digests of the manifests that refer to this one and are of a type; where the registry has no such list (or gives it
   * to nobody), of the tag that stands in for it.
   */
  async referrers(digest: string, artifactType: string): Promise<readonly string[]> {
    const { name } = this.#access;
    const type = encodeURIComponent(artifactType);
    const stand = `/v2/${name}/manifests/${digest.replace(':', '-')}`;
    for (const path of [`/v2/${name}/referrers/${digest}?artifactType=${type}`, stand]) {
      const { status, headers, body } = await this.#ask(path, maxManifestBytes, { accept: indexTypes });
      if (status !== 200 || headers.get('content-type')?.startsWith(indexTypes) !== true) continue;
      const { manifests } = this.#parse(body, indexSchema, 'list of referrers');
      return manifests.flatMap((one) => (one.artifactType === artifactType ? [one.digest] : []));
    }
    return [];
  }

  async #ask(
    path: string,
    bytes: number,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<GuardedAnswer> {
    const { origin, reach } = this.#access;
    const url = new URL(path, origin);
    const ask = () => guardedFetch(url.href, reach, { headers, bytes, authorization: this.#authorization });
    const answer = await ask();
    if (answer.status !== 401) return answer;
    this.#authorization = await this.#authorize(answer.headers.get('www-authenticate') ?? '');
    return ask();
  }

  #good(answer: GuardedAnswer, what: string): GuardedAnswer {
    const { reach, secret, name } = this.#access;
    if (answer.status === 200) return answer;
    throw statusFault(reach, answer.status, `${name} ${what}`, secret);
  }

  /** Basic, or a token from where the registry says: that host must be declared as well. */
  async #authorize(challenge: string): Promise<string> {
    const { basic, reach, secret, name } = this.#access;
    const [, scheme = '', rest = ''] = /^(\w+)\s*(.*)$/.exec(challenge) ?? [];
    const fields = new Map(
      [...rest.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]),
    );
    const realm = fields.get('realm');
    if (scheme.toLowerCase() === 'basic' && basic !== undefined) return basic;
    if (scheme.toLowerCase() !== 'bearer' || realm === undefined || !URL.canParse(realm)) {
      throw statusFault(reach, 401, name, secret);
    }
    const url = new URL(realm);
    const service = fields.get('service');
    if (service !== undefined) url.searchParams.set('service', service);
    url.searchParams.set('scope', fields.get('scope') ?? `repository:${name}:pull`);
    const answer = await guardedFetch(url.href, reach, { bytes: 64 * 1024, authorization: basic });
    if (answer.status !== 200) throw statusFault(reach, answer.status, `a token for ${name}`, secret);
    const { token, access_token: other } = this.#parse(answer.body, tokenSchema, 'token');
    return `Bearer ${token ?? other ?? ''}`;
  }

  #parse<T>(body: Uint8Array, schema: z.ZodType<T>, what: string): T {
    const { subject } = this.#access.reach;
    let json: unknown;
    try {
      json = JSON.parse(Buffer.from(body).toString('utf8'));
    } catch {
      throw new Stop({ subject, message: `gives a ${what} that is not JSON; is this an OCI registry?` });
    }
    const parsed = schema.safeParse(json);
    if (parsed.success) return parsed.data;
    throw new Stop({ subject, message: `gives a ${what} of another form than OCI has` });
  }
}
