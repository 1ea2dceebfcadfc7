/** Kubernetes groups that an access entry puts the two roles of an installation into. */
export const accessGroups = { reconcile: 'trueup:reconcile', sweep: 'trueup:sweep' } as const;

/** One kind as rights name it. */
export interface GrantedKind {
  /** Empty for the core group. */
  readonly group: string;
  readonly plural: string;
}

export interface Grants {
  /** What applications consist of. */
  readonly kinds: readonly GrantedKind[];
  /** What charts look up, and which is only read. */
  readonly readOnly?: readonly GrantedKind[];
  /** Users, service accounts among them, and groups that applications are applied as. */
  readonly impersonated?: { readonly users: readonly string[]; readonly groups: readonly string[] };
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** A manifest for `kubectl apply`. */
export interface RbacManifest {
  readonly apiVersion: 'rbac.authorization.k8s.io/v1';
  readonly kind: 'ClusterRole' | 'ClusterRoleBinding' | 'Role' | 'RoleBinding';
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

const apiGroup = 'rbac.authorization.k8s.io';
const apiVersion = `${apiGroup}/v1` as const;

/** Most of what applications consist of, where nobody says more exactly: no custom kinds and no RBAC. */
export const commonKinds: readonly GrantedKind[] = [
  ...kindsOf(
    '',
    'configmaps',
    'namespaces',
    'persistentvolumeclaims',
    'secrets',
    'serviceaccounts',
    'services',
  ),
  ...kindsOf('apps', 'daemonsets', 'deployments', 'statefulsets'),
  ...kindsOf('autoscaling', 'horizontalpodautoscalers'),
  ...kindsOf('batch', 'cronjobs', 'jobs'),
  ...kindsOf('networking.k8s.io', 'ingresses', 'networkpolicies'),
  ...kindsOf('policy', 'poddisruptionbudgets'),
];

/** Whether a definition changed decides what a check may remember of its objects. */
const definitions = kindsOf('apiextensions.k8s.io', 'customresourcedefinitions');

/** An apply that creates needs both; nothing is replaced whole (`update`) and nothing is watched. */
const applyVerbs = ['get', 'list', 'create', 'patch', 'delete'];
/** A check is a dry run of an apply over what is there: Kubernetes asks for the same right as for the apply. */
const checkVerbs = ['get', 'list', 'patch'];
const readVerbs = ['get', 'list'];

/**
 * The least that an installation needs in a cluster: for each of the two groups a ClusterRole and its binding. Over all
 * namespaces, since objects are found by lists of all of them; by kind, and for no kind that is not named. Where
 * applications are applied as service accounts, a Role for both groups in the namespace of each.
 */
export function rbacManifests({ kinds, readOnly = [], impersonated }: Grants): readonly RbacManifest[] {
  const read = rules([...readOnly, ...definitions], readVerbs);
  const { users = [], groups = [] } = impersonated ?? {};
  const as = impersonationRules(users, groups);
  return [
    ...granted(accessGroups.reconcile, [...rules(kinds, applyVerbs), ...read, ...as]),
    ...granted(accessGroups.sweep, [...rules(kinds, checkVerbs), ...read, ...as]),
    ...accountRoles(users),
  ];
}

function kindsOf(group: string, ...plurals: string[]): readonly GrantedKind[] {
  return plurals.map((plural) => ({ group, plural }));
}

/** A rule for each API group, sorted: the same rights are the same text. */
function rules(kinds: readonly GrantedKind[], verbs: readonly string[]): readonly Rule[] {
  const groups = Map.groupBy(kinds, ({ group }) => group);
  return [...groups]
    .map(([group, of]) => ({
      apiGroups: [group],
      resources: [...new Set(of.map(({ plural }) => plural))].sort(),
      verbs,
    }))
    .sort((one, other) => (String(one.apiGroups) < String(other.apiGroups) ? -1 : 1));
}

const accountName = /^system:serviceaccount:([^:]+):([^:]+)$/;

function impersonationRules(users: readonly string[], groups: readonly string[]): readonly Rule[] {
  const named = { users: users.filter((user) => !accountName.test(user)), groups };
  return Object.entries(named).flatMap(([resource, names]) => impersonating(resource, names));
}

function impersonating(resource: string, names: readonly string[]): readonly Rule[] {
  if (names.length === 0) return [];
  const resourceNames = [...new Set(names)].sort();
  return [{ apiGroups: [''], resources: [resource], verbs: ['impersonate'], resourceNames }];
}

/** In a ClusterRole the name of an account would stand for those of that name in every namespace. */
function accountRoles(users: readonly string[]): readonly RbacManifest[] {
  const accounts = users.flatMap((user) => {
    const [, namespace, account] = accountName.exec(user) ?? [];
    return namespace === undefined || account === undefined ? [] : [{ namespace, account }];
  });
  const name = 'trueup:impersonate';
  return [...Map.groupBy(accounts, ({ namespace }) => namespace)].flatMap(
    ([namespace, of]): RbacManifest[] => {
      const metadata = { name, namespace };
      const ours = impersonating(
        'serviceaccounts',
        of.map(({ account }) => account),
      );
      return [
        { apiVersion, kind: 'Role', metadata, rules: ours },
        {
          apiVersion,
          kind: 'RoleBinding',
          metadata,
          roleRef: { apiGroup, kind: 'Role', name },
          subjects: Object.values(accessGroups).map((group) => ({ apiGroup, kind: 'Group', name: group })),
        },
      ];
    },
  );
}

function granted(group: string, of: readonly Rule[]): readonly RbacManifest[] {
  const metadata = { name: group };
  return [
    { apiVersion, kind: 'ClusterRole', metadata, rules: of },
    {
      apiVersion,
      kind: 'ClusterRoleBinding',
      metadata,
      roleRef: { apiGroup, kind: 'ClusterRole', name: group },
      subjects: [{ apiGroup, kind: 'Group', name: group }],
    },
  ];
}
