import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ECRClient } from '@aws-sdk/client-ecr';
import { EcrCredentials, ecrRegion } from '../../adapters/ecr-credentials.ts';
import { Blocked } from '../../core/errors.ts';
import { TestServer } from '../charts/chart-server.ts';
import { ManualClock } from '../fakes/manual-clock.ts';

const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };

function clientFor(server: TestServer) {
  return (region: string) =>
    new ECRClient({ region, credentials, endpoint: `http://${server.host}`, maxAttempts: 1 });
}

test('a token is kept for an hour, and asked for in the region of the registry', async () => {
  await using server = await TestServer.start();
  let count = 0;
  server.routes.set('/', () => {
    count += 1;
    const data = [{ authorizationToken: Buffer.from(`AWS:${count}`).toString('base64') }];
    return [
      200,
      JSON.stringify({ authorizationData: data }),
      { 'content-type': 'application/x-amz-json-1.1' },
    ];
  });
  const clock = new ManualClock();
  const ecr = new EcrCredentials(clock, clientFor(server));
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  assert.equal(await ecr.basic('eu-west-1'), basic('AWS:1'));
  assert.equal(await ecr.basic('eu-west-1'), basic('AWS:1'));
  assert.equal(await ecr.basic('us-east-1'), basic('AWS:2'));
  clock.advance(3_600_001);
  assert.equal(await ecr.basic('eu-west-1'), basic('AWS:3'));
});

test('a right that is missing is Blocked, with its name', async () => {
  await using server = await TestServer.start();
  server.serve('/', 403, JSON.stringify({ __type: 'AccessDeniedException' }));
  const ecr = new EcrCredentials(new ManualClock(), clientFor(server));
  const error = await ecr.basic('eu-west-1').catch((thrown: unknown) => thrown);
  assert.ok(error instanceof Blocked);
  assert.match(error.message, /AWS refused ecr:GetAuthorizationToken/);
});

test('private registries are known by their host', () => {
  assert.equal(ecrRegion('123456789012.dkr.ecr.eu-west-1.amazonaws.com'), 'eu-west-1');
  assert.equal(ecrRegion('123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn'), 'cn-north-1');
  assert.equal(ecrRegion('public.ecr.aws'), undefined);
  assert.equal(ecrRegion('123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example'), undefined);
});
