/** Log group to which EKS writes the logs of a control plane, by the name of the EKS cluster. */
export function auditLogGroup(eksName: string): string {
  return `/aws/eks/${eksName}/cluster`;
}

/** What CloudWatch Logs allows: the length of a filter pattern, and subscriptions of one log group. */
export const subscriptionLimits = { characters: 1024, filters: 2 } as const;

// CloudWatch Logs calls a condition false, `!=` too, where the log line has no such field: hence each NOT EXISTS.
const clauses = [
  '$.stage = "ResponseComplete"',
  '$.responseStatus.code >= 200 && $.responseStatus.code < 300',
  '($.verb = "create" || $.verb = "update" || $.verb = "patch" || $.verb = "delete*")',
  // `kubectl scale` and its like write the object itself; status, tokens and bindings are none of its wishes.
  '($.objectRef.subresource NOT EXISTS || $.objectRef.subresource = "scale" || $.objectRef.subresource = "resize" || $.objectRef.subresource = "ephemeralcontainers")',
  // Written all the time, by controllers that people installed too, and desired by nobody.
  '$.objectRef.resource != "leases" && $.objectRef.resource != "events" && $.objectRef.resource != "*accessreviews" && $.objectRef.resource != "tokenreviews"',
  '($.userAgent NOT EXISTS || ($.userAgent != "trueup" && $.userAgent != "trueup/*"))',
  '($.user.username != "system:*" || $.user.username = "system:serviceaccount:*" || $.user.username = "system:admin" || $.user.username = "system:anonymous")',
  '$.user.username != "system:serviceaccount:kube-system:*" && $.user.username != "eks:*"',
];

/**
 * Which lines of a control plane's logs are passed on: completed, successful writes, not to status, not by us, not by the
 * parts of the cluster itself. What it cannot say (dry runs, whose objects they are) the function that reads them does.
 */
export const auditFilterPattern = `{ ${clauses.join(' && ')} }`;
