import { Stop } from '../core/errors.ts';

/** Where a chart lies in an OCI registry, as it is asked for. */
interface OciAddress {
  /** With the port, unless that is 443. */
  readonly host: string;
  /** Without a slash at either end. */
  readonly name: string;
}

/** Names as the distribution specification has them, in any case: no dot segment, and nothing that URLs respell. */
const form =
  /^oci:\/\/(?:[-.a-z0-9]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)+$/i;

/**
 * Every address of a chart goes through here, whether an application, a Chart.lock or a kustomization names it. Throws
 * Stop for one that could be read as another: `oci://HOST/acme/../victim` is not below `oci://HOST/acme`.
 */
export function parseOci(oci: string): OciAddress {
  const url = form.test(oci) ? URL.parse(oci.replace(/^oci:/, 'https:')) : null;
  if (url !== null) return { host: url.host, name: url.pathname.slice(1) };
  const message =
    'is no oci://HOST/PATH/CHART of letters and digits with - . _ between them; mend the address';
  throw new Stop({ subject: `charts ${oci.slice(0, 200)}`, message });
}

/** Whether a declared source, `oci://HOST/PATH`, holds the address. */
export function isBelow({ host, name }: OciAddress, declared: string): boolean {
  if (!declared.startsWith('oci://')) return false;
  const source = URL.parse(declared.replace(/^oci:/, 'https:'));
  return source?.host === host && `/${name}`.startsWith(`${source.pathname.replace(/\/+$/, '')}/`);
}
