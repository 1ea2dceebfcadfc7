/** `Deployment shop/web`, of a key `group/kind/namespace/name`. */
export function nameOf(key: string): string {
  const [, kind = '', namespace = '', ...name] = key.split('/');
  return `${kind} ${namespace === '' ? '' : `${namespace}/`}${name.join('/')}`;
}
