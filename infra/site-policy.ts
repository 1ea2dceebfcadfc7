import { Duration } from 'aws-cdk-lib/core';
import { HeadersReferrerPolicy, ResponseHeadersPolicy } from 'aws-cdk-lib/aws-cloudfront';
import type { Construct } from 'constructs';
import { siteHeaders } from '../core/contract/site-headers.ts';

/** Headers of the site as `trueup ui` sends them too, and that nobody comes back without TLS. */
export function headersPolicy(scope: Construct, origins: readonly string[]): ResponseHeadersPolicy {
  const {
    'content-security-policy': contentSecurityPolicy = '',
    'referrer-policy': _,
    'x-content-type-options': __,
    ...others
  } = siteHeaders(origins);
  return new ResponseHeadersPolicy(scope, 'Headers', {
    comment: 'What the dashboard of trueup is served with',
    securityHeadersBehavior: {
      contentSecurityPolicy: { contentSecurityPolicy, override: true },
      contentTypeOptions: { override: true },
      referrerPolicy: { referrerPolicy: HeadersReferrerPolicy.NO_REFERRER, override: true },
      strictTransportSecurity: { accessControlMaxAge: Duration.days(365), override: true },
    },
    customHeadersBehavior: {
      customHeaders: Object.entries(others).map(([header, value]) => ({ header, value, override: true })),
    },
  });
}
