import { judged, type Finding, type Seen } from './finding.ts';

export interface FunctionFact {
  /** Such as `sweep`. */
  readonly name: string;
  readonly configuration: Seen<{ readonly state: string; readonly update: string; readonly why: string }>;
  /** Whether Lambda reads each queue for it; empty of a function that reads none. */
  readonly sources: Seen<
    readonly { readonly state: string; readonly why: string; readonly atOnce: number }[]
  >;
  /** Actions on resources that its role needs, and whether IAM would allow each. */
  readonly rights: Seen<
    readonly { readonly action: string; readonly resource: string; readonly isAllowed: boolean }[]
  >;
}

/** Functions that are there, that Lambda feeds, and whose roles may do what they must. */
export function judgeFunctions(functions: readonly FunctionFact[]): readonly Finding[] {
  return functions.flatMap(({ name, configuration, sources, rights }) => [
    ...judged('functions', `function ${name}`, configuration, ({ state, update, why }): Finding[] =>
      state === 'Active' && update !== 'Failed'
        ? [{ area: 'functions', level: 'ok', what: `function ${name} is active` }]
        : [
            {
              area: 'functions',
              level: state === 'Pending' || state === 'Inactive' ? 'warn' : 'fail',
              what: `function ${name} is ${state}, its last update ${update}${why === '' ? '' : `: ${why}`}`,
              todo: 'deploy the stack again',
            },
          ],
    ),
    ...judged('functions', `what feeds function ${name}`, sources, (all) =>
      all
        .filter(({ state }) => state !== 'Enabled')
        .map(({ state, why }): Finding => ({
          area: 'functions',
          level: /^(?:Enabling|Updating|Creating)$/.test(state) ? 'warn' : 'fail',
          what: `function ${name} is not fed: its event source is ${state}${why === '' ? '' : ` (${why})`}`,
          todo: 'enable it with `aws lambda update-event-source-mapping --enabled`, or deploy the stack again',
        })),
    ),
    ...judged('permissions', `the role of function ${name}`, rights, (all) => judgeRights(name, all)),
  ]);
}

function judgeRights(
  name: string,
  rights: readonly { readonly action: string; readonly resource: string; readonly isAllowed: boolean }[],
): readonly Finding[] {
  const denied = rights.filter(({ isAllowed }) => !isAllowed);
  if (denied.length === 0)
    return [
      {
        area: 'permissions',
        level: 'ok',
        what: `the role of function ${name} may do what it must (${rights.length} asked)`,
      },
    ];
  return denied.map(({ action, resource }) => ({
    area: 'permissions' as const,
    level: 'fail' as const,
    what: `the role of function ${name} may not ${action} on ${resource}`,
    todo: 'deploy the stack again; if it stays, a permissions boundary or a policy of the organization denies it',
  }));
}

/**
 * Whether the account has room for all that queues may have worked on at once; `unreserved`: calls that it may have. A new
 * account may have ten. What finds no room counts as tried, so that the work of a busy hour would be given up.
 */
export function judgeConcurrency(
  unreserved: Seen<number>,
  functions: readonly Pick<FunctionFact, 'sources'>[],
): readonly Finding[] {
  const sources = functions.flatMap((one) => ('seen' in one.sources ? one.sources.seen : []));
  const most = sources.reduce((sum, { atOnce }) => sum + atOnce, 0);
  return judged('functions', 'what the account lets run at once', unreserved, (room): Finding[] => {
    const what = `the account may run ${room} functions at once beside what is reserved, and the queues ask for ${most} at most`;
    if (room >= most) return [{ area: 'functions', level: 'ok', what }];
    const todo =
      'ask AWS for more concurrent executions (Service Quotas, Lambda), or lower `concurrency` in the stack configuration: what finds no room is tried again, and after some tries it is given up';
    return [{ area: 'functions', level: 'warn', what, todo }];
  });
}
