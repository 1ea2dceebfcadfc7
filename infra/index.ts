/** What a CDK app of yours imports. */
export { ClusterAccess } from './cluster-access.ts';
export type { ClusterAccessProps } from './cluster-access.ts';
export type { Network, NetworkProps } from './network.ts';
export { TrueUp } from './trueup.ts';
export type { ClusterProps, TrueUpProps } from './trueup.ts';
export type { StackConfigInput } from '../core/contract/config.ts';
