import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import ssh2, { type Connection, type ServerChannel } from 'ssh2';
import { gitEnvironment } from './git-command.ts';

export interface SshGitServer {
  readonly port: number;
  /** A line of known_hosts for this server. */
  readonly knownHost: string;
  /** What clients asked to run. */
  readonly commands: readonly string[];
  /** Ways to authenticate that clients tried. */
  readonly methods: readonly string[];
  stop(): Promise<void>;
}

export interface SshKey {
  readonly private: string;
  readonly public: string;
}

export function newSshKey(): SshKey {
  return ssh2.utils.generateKeyPairSync('ed25519');
}

/** Serves the bare repositories of a folder by `git upload-pack` over SSH on 127.0.0.1, to one public key. */
export async function startSshGitServer(dir: string, allowed: SshKey): Promise<SshGitServer> {
  const hostKey = newSshKey();
  const allowedKey = ssh2.utils.parseKey(allowed.public);
  if (allowedKey instanceof Error) throw allowedKey;
  const commands: string[] = [];
  const methods: string[] = [];
  const server = new ssh2.Server({ hostKeys: [hostKey.private] }, (client: Connection) => {
    client.on('error', () => undefined);
    client.on('authentication', (context) => {
      methods.push(context.method);
      const isAllowed = context.method === 'publickey' && context.key.data.equals(allowedKey.getPublicSSH());
      if (isAllowed) context.accept();
      else context.reject(['publickey']);
    });
    client.on('session', (accept) => {
      accept().on('exec', (acceptExec, _reject, { command }) => {
        commands.push(command);
        serve(dir, command, acceptExec());
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the SSH server got no port');
  const { port } = address;
  const knownHost = `[127.0.0.1]:${port} ${hostKey.public.trim()}`;
  const stop = async () => {
    server.close();
    await once(server, 'close');
  };
  return { port, knownHost, commands, methods, stop };
}

function serve(dir: string, command: string, channel: ServerChannel): void {
  const [, path] = /^git-upload-pack '\/([\w./-]+)'$/.exec(command) ?? [];
  if (path === undefined) {
    channel.stderr.write('only git-upload-pack is served\n');
    channel.exit(1);
    channel.end();
    return;
  }
  const child = spawn('git', ['upload-pack', join(dir, path)], {
    env: { ...gitEnvironment(), GIT_PROTOCOL: 'version=2' },
  });
  channel.pipe(child.stdin);
  child.stdin.on('error', () => undefined);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  child.on('close', (code) => {
    channel.exit(code ?? 1);
    channel.end();
  });
}
