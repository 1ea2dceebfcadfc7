import { createInterface } from 'node:readline';

/** What a command found; what it took is added. */
export interface Found {
  readonly objects?: number;
  readonly changed?: number;
  /** Where processes of its own did the work. */
  readonly cpuSeconds?: number;
}

/** The side of the protocol of `peer.ts` that is spoken by a process of Node. Returns when stdin ends. */
export async function servePeer(
  run: (command: string, args: readonly string[]) => Promise<Found>,
): Promise<void> {
  process.stdout.write('{"ready":true}\n');
  for await (const line of createInterface({ input: process.stdin })) {
    const [command = '', ...args] = line.split(' ');
    const cpu = process.cpuUsage();
    const began = performance.now();
    const found: object = await run(command, args).catch((error: unknown) => {
      return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    });
    const seconds = (performance.now() - began) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    const maxRssBytes = process.resourceUsage().maxRSS * 1024;
    const measure = { seconds, cpuSeconds: (user + system) / 1e6, maxRssBytes, ...found };
    process.stdout.write(`${JSON.stringify(measure)}\n`);
  }
}
