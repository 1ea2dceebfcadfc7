import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, beforeEach, test } from 'node:test';
import { STSClient } from '@aws-sdk/client-sts';
import { AssumedRoles } from '../../adapters/assumed-roles.ts';
import { Blocked, Retry } from '../../core/errors.ts';

// STS as it answers on the wire: what is asked, how often, and what becomes of refusals.

const role = 'arn:aws:iam::222222222222:role/trueup';
const start = Date.UTC(2026, 10, 23, 12);
const minute = 60_000;

let sts: Server;
let requests: URLSearchParams[] = [];
let refuse: { status: number; code: string } | undefined;
let now = start;
const clock = { now: () => now };

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  requests.push(new URLSearchParams(await text(request)));
  response.setHeader('content-type', 'text/xml');
  if (refuse !== undefined) {
    response.statusCode = refuse.status;
    const fault = `<Error><Type>Sender</Type><Code>${refuse.code}</Code><Message>no</Message></Error>`;
    response.end(`<ErrorResponse>${fault}</ErrorResponse>`);
    return;
  }
  const expiration = new Date(now + 60 * minute).toISOString();
  const keys = `<AccessKeyId>ASIA${requests.length}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>`;
  const given = `<Credentials>${keys}<Expiration>${expiration}</Expiration></Credentials>`;
  response.end(`<AssumeRoleResponse><AssumeRoleResult>${given}</AssumeRoleResult></AssumeRoleResponse>`);
}

before(async () => {
  sts = createServer((request, response) => void answer(request, response));
  await new Promise<void>((done) => sts.listen(0, '127.0.0.1', done));
});
after(() => {
  sts.closeAllConnections();
  sts.close();
});
beforeEach(() => {
  requests = [];
  refuse = undefined;
  now = start;
});

function rolesOf(): AssumedRoles {
  const endpoint = `http://127.0.0.1:${(sts.address() as AddressInfo).port}`;
  const credentials = { accessKeyId: 'AKID', secretAccessKey: 'secret' };
  return new AssumedRoles(
    'acme',
    clock,
    new STSClient({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 }),
  );
}

async function keyOf(roles: AssumedRoles, externalId?: string): Promise<string | undefined> {
  const given = externalId === undefined ? { roleArn: role } : { roleArn: role, externalId };
  return (await roles.of(given).credentials?.())?.accessKeyId;
}

test('without a role there is nothing to take on', () => {
  assert.deepEqual(rolesOf().of({}), {});
});

test('a role is taken on once for all its clusters, by a session that says who it is, and anew before it ends', async () => {
  const roles = rolesOf();
  const both = await Promise.all([keyOf(roles, 'ours'), keyOf(roles, 'ours')]);
  assert.deepEqual(both, ['ASIA1', 'ASIA1']);
  const [asked] = requests;
  assert.deepEqual(
    ['RoleArn', 'RoleSessionName', 'ExternalId', 'DurationSeconds'].map((name) => asked?.get(name)),
    [role, 'trueup-acme', 'ours', '3600'],
  );
  now = start + 49 * minute;
  assert.equal(await keyOf(roles, 'ours'), 'ASIA1');
  now = start + 51 * minute;
  assert.deepEqual(await Promise.all([keyOf(roles, 'ours'), keyOf(roles, 'ours')]), ['ASIA2', 'ASIA2']);
  assert.equal(await keyOf(roles), 'ASIA3');
});

test('keys that still hold are used while STS is away', async () => {
  const roles = rolesOf();
  assert.equal(await keyOf(roles), 'ASIA1');
  refuse = { status: 503, code: 'ServiceUnavailable' };
  now = start + 55 * minute;
  assert.equal(await keyOf(roles), 'ASIA1');
  now = start + 61 * minute;
  await assert.rejects(keyOf(roles), Retry);
  refuse = undefined;
  assert.equal(await keyOf(roles), 'ASIA4');
});

test('a refusal is Blocked with what to do, shows no key, and is not remembered', async () => {
  const roles = rolesOf();
  refuse = { status: 403, code: 'AccessDenied' };
  await assert.rejects(keyOf(roles, 'ours'), (error) => {
    assert.ok(error instanceof Blocked, String(error));
    assert.match(
      error.message,
      /role arn:aws:iam::222222222222:role\/trueup: AWS does not let trueup take it on/,
    );
    assert.match(error.message, /the external id of the stack configuration was given/);
    assert.ok(!error.message.includes('ours'));
    return true;
  });
  refuse = undefined;
  assert.equal(await keyOf(roles, 'ours'), 'ASIA2');
});
