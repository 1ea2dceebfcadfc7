/** One line of an audit log as kube-apiserver writes it, at `at` (milliseconds since the epoch): alice patches a Deployment. */
export function auditLine(at: number, change: AuditChange = {}): string {
  const {
    id = `a-${at}`,
    user = 'alice',
    verb = 'patch',
    resource = 'deployments',
    manager = 'kubectl-edit',
  } = change;
  const { namespace = 'web', name = 'front' } = change;
  const group = change.group ?? (resource === 'deployments' ? 'apps' : '');
  const objectRef = {
    resource,
    namespace,
    ...(name !== '' && { name }),
    ...(group !== '' && { apiGroup: group }),
  };
  return JSON.stringify({
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'RequestResponse',
    auditID: id,
    stage: 'ResponseComplete',
    requestURI: `/x?fieldManager=${manager}${change.dryRun === true ? '&dryRun=All' : ''}`,
    verb,
    user: { username: user, groups: ['developers'] },
    sourceIPs: ['192.0.2.7'],
    userAgent: 'kubectl/v1.36.3 (linux/amd64) kubernetes/0f29094',
    objectRef: { ...objectRef, ...(change.subresource !== undefined && { subresource: change.subresource }) },
    responseStatus: { code: change.code ?? 200 },
    requestObject: { data: { password: 'not-for-records' } },
    responseObject: { metadata: { name }, data: { password: 'not-for-records' } },
    requestReceivedTimestamp: new Date(at).toISOString(),
    stageTimestamp: new Date(at + 20).toISOString(),
  });
}

export interface AuditChange {
  readonly id?: string;
  readonly user?: string;
  readonly verb?: string;
  readonly group?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly namespace?: string;
  /** Empty: none. */
  readonly name?: string;
  readonly manager?: string;
  readonly code?: number;
  readonly dryRun?: boolean;
}

/** What a subscribed function gets once it is unpacked. */
export function logPayload(messages: readonly string[], logGroup = '/aws/eks/east/cluster') {
  return {
    messageType: 'DATA_MESSAGE',
    owner: '000000000000',
    logGroup,
    logStream: 'kube-apiserver-audit-0123',
    subscriptionFilters: ['trueup'],
    logEvents: messages.map((message, index) => ({ id: String(index), timestamp: 0, message })),
  };
}
