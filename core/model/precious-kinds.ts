import type { ObjectRef } from './object.ts';

/** Deleting one of these takes along what no other run can bring back: all that is in it, or the data on a disk. */
const precious = new Set([
  '/Namespace',
  '/PersistentVolume',
  '/PersistentVolumeClaim',
  'apiextensions.k8s.io/CustomResourceDefinition',
]);

/** Whether an object holds what other people put into it. */
export function isPrecious({ group, kind }: Pick<ObjectRef, 'group' | 'kind'>): boolean {
  return precious.has(`${group}/${kind}`);
}
