import { describeRef } from '../model/object.ts';
import type { Resolution } from '../plan.ts';
import { membershipOf, whyObjectOutside, whyOutside } from '../project.ts';
import type { RunContext } from './run-context.ts';

/** A refusal is read in one line of a status; the rest is told by its number. */
const mostTold = 5;

/**
 * The same, or refused as a whole where the project of the application, as it is configured now, does not allow it: a
 * change of the configuration takes hold with the next run, without a push.
 */
export function withinProject(
  { goal, request, deps }: RunContext,
  resolution: Resolution,
  originOf: (ref: Resolution['objects'][number]['ref']) => string | undefined,
): Resolution {
  const { repository } = goal.pointer;
  const membership = membershipOf(goal.settings.project, repository, deps.config);
  if (membership.kind === 'refused') return { ...resolution, refusal: membership.why };
  const { rules } = membership;
  if (rules === undefined) return resolution;
  const elsewhere = whyOutside(rules, 'clusters', request.target.cluster);
  const objects = resolution.objects.flatMap(({ object, ref, address }) => {
    const namespaced = address.namespace !== undefined;
    const why = whyObjectOutside(rules, { object, namespaced }, address.namespace ?? '');
    if (why === undefined) return [];
    const origin = originOf(ref);
    return [`${describeRef(ref)}${origin === undefined ? '' : ` (${origin})`}: ${why}`];
  });
  const whys = [...(elsewhere === undefined ? [] : [elsewhere]), ...objects];
  if (whys.length === 0) return resolution;
  const rest = whys.length > mostTold ? `; and ${whys.length - mostTold} more` : '';
  return { ...resolution, refusal: `${whys.slice(0, mostTold).join('; ')}${rest}` };
}
