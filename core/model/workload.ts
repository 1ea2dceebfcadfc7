import type { ObjectRef } from './object.ts';

const kinds = new Set(['Deployment', 'StatefulSet', 'DaemonSet']);

/** Whether its controller replaces its pods, few at a time, when their template changes. */
export function isRestartable({ group, kind }: ObjectRef): boolean {
  return group === 'apps' && kinds.has(kind);
}
