import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { after, describe, test } from 'node:test';
import { ApiClient, type ApiAccess } from '../../adapters/api-client.ts';
import { connectionFault } from '../../adapters/api-fault.ts';
import { ApiCluster } from '../../adapters/cluster.ts';
import { RequestGate } from '../../adapters/request-gate.ts';
import { Blocked, Retry } from '../../core/errors.ts';
import { ManualClock } from '../fakes/manual-clock.ts';

const servers: Server[] = [];
after(() => servers.forEach((server) => server.close()));

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** An API server that answers each request with the next of these; what it was asked is kept. */
async function scripted(answers: readonly Answer[], access: Partial<ApiAccess> = {}) {
  const asked: { readonly line: string; readonly authorization: string | undefined }[] = [];
  const port = await listen(
    createServer((request, response) => {
      const answer = answers[asked.length];
      asked.push({ line: `${request.method} ${request.url}`, authorization: request.headers.authorization });
      answer?.(request, response);
    }),
  );
  const clock = new ManualClock();
  const server = { cluster: 'b', server: `http://127.0.0.1:${port}` };
  const client = new ApiClient({ ...server, ...access }, clock, () => clock.now() + 60_000);
  return { cluster: new ApiCluster(client), client, clock, asked, server: server.server };
}

const status = (code: number, message: string, headers: Record<string, string> = {}): Answer => {
  return (_, response) => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify({ kind: 'Status', message, code }));
  };
};
const hangUp: Answer = (request) => request.socket.destroy();
const object: Answer = (_, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', uid: 'one', resourceVersion: '1' },
    }),
  );
};

const address = { apiVersion: 'v1', plural: 'configmaps', namespace: 'web', name: 'a' };
const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } };
const options = { dryRun: false, force: true } as const;

