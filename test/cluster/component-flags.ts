/** Where the parts of one control plane find each other and their files; all paths are absolute. */
export interface Wiring {
  readonly dir: string;
  readonly etcdPort: number;
  readonly apiserverPort: number;
  readonly auditLogPath?: string | undefined;
  readonly webhookConfigPath?: string | undefined;
}

/** The files of a control plane, by what they hold. */
export function filesIn(dir: string) {
  return {
    etcdData: `${dir}/etcd`,
    certificates: `${dir}/certificates`,
    servingCertificate: `${dir}/certificates/apiserver.crt`,
    authority: `${dir}/ca.crt`,
    serviceAccountKey: `${dir}/service-account.key`,
    tokens: `${dir}/tokens.csv`,
    auditPolicy: `${dir}/audit-policy.json`,
    stages: `${dir}/kwok-stages.yaml`,
    kubeconfig: `${dir}/kubeconfig.yaml`,
    kubeconfigOf: (component: string) => `${dir}/${component}.kubeconfig.yaml`,
    logOf: (component: string) => `${dir}/${component}.log`,
  };
}

/** Without fsync: the data ends with the test, and a write takes a tenth of the time. */
export function etcdFlags({ dir, etcdPort }: Pick<Wiring, 'dir' | 'etcdPort'>): string[] {
  const url = `http://127.0.0.1:${etcdPort}`;
  return [
    `--data-dir=${filesIn(dir).etcdData}`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    // No peer ever comes: any free port does.
    '--listen-peer-urls=http://127.0.0.1:0',
    '--unsafe-no-fsync',
    '--log-level=warn',
  ];
}

/** RBAC, admission and priority are those of a real cluster; certificates are made by the server itself. */
export function apiserverFlags(wiring: Wiring): string[] {
  const files = filesIn(wiring.dir);
  return [
    `--etcd-servers=http://127.0.0.1:${wiring.etcdPort}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${wiring.apiserverPort}`,
    `--cert-dir=${files.certificates}`,
    '--authorization-mode=RBAC',
    `--token-auth-file=${files.tokens}`,
    `--service-account-key-file=${files.serviceAccountKey}`,
    `--service-account-signing-key-file=${files.serviceAccountKey}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    '--service-cluster-ip-range=10.96.0.0/16',
    '--allow-privileged=true',
    ...(wiring.auditLogPath === undefined
      ? []
      : [`--audit-policy-file=${files.auditPolicy}`, `--audit-log-path=${wiring.auditLogPath}`]),
    ...(wiring.webhookConfigPath === undefined
      ? []
      : [
          `--authentication-token-webhook-config-file=${wiring.webhookConfigPath}`,
          '--authentication-token-webhook-version=v1',
          // The shortest memory: a test that turns a token off sees it refused a second later.
          '--authentication-token-webhook-cache-ttl=1s',
        ]),
  ];
}

/** Each controller acts under its own service account, as in a real cluster. Port 0: nobody asks it anything. */
export function controllerManagerFlags(dir: string): string[] {
  const files = filesIn(dir);
  return [
    `--kubeconfig=${files.kubeconfigOf('kube-controller-manager')}`,
    `--service-account-private-key-file=${files.serviceAccountKey}`,
    `--root-ca-file=${files.authority}`,
    '--use-service-account-credentials',
    // The default of 5 s is how long a new Node keeps its not-ready taint, and so how long Pods would wait.
    '--node-monitor-period=1s',
    // With the default of 20 requests a second its start, a service account per controller, takes 5 s longer.
    '--kube-api-qps=500',
    '--kube-api-burst=1000',
    '--leader-elect=false',
    '--secure-port=0',
    // kwok renews the nodes' leases; on a busy machine it may be late, and kwok never makes a pod Ready twice.
    '--node-monitor-grace-period=1h',
  ];
}

export function schedulerFlags(dir: string): string[] {
  const kubeconfig = filesIn(dir).kubeconfigOf('kube-scheduler');
  return [`--kubeconfig=${kubeconfig}`, '--leader-elect=false', '--secure-port=0'];
}

export function kwokFlags(dir: string): string[] {
  const files = filesIn(dir);
  return [
    `--kubeconfig=${files.kubeconfigOf('kwok')}`,
    `--config=${files.stages}`,
    '--manage-all-nodes=true',
    '--node-port=0',
  ];
}

/**
 * What EKS writes to its audit log for a write: request and response, except for what holds secrets, of which only
 * who, what and when. Reads, leases and events are left out, or they would be most of it.
 */
export const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    { level: 'None', verbs: ['get', 'list', 'watch'] },
    { level: 'None', resources: [{ group: 'coordination.k8s.io', resources: ['leases'] }] },
    {
      level: 'None',
      resources: [
        { group: '', resources: ['events'] },
        { group: 'events.k8s.io', resources: ['events'] },
      ],
    },
    {
      level: 'Metadata',
      resources: [
        { group: '', resources: ['secrets', 'serviceaccounts/token'] },
        { group: 'authentication.k8s.io', resources: ['tokenreviews'] },
      ],
    },
    { level: 'RequestResponse' },
  ],
};

/** A webhook configuration in kubeconfig form: kube-apiserver asks `url` about every token it does not know. */
export function webhookConfig(url: string, caFile: string | undefined) {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'webhook',
    clusters: [
      {
        name: 'webhook',
        cluster: { server: url, ...(caFile === undefined ? {} : { 'certificate-authority': caFile }) },
      },
    ],
    users: [{ name: 'apiserver', user: {} }],
    contexts: [{ name: 'webhook', context: { cluster: 'webhook', user: 'apiserver' } }],
  };
}
