import type { KubeObject } from '../../../core/model/object.ts';
import type { TestCluster } from '../../cluster/test-cluster.ts';
import type { Workbench } from '../drift/workbench.ts';
import { basesOf, liveOf, proveKind, type KindProof } from './mutations.ts';

/** Proves one object of each of the kinds, all that there are when none are named; what it made is gone afterwards. */
export async function proveKinds(
  testing: TestCluster,
  bench: Workbench,
  { kinds, every = 1 }: { readonly kinds?: readonly string[]; readonly every?: number } = {},
): Promise<readonly KindProof[]> {
  const deps = { client: testing.admin, bench };
  const served = await bench.cluster.resources();
  const proofs: KindProof[] = [];
  const done = new Set<string>();
  for (const base of basesOf(testing.namespace)) {
    const { apiVersion, kind } = base;
    const resource = served.find(
      (each) =>
        each.kind === kind &&
        apiVersion === [each.group, each.version].filter((part) => part !== '').join('/'),
    );
    const isWanted = kinds === undefined || kinds.includes(kind);
    if (!isWanted || done.has(kind) || resource === undefined) continue;
    done.add(kind);
    const object = resource.namespaced ? base : withoutNamespace(base);
    const path = await bench.pathOf(object);
    await testing.admin.apply(path, object, 'kubectl');
    try {
      const live = await liveOf(deps, object);
      proofs.push(await proveKind(deps, live, { every }));
    } finally {
      // The test's namespace goes as a whole.
      if (!resource.namespaced) await testing.admin.remove(path);
    }
  }
  return proofs;
}

function withoutNamespace(object: KubeObject): KubeObject {
  const { namespace: _namespace, ...metadata } = object.metadata;
  return { ...object, metadata: { ...metadata, name: object.metadata.name } };
}