/** What a promise rejects with. */
async function rejection(promise: Promise<unknown>): Promise<Error> {
  const error: unknown = await promise.then(
    () => new Error('nothing was thrown'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof Error);
  return error;
}

describe('answers that mean: not now', () => {
  test('429 was not done: a write too is sent again after the time that the server names', async () => {
    const busy = status(429, 'too many requests', { 'retry-after': '7' });
    const { cluster, clock, asked } = await scripted([busy, busy, object, object]);
    const start = clock.now();
    assert.equal((await cluster.apply(address, configMap, options)).kind, 'applied');
    assert.equal(asked.length, 3);
    assert.ok(clock.now() - start >= 14_000);
    assert.equal((await cluster.get(address))?.metadata.uid, 'one');
  });

  test('a server that stays throttled is a Retry with the delay it names, after five tries or half a minute', async () => {
    const cases = [
      ['1', 5, 1],
      ['20', 2, 20],
      ['120', 1, 120],
    ] as const;
    for (const [delay, tries, afterSeconds] of cases) {
      const busy = status(429, 'too many requests', { 'retry-after': delay });
      const { cluster, asked } = await scripted(Array.from({ length: 9 }, () => busy));
      const error = await rejection(cluster.get(address));
      assert.ok(error instanceof Retry);
      assert.deepEqual([asked.length, error.afterSeconds], [tries, afterSeconds]);
      assert.match(error.message, /answered 429 to GET \/api\/v1\/namespaces\/web\/configmaps\/a/);
    }
  });

  test('an answer that never came, or that the server did not get either, says so', async () => {
    for (const [code, timedOut] of [
      [503, false],
      [504, true],
    ] as const) {
      const { cluster } = await scripted([status(code, 'not now')]);
      const error = await rejection(cluster.apply(address, configMap, options));
      assert.deepEqual(error instanceof Retry && error.timedOut, timedOut, `${code}`);
    }
    const at = { cluster: 'b', server: 'https://b' };
    const silent = connectionFault(at, new DOMException('late', 'TimeoutError'), { connect: 5, request: 15 });
    assert.equal(silent instanceof Retry && silent.timedOut, true);
  });

  test('a rest longer than the run has is not waited for, and nothing is sent meanwhile', async () => {
    const busy = status(429, 'too many requests', { 'retry-after': '20' });
    const { clock, server, asked } = await scripted([busy, object]);
    const until = clock.now() + 30_000;
    const gate = new RequestGate(clock);
    const access = { cluster: 'b', server };
    const short = new ApiCluster(new ApiClient(access, clock, () => until, { gate }));
    for (const text of [/asks for 20 s of rest, longer than this run has/, /asks for 20 s of rest/]) {
      const error = await rejection(short.get(address));
      assert.ok(error instanceof Retry);
      assert.match(error.message, text);
      assert.equal(error.afterSeconds, 20);
    }
    assert.equal(asked.length, 1);
    const patient = new ApiClient(access, clock, () => clock.now() + 90_000, { gate });
    assert.equal((await new ApiCluster(patient).get(address))?.metadata.uid, 'one');
    assert.ok(clock.now() >= until - 10_000, 'another connection to the same cluster waits for the rest');
  });

  test('a kind whose storage is being opened holds up nobody else', async () => {
    const opening = status(429, 'storage is (re)initializing', { 'retry-after': '1' });
    const { clock, server } = await scripted([opening, object]);
    const gate = new RequestGate(clock);
    const access = { cluster: 'b', server };
    const cluster = new ApiCluster(new ApiClient(access, clock, () => clock.now() + 60_000, { gate }));
    assert.equal((await cluster.get(address))?.metadata.uid, 'one');
    assert.deepEqual([gate.rate, gate.pauseMs], [400, 0]);
  });

  test('a read is sent once more where a busy server names a time; a write is not', async () => {
    for (const code of [503, 504]) {
      const busy = status(code, 'shutting down', { 'retry-after': '2' });
      const { cluster, asked } = await scripted([busy, object, busy, busy, busy, status(code, 'down')]);
      assert.equal((await cluster.get(address))?.metadata.uid, 'one');
      assert.ok((await rejection(cluster.get(address))) instanceof Retry);
      assert.equal(asked.length, 4);
      assert.ok((await rejection(cluster.apply(address, configMap, options))) instanceof Retry);
      assert.equal(asked.length, 5);
      assert.ok((await rejection(cluster.get(address))) instanceof Retry);
      assert.equal(asked.length, 6);
    }
  });

  test('5xx is a Retry with the words of the server, for reads, applies and deletions', async () => {
    const words = 'Internal error occurred: failed calling webhook "v.example.org": connection refused';
    const { cluster } = await scripted([status(500, words), status(500, words), status(503, words)]);
    const precondition = { uid: 'one', resourceVersion: '1' };
    const calls = [
      () => cluster.get(address),
      () => cluster.apply(address, configMap, options),
      () => cluster.delete(address, precondition),
    ];
    for (const call of calls) {
      const error = await rejection(call());
      assert.ok(error instanceof Retry);
      assert.ok(error.message.includes(words), error.message);
      assert.match(error.message, /the admission webhook v\.example\.org could not be called/);
    }
  });

  test('a refusal by an admission webhook is an answer about the object', async () => {
    const words = 'admission webhook "v.example.org" denied the request: no limits set';
    const { cluster } = await scripted([status(403, words)]);
    assert.deepEqual(await cluster.apply(address, configMap, options), { kind: 'refused', message: words });
  });

  test('a read that is forbidden is Blocked and says what to grant', async () => {
    const { cluster } = await scripted([status(403, 'configmaps "a" is forbidden')]);
    const error = await rejection(cluster.get(address));
    assert.ok(error instanceof Blocked);
    assert.match(
      error.message,
      /does not let us get configmaps web\/a \(403: .* forbidden\); grant trueup's role/,
    );
  });
});

describe('credentials', () => {
  test('a token that ran out is renewed once; the request is repeated', async () => {
    const fresh: boolean[] = [];
    const authorization = async (renew: boolean) => {
      fresh.push(renew);
      return renew ? 'Bearer new' : 'Bearer old';
    };
    const { cluster, asked } = await scripted([status(401, 'Unauthorized'), object], { authorization });
    assert.equal((await cluster.get(address))?.metadata.uid, 'one');
    assert.deepEqual(fresh, [false, true]);
    assert.deepEqual(
      asked.map(({ authorization: sent }) => sent),
      ['Bearer old', 'Bearer new'],
    );
  });

  test('a fresh token that is refused is Blocked, and the token is not in the text', async () => {
    const authorization = async () => 'Bearer very-secret';
    const { cluster } = await scripted([status(401, 'Unauthorized'), status(401, 'Unauthorized')], {
      authorization,
    });
    const error = await rejection(cluster.get(address));
    assert.ok(error instanceof Blocked);
    assert.match(error.message, /did not accept our credentials \(401\); renew the kubeconfig in its secret/);
    assert.ok(!JSON.stringify([error.message, error.stack]).includes('very-secret'));
  });
});

describe('connections', () => {
  test('a read whose connection broke is sent again, once', async () => {
    const { cluster, asked } = await scripted([hangUp, object]);
    assert.equal((await cluster.get(address))?.metadata.uid, 'one');
    assert.equal(asked.length, 2);
    const broken = await scripted([hangUp, hangUp]);
    assert.ok((await rejection(broken.cluster.get(address))) instanceof Retry);
  });

  test('an apply whose connection broke is not: whether it was done is for the next run to find out', async () => {
    const { cluster, asked } = await scripted([hangUp, object]);
    const error = await rejection(cluster.apply(address, configMap, options));
    assert.ok(error instanceof Retry);
    assert.match(error.message, /the connection broke/);
    assert.equal(asked.length, 1);
  });

  test('refused and unknown hosts are Retries that say which and what to check', async () => {
    const clock = new ManualClock();
    const cases = [
      [
        'https://127.0.0.1:1',
        /^cluster b at https:\/\/127\.0\.0\.1:1: the connection was refused; check that/,
      ],
      [
        'https://no-such-host.invalid',
        /^cluster b at .*: its host name (does not resolve|could not be looked up)/,
      ],
    ] as const;
    for (const [server, text] of cases) {
      const client = new ApiClient({ cluster: 'b', server }, clock, () => clock.now() + 60_000);
      const error = await rejection(new ApiCluster(client).resources());
      assert.ok(error instanceof Retry, error.message);
      assert.match(error.message, text);
    }
  });

  test('a server that takes the connection and says nothing is given up after 5 s', async () => {
    const port = await listen(createTcpServer(() => undefined));
    const clock = new ManualClock();
    const server = `https://127.0.0.1:${port}`;
    const client = new ApiClient({ cluster: 'b', server }, clock, () => clock.now() + 60_000);
    const error = await rejection(new ApiCluster(client).resources());
    assert.ok(error instanceof Retry);
    assert.match(
      error.message,
      /^cluster b at https:\/\/127\.0\.0\.1:\d+: no answer within 5 s; check that it runs/,
    );
  });
});

test('a request that could outlive the deadline is not sent', async () => {
  const { clock, asked, client } = await scripted([object]);
  const late = new ApiCluster(client);
  clock.advance(1);
  assert.notEqual(await late.get(address), undefined);
  const server = `http://127.0.0.1:1`;
  const strict = new ApiClient({ cluster: 'b', server }, clock, () => clock.now() + 14_999);
  const error = await rejection(new ApiCluster(strict).apply(address, configMap, options));
  assert.ok(error instanceof Retry);
  assert.match(error.message, /was not sent: it could not surely end before this run must stop/);
  assert.equal(asked.length, 1);
});

describe('creating only', () => {
  const create = { ...options, createOnly: true } as const;
  const refused = status(
    500,
    'error with field ResourceVersion (field must not be set for a Create request)',
  );

  test('a server that takes no version on a create is looked at first, and never forced', async () => {
    const absent = await scripted([refused, status(404, 'not found'), object]);
    assert.equal((await absent.cluster.apply(address, configMap, create)).kind, 'applied');
    const lines = absent.asked.map(({ line }) => line.replace(/\?.*force=(\w+).*/, ' $1'));
    const path = '/api/v1/namespaces/web/configmaps/a';
    assert.deepEqual(lines, [`PATCH ${path} true`, `GET ${path}`, `PATCH ${path} false`]);
    const there = await scripted([refused, object]);
    assert.equal((await there.cluster.apply(address, configMap, create)).kind, 'conflict');
  });

  test('a conflict over a quota says nothing of the object, and passes in a second', async () => {
    const details = { name: 'compute', kind: 'resourcequotas' };
    const message = 'Operation cannot be fulfilled on resourcequotas "compute": the object has been modified';
    const busy: Answer = (_, response) => {
      response.writeHead(409, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ kind: 'Status', message, reason: 'Conflict', details, code: 409 }));
    };
    const { cluster } = await scripted([busy]);
    await assert.rejects(cluster.apply(address, configMap, create), (error) => {
      return error instanceof Retry && error.afterSeconds === 1;
    });
  });
});
