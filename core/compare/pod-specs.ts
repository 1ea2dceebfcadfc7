import { isJsonObject, type JsonObject } from '../model/json.ts';
import { membersOf } from '../model/json-parts.ts';
import type { KubeObject } from '../model/object.ts';

/** Of a Pod, of a workload, and of the Job that a CronJob makes. */
export function podSpecs(object: KubeObject): readonly JsonObject[] {
  return podTemplates(object).flatMap(({ spec }) => (isJsonObject(spec) ? [spec] : []));
}

/** Labels that the Pods of a workload have; undefined for what makes no Pods. */
export function podLabels(object: KubeObject): JsonObject | undefined {
  const [template] = podTemplates(object);
  if (template === undefined) return undefined;
  const metadata = membersOf(template['metadata']);
  return membersOf(metadata['labels']);
}

function podTemplates(object: KubeObject): readonly JsonObject[] {
  const spec = membersOf(object['spec']);
  if (object.kind === 'Pod') return [object];
  const job = membersOf(membersOf(spec['jobTemplate'])['spec']);
  return [spec['template'], job['template']].filter(isJsonObject);
}
