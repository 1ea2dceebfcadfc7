import { gitHostContract } from '../contract/git-host-contract.ts';
import { hostKinds } from '../host-apis/host-kinds.ts';
import { hostStarter } from '../host-apis/host-starter.ts';

const start = hostStarter();

for (const [name, kind] of Object.entries(hostKinds)) gitHostContract(name, () => start(kind));
