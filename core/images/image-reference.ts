/** An image as manifests name it, in parts. */
export interface ImageReference {
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
}

const digestPattern = /^sha256:[0-9a-f]{64}$/;
const tagPattern = /^[A-Za-z0-9_][-.A-Za-z0-9_]{0,127}$/;

/** `HOST/PATH:TAG@DIGEST`; undefined for what is none. A port is no tag. */
export function parseImage(text: string): ImageReference | undefined {
  const [named = '', digest, ...more] = text.split('@');
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const [repository, tag] = colon < 0 ? [named] : [named.slice(0, colon), named.slice(colon + 1)];
  const isGood =
    more.length === 0 &&
    /^[a-z0-9][-._:/a-z0-9]*$/.test(repository) &&
    (tag === undefined || tagPattern.test(tag)) &&
    (digest === undefined || digestPattern.test(digest));
  if (!isGood) return undefined;
  return { repository, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
}

export function formatImage({ repository, tag, digest }: ImageReference): string {
  return `${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** One spelling of each repository: `nginx` is `docker.io/library/nginx`. */
export function canonicalRepository(repository: string): string {
  const [first = '', ...rest] = repository.split('/');
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  const host = isHost ? first : 'docker.io';
  const path = isHost ? rest.join('/') : repository;
  const hub = host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host;
  return hub === 'docker.io' && !path.includes('/') ? `docker.io/library/${path}` : `${hub}/${path}`;
}

export function isSameRepository(a: string, b: string): boolean {
  return canonicalRepository(a) === canonicalRepository(b);
}
