import type { KubernetesSchemas } from '../core/policies/kubernetes-schemas.ts';

/** What is known of Kubernetes' own kinds, read when it is first asked for: 300 KB that few functions need. */
export async function readKubernetesSchemas(): Promise<KubernetesSchemas> {
  const { default: schemas } = await import('../core/policies/kubernetes-schemas.json', {
    with: { type: 'json' },
  });
  return schemas;
}
