import type { ObjectRef } from '../core/model/object.ts';
import { CliError } from './cli-error.ts';

/**
 * What a person names: `Deployment/web`, `Deployment/shop/web`, `Deployment.apps/shop/web`, or as tables show it,
 * `Deployment shop/web`; of the kind, case is no matter. Throws CliError for what names nothing.
 */
export function meantBy(object: string): (ref: ObjectRef) => boolean {
  const [kind = '', ...place] = object.split(/[/ ]/);
  const name = place.at(-1);
  const namespace = place.length > 1 ? place[0] : undefined;
  if (name === undefined || name === '' || kind === '' || place.length > 2) {
    throw new CliError(
      `${object}: say KIND/NAME or KIND/NAMESPACE/NAME, such as Deployment/shop/web. \`trueup get --app NAME -o name\` lists them.`,
    );
  }
  return (ref) =>
    [ref.kind, `${ref.kind}.${ref.group}`].some((one) => one.toLowerCase() === kind.toLowerCase()) &&
    ref.name === name &&
    (namespace === undefined || (ref.namespace ?? '') === namespace);
}

/** As `-o name` prints it, and as every verb takes it. */
export function nameOfObject({ group, kind, namespace, name }: ObjectRef): string {
  const kinds = group === '' ? kind : `${kind}.${group}`;
  return [kinds, ...(namespace === undefined ? [] : [namespace]), name].join('/');
}
