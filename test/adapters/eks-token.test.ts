import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { test } from 'node:test';
import { EKSClient } from '@aws-sdk/client-eks';
import { eksTokens } from '../../adapters/eks-token.ts';
import { ManualClock } from '../fakes/manual-clock.ts';

const credentials = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'a/secret+key',
  sessionToken: 'session+/==',
};

function tokens(clock = new ManualClock(), region = 'eu-central-1') {
  const { sha256 } = new EKSClient({ region }).config;
  let asked = 0;
  const source = async () => {
    asked += 1;
    return credentials;
  };
  const next = eksTokens({ clusterName: 'shop', region, credentials: source, sha256, clock });
  return { next, clock, asked: () => asked };
}

function urlIn(token: string): URL {
  assert.match(token, /^k8s-aws-v1\.[A-Za-z0-9_-]+$/);
  return new URL(Buffer.from(token.slice('k8s-aws-v1.'.length), 'base64url').toString());
}

/** Signature version 4 as its specification tells it, by hand. */
function signatureOf(url: URL): string {
  const hmac = (key: string | Buffer, text: string): Buffer =>
    createHmac('sha256', key).update(text).digest();
  const hex = (text: string): string => createHash('sha256').update(text).digest('hex');
  const date = url.searchParams.get('X-Amz-Date') ?? '';
  const [, day = '', region = '', service = ''] = (url.searchParams.get('X-Amz-Credential') ?? '').split('/');
  const query = url.search
    .slice(1)
    .split('&')
    .filter((part) => !part.startsWith('X-Amz-Signature='))
    .toSorted()
    .join('&');
  const headers = `host:${url.host}\nx-k8s-aws-id:shop\n`;
  const canonical = ['GET', '/', query, headers, 'host;x-k8s-aws-id', hex('')].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', date, scope, hex(canonical)].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce(
    (current: string | Buffer, part) => hmac(current, part),
    `AWS4${credentials.secretAccessKey}`,
  );
  return hmac(key, toSign).toString('hex');
}

test('a token is a presigned GetCallerIdentity of 60 s with the cluster signed', async () => {
  const { next } = tokens();
  const url = urlIn(await next(false));
  assert.equal(url.origin, 'https://sts.eu-central-1.amazonaws.com');
  assert.deepEqual(
    ['Action', 'X-Amz-Expires', 'X-Amz-SignedHeaders', 'X-Amz-Date', 'X-Amz-Security-Token'].map((name) =>
      url.searchParams.get(name),
    ),
    ['GetCallerIdentity', '60', 'host;x-k8s-aws-id', '20261123T120000Z', 'session+/=='],
  );
  assert.equal(url.searchParams.get('X-Amz-Signature'), signatureOf(url));
});

test('partitions have endpoints of their own', async () => {
  for (const [region, domain] of [
    ['cn-north-1', 'amazonaws.com.cn'],
    ['eusc-de-east-1', 'amazonaws.eu'],
    ['us-gov-west-1', 'amazonaws.com'],
  ] as const) {
    const { next } = tokens(new ManualClock(), region);
    assert.equal(urlIn(await next(false)).host, `sts.${region}.${domain}`);
  }
});

test('tokens are kept until near their expiry, and renewed when one is refused', async () => {
  const { next, clock, asked } = tokens();
  const first = await next(false);
  clock.advance(44_000);
  assert.equal(await next(false), first);
  clock.advance(1_000);
  const second = await next(false);
  assert.notEqual(second, first);
  clock.advance(1_000);
  assert.notEqual(await next(true), second);
  assert.equal(asked(), 3);
});

test('a failure to get credentials is not remembered', async () => {
  const { sha256 } = new EKSClient({ region: 'eu-central-1' }).config;
  let broken = true;
  const source = async () => {
    if (broken) throw new Error('no credentials');
    return credentials;
  };
  const clock = new ManualClock();
  const next = eksTokens({ clusterName: 'shop', region: 'eu-central-1', credentials: source, sha256, clock });
  await assert.rejects(next(false), /no credentials/);
  broken = false;
  assert.match(await next(false), /^k8s-aws-v1\./);
});
