import assert from 'node:assert/strict';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { randomUUID } from 'node:crypto';
import { delivery, examplesOf } from '../fakes/github-delivery.ts';
import type { WorldPull } from '../host-apis/host-world.ts';
import type { Installation } from './installation.ts';

/** What GitHub says when somebody does something to a pull request. */
export async function tellPull(
  { clients, output, hookUrl, git: host, repository }: Installation,
  action: 'opened' | 'synchronize' | 'closed' | 'labeled',
  { number, branch, into, sha, state }: WorldPull,
): Promise<void> {
  const client = new SecretsManagerClient(clients);
  const SecretId = `${output('hookSecretPrefix')}/github`;
  const { SecretString: secret = '' } = await client.send(new GetSecretValueCommand({ SecretId }));
  client.destroy();
  const [example] = examplesOf('pull_request').filter((one) => one['action'] === 'opened');
  const url = host.url(repository);
  const fullName = new URL(url).pathname.slice(1).replace(/\.git$/, '');
  const own = { full_name: fullName, clone_url: url, html_url: url.replace(/\.git$/, '') };
  const payload = JSON.parse(JSON.stringify(example));
  Object.assign(payload, { action, number });
  Object.assign(payload.repository, own);
  Object.assign(payload.pull_request, { number, state: state === 'open' ? 'open' : 'closed' });
  Object.assign(payload.pull_request.head, { ref: branch, sha });
  Object.assign(payload.pull_request.head.repo, own);
  Object.assign(payload.pull_request.base, { ref: into });
  Object.assign(payload.pull_request.base.repo, own);
  const body = JSON.stringify(payload);
  const signed = delivery({ id: randomUUID(), event: 'pull_request', body, secret });
  const headers = Object.entries(signed.headers).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, value]],
  );
  const answer = await fetch(hookUrl, { method: 'POST', headers, body });
  assert.equal(answer.status, 202, await answer.text());
}
