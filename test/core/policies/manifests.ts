import { kubeObjectSchema, type KubeObject } from '../../../core/model/object.ts';
import { readYaml } from '../../../core/yaml/read-yaml.ts';

/** Objects of a text with several documents. */
export function manifests(yaml: string): readonly KubeObject[] {
  return readYaml('a.yaml', yaml).map(({ value }) => kubeObjectSchema.parse(value));
}
