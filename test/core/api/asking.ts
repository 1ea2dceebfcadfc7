import assert from 'node:assert/strict';
import { answerApi, type ApiAnswer } from '../../../core/api.ts';
import { targetDetailSchema } from '../../../core/api/contract.ts';
import { everywhere, type Person } from '../../../core/api/person.ts';
import { keys, prefixes } from '../../../core/contract/keys.ts';
import { updateDocument } from '../../../core/documents.ts';
import { desiredPointerSchema } from '../../../core/model/desired.ts';
import type { Target } from '../../../core/model/target.ts';
import { simulatedFleet } from '../../browser/simulated-fleet.ts';
import { RecordingBus } from '../../fakes/recorders.ts';

export const ada = everywhere('ada@example.com', 'admin');
export const vic = everywhere('vic@example.com', 'viewer');
/** Of another project than everything but `pay`. */
export const pat: Person = { name: 'pat@example.com', grants: [{ role: 'operator', projects: ['pay'] }] };
export const bus = new RecordingBus();
/** One simulation for all that is asked: it takes seconds. */
export const fleet = await simulatedFleet();
export const all: readonly Target[] = await targetsOf();
/** In the project `pay`; the others name none. */
export const pay: Target = all.at(-1) ?? assert.fail();
await updateDocument(fleet.deps.store, keys.desired(pay), desiredPointerSchema, (pointer) =>
  pointer === undefined ? undefined : { ...pointer, settings: { ...pointer.settings, project: 'pay' } },
);

async function targetsOf(): Promise<readonly Target[]> {
  const names = await Array.fromAsync(fleet.deps.store.list(prefixes.desired));
  return names.map((key) => {
    const [cluster = '', file = ''] = key.slice(prefixes.desired.length).split('/');
    return { cluster, application: file.slice(0, -'.json'.length) };
  });
}

export const at = (target: Target, rest = ''): string =>
  `targets/${target.cluster}/${target.application}${rest}`;

export async function get(
  path: string,
  query: Record<string, string> = {},
  person = ada,
): Promise<ApiAnswer> {
  return answerApi({ method: 'GET', path, query, person }, { ...fleet.deps, bus });
}

export async function post(path: string, body: unknown = {}, person = ada): Promise<ApiAnswer> {
  return answerApi({ method: 'POST', path, query: {}, body, person }, { ...fleet.deps, bus });
}

export const statusOf = (answer: ApiAnswer): number =>
  answer.kind === 'answer' ? 200 : answer.problem.status;
export const bodyOf = (answer: ApiAnswer): unknown =>
  answer.kind === 'answer' ? answer.body : assert.fail(JSON.stringify(answer.problem));
export const detailOf = async (target: Target) => targetDetailSchema.parse(bodyOf(await get(at(target))));
