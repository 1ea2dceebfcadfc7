import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { git, gitEnvironment } from './git-command.ts';

/** What the CGI program is to do: the request's path below the folder of repositories, and its query. */
export interface BackendRequest {
  projectRoot: string;
  path: string;
  query: string;
  user: string;
}

let execPath: Promise<string> | undefined;

async function backendProgram(): Promise<string> {
  execPath ??= git('/', ['--exec-path']);
  return join(await execPath, 'git-http-backend');
}

function variables(incoming: IncomingMessage, request: BackendRequest): NodeJS.ProcessEnv {
  const header = (name: string) => {
    const value = incoming.headers[name];
    return typeof value === 'string' ? value : '';
  };
  return {
    ...gitEnvironment(),
    GIT_PROJECT_ROOT: request.projectRoot,
    GIT_HTTP_EXPORT_ALL: '1',
    REQUEST_METHOD: incoming.method,
    PATH_INFO: request.path,
    QUERY_STRING: request.query,
    CONTENT_TYPE: header('content-type'),
    // Absent in a chunked push: git then reads to the end of its input.
    ...(incoming.headers['content-length'] === undefined ? {} : { CONTENT_LENGTH: header('content-length') }),
    HTTP_CONTENT_ENCODING: header('content-encoding'),
    HTTP_GIT_PROTOCOL: header('git-protocol'),
    REMOTE_USER: request.user,
    REMOTE_ADDR: incoming.socket.remoteAddress,
  };
}

const endOfHead = Buffer.from('\r\n\r\n');

function writeHead(response: ServerResponse, head: string): void {
  response.statusCode = 200;
  for (const line of head.split('\r\n')) {
    const colon = line.indexOf(':');
    const [name, value] = [line.slice(0, colon), line.slice(colon + 1).trim()];
    if (name.toLowerCase() === 'status') response.statusCode = Number.parseInt(value, 10);
    else response.setHeader(name, value);
  }
}

/** Runs `git http-backend` for one request. Writes everything but the end of the response, so that a caller can act first. */
export async function runHttpBackend(
  incoming: IncomingMessage,
  response: ServerResponse,
  request: BackendRequest,
): Promise<void> {
  const child = spawn(await backendProgram(), { env: variables(incoming, request), stdio: 'pipe' });
  const ended = once(child, 'close');
  incoming.pipe(child.stdin);
  // The backend may answer and end before it has read all of a refused push.
  child.stdin.on('error', () => incoming.resume());
  child.stderr.resume();
  let head: Buffer | undefined = Buffer.alloc(0);
  child.stdout.on('data', (chunk: Buffer) => {
    if (head === undefined) {
      response.write(chunk);
      return;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf(endOfHead);
    if (end < 0) return;
    writeHead(response, head.subarray(0, end).toString('latin1'));
    response.write(head.subarray(end + endOfHead.length));
    head = undefined;
  });
  await ended;
  if (head !== undefined) response.statusCode = 500;
}
