import assert from 'node:assert/strict';
import { after } from 'node:test';
import type { HostUnderTest } from '../contract/git-host-contract.ts';
import { startHostServer, type HostServer, type HostServerOptions } from './host-server.ts';
import { HostWorld } from './host-world.ts';
import { worldUnderTest, type WorldTraits } from './world-under-test.ts';

export type HostKind = WorldTraits &
  Omit<HostServerOptions, 'routes'> & {
    readonly routes: (world: HostWorld) => HostServerOptions['routes'];
  };

export interface StartedHost extends HostUnderTest {
  readonly world: HostWorld;
  readonly server: HostServer;
}

/** Starts hosts anew for each test of a file; at its end no server may have seen what its API does not know. */
export function hostStarter(): (kind: HostKind) => Promise<StartedHost> {
  const servers: HostServer[] = [];
  after(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
    assert.deepEqual(
      servers.flatMap(({ complaints }) => complaints),
      [],
    );
  });
  return async (kind) => {
    const world = new HostWorld();
    const server = await startHostServer({ ...kind, routes: kind.routes(world) });
    servers.push(server);
    return { ...worldUnderTest(world, server, kind), world, server };
  };
}
