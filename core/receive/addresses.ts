import ipaddr from 'ipaddr.js';

/** Whether an address lies in one of the ranges. An IPv4 address counts as such in its IPv6 spelling too. */
export function isAllowed(address: string, ranges: readonly string[]): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return ranges.some((range) => {
    const [network, bits] = ipaddr.parseCIDR(range);
    return network.kind() === parsed.kind() && parsed.match(network, bits);
  });
}
