import assert from 'node:assert/strict';
import { after } from 'node:test';
import { gitHostContract, type HostUnderTest } from '../contract/git-host-contract.ts';
import { startHostServer, type HostServer, type HostServerOptions } from './host-server.ts';
import { HostWorld } from './host-world.ts';
import { worldUnderTest, type WorldTraits } from './world-under-test.ts';

type HostSuite = WorldTraits &
  Omit<HostServerOptions, 'routes'> & {
    readonly routes: (world: HostWorld) => HostServerOptions['routes'];
  };

export interface StartedHost extends HostUnderTest {
  readonly world: HostWorld;
  readonly server: HostServer;
}

/** Starts a host anew for each test of a file; at its end no server may have seen what its API does not know. */
function hostStarter(suite: HostSuite): () => Promise<StartedHost> {
  const servers: HostServer[] = [];
  after(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
    assert.deepEqual(
      servers.flatMap(({ complaints }) => complaints),
      [],
    );
  });
  return async () => {
    const world = new HostWorld();
    const server = await startHostServer({ ...suite, routes: suite.routes(world) });
    servers.push(server);
    return { ...worldUnderTest(world, server, suite), world, server };
  };
}

/** The contract over a host of one kind. */
export function hostSuite(name: string, suite: HostSuite): () => Promise<StartedHost> {
  const start = hostStarter(suite);
  gitHostContract(name, start);
  return start;
}
