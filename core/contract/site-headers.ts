/**
 * What the dashboard is served with, on this machine and by CloudFront alike: no script but its own files, no frame around
 * it, no word of it to others. `connect`: origins besides its own that it may ask, such as that of the sign-in.
 */
export function siteHeaders(connect: readonly string[]): Readonly<Record<string, string>> {
  return {
    'content-security-policy': [
      "default-src 'none'",
      "script-src 'self'",
      // Layouts are computed: rows and nodes are put in place by style attributes.
      "style-src 'self' 'unsafe-inline'",
      "img-src 'self' data: blob:",
      "font-src 'self'",
      `connect-src ${["'self'", ...connect].join(' ')}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  };
}

/**
 * Header in which the bearer token of a request comes: CloudFront writes its own signature into `authorization` on the way to
 * the function. No browser sends it by itself, and no other origin may: there is nothing to forge a request with.
 */
export const tokenHeader = 'x-trueup-authorization';

/** Whether what the browser has is what it would be given: `If-None-Match` is a list, of tags that a proxy may have weakened. */
export function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  const tags = (ifNoneMatch ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes(etag) || tags.includes('*');
}
