import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultSettings } from '../../core/model/desired.ts';
import { NoticeWorld, everything, shaOf } from './notify/notice-world.ts';

const web = { cluster: 'east', application: 'web' };
const failed = { outcome: 'failed' as const, message: 'Deployment shop/web: the server says no' };
const applied = { outcome: 'applied' as const };

test('a run that fails is told once, and once more when it is over', async () => {
  const world = new NoticeWorld();
  await world.point(web);
  await world.run(web, failed, { health: 'Unknown' });
  assert.deepEqual(await world.told(), ['ops opened error web on east: the run failed']);
  for (let again = 0; again < 5; again += 1) {
    await world.run(web, failed, { health: 'Unknown' });
    assert.deepEqual(await world.told(600), []);
  }
  await world.lookAtAll();
  assert.deepEqual(await world.told(), []);
  await world.run(web, applied, { revision: 1 });
  const [over, ...more] = await world.pass(60);
  assert.deepEqual(more, []);
  assert.equal(over?.notice.title, 'Over: web on east: the run failed');
  assert.match(over.notice.text, /^It lasted 5\d min\.$/);
  assert.equal(over.notice.incident, world.sent[0]?.notice.incident);
  assert.notEqual(over.notice.id, world.sent[0]?.notice.id);
});

test('a message says what happened, to what, what to do, and where to look', async () => {
  const world = new NoticeWorld();
  await world.point(web);
  await world.run(web, failed, { health: 'Unknown' });
  const [sent] = await world.pass(60);
  assert.ok(sent);
  const { text, todo, facts, links, items } = sent.notice;
  assert.equal(text, failed.message);
  assert.match(todo, /trueup history --app web --cluster east .* trueup rollback --app web --cluster east/);
  assert.deepEqual(items, []);
  assert.deepEqual(
    facts.map(({ name }) => name),
    ['Commit', 'Repository', 'Cluster', 'Project', 'Fleet'],
  );
  assert.deepEqual(
    links.map(({ url }) => url),
    [
      'https://eu-west-1.console.aws.amazon.com/s3/object/records?region=eu-west-1&prefix=runs%2Feast%2Fweb',
      `https://github.com/acme/platform/commit/${shaOf('1')}`,
      'https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#dashboards/dashboard/trueup-acme',
    ],
  );
});

test('what is over within half a minute is told to nobody', async () => {
  const world = new NoticeWorld();
  await world.point(web);
  await world.run(web, failed, { health: 'Unknown' });
  await world.pass(15);
  await world.run(web, applied, { health: 'Progressing' });
  assert.deepEqual(await world.told(3600), []);
});

test('one push that fails on 20 clusters is one message, and one when all of it is over', async () => {
  const world = new NoticeWorld();
  const targets = Array.from({ length: 20 }, (_, index) => ({ cluster: `c${index}`, application: 'web' }));
  for (const target of targets) await world.point(target);
  // As runs of one push end: not all in one moment.
  for (const target of targets) {
    await world.run(target, failed, { health: 'Unknown' });
    await world.pass(1);
  }
  const [sent, ...more] = await world.pass(60);
  assert.deepEqual(more, []);
  assert.equal(sent?.notice.title, 'Commit 1111111 of platform: 20 runs failed');
  assert.equal(sent.notice.text, failed.message);
  assert.equal(sent.notice.items.length, 10);
  assert.equal(sent.notice.more, 10);
  for (const target of targets.slice(1)) await world.run(target, applied);
  assert.deepEqual(
    (await world.told()).filter((line) => !line.includes(' info ')),
    [],
  );
  for (const target of targets.slice(0, 1)) await world.run(target, applied);
  assert.deepEqual(
    (await world.told()).filter((line) => !line.startsWith('ops info')),
    ['ops resolved error Over: Commit 1111111 of platform: 20 runs failed'],
  );
});

test('clusters that fail later by the same commit join what is told, at most every five minutes', async () => {
  const world = new NoticeWorld();
  const targets = Array.from({ length: 4 }, (_, index) => ({ cluster: `c${index}`, application: 'web' }));
  const lines: string[] = [];
  for (const target of targets) {
    await world.point(target);
    await world.run(target, failed, { health: 'Unknown' });
    lines.push(...(await world.told(100)));
  }
  lines.push(...(await world.told(600)));
  assert.deepEqual(lines, [
    'ops opened error web on c0: the run failed',
    'ops changed error Also: Commit 1111111 of platform: 3 runs failed (4 in all)',
  ]);
  assert.equal(new Set(world.sent.map(({ notice }) => notice.incident)).size, 1);
});

test('a cluster that fails is one message, whatever commits its applications are at', async () => {
  const world = new NoticeWorld();
  const away = { outcome: 'failed' as const, message: 'cluster east: did not answer' };
  for (let index = 0; index < 8; index += 1) {
    const target = { cluster: 'east', application: `app-${index}` };
    await world.point(target, { sha: shaOf(String(index + 1)) });
    await world.run(target, away, { health: 'Unknown' });
  }
  assert.deepEqual(await world.told(), ['ops opened error east: 8 runs failed']);
});

test('health: Degraded at three in the morning without a push, and back', async () => {
  const world = new NoticeWorld();
  await world.point(web);
  await world.sweep(web, 'Healthy', 'Degraded');
  const [sent] = await world.pass(60);
  assert.equal(sent?.notice.title, 'web on east is Degraded');
  assert.equal(sent.notice.text, 'CrashLoopBackOff');
  await world.sweep(web, 'Degraded', 'Progressing');
  assert.deepEqual(await world.told(), []);
  await world.sweep(web, 'Progressing', 'Healthy');
  assert.deepEqual(await world.told(), ['ops resolved error Over: web on east is Degraded']);
});

test('what flaps is told twice, and then no more until it stays away', async () => {
  const world = new NoticeWorld();
  await world.point(web);
  const lines: string[] = [];
  for (let minute = 0; minute < 6 * 60; minute += 4) {
    await world.sweep(web, 'Healthy', 'Degraded');
    lines.push(...(await world.told(120)));
    await world.sweep(web, 'Degraded', 'Healthy');
    lines.push(...(await world.told(120)));
  }
  assert.deepEqual(
    lines.map((line) => line.split(' ')[1]),
    ['opened', 'resolved', 'opened'],
  );
  assert.deepEqual(await world.told(3 * 3600), ['ops resolved error Over: web on east is Degraded']);
});

test('drift: objects, fields and who, and no value; heals before anybody is told are one line', async () => {
  const world = new NoticeWorld();
  await world.point(web);
  await world.drift(web, 'open');
  const [sent] = await world.pass(60);
  assert.equal(sent?.notice.title, 'web on east has drifted: 1 object');
  assert.equal(sent.notice.severity, 'warning');
  assert.equal(sent.notice.text, 'Deployment shop/web: spec.replicas, by kubectl-edit');
  await world.drift(web, 'healed');
  assert.deepEqual(await world.told(120), ['ops resolved warning Over: web on east has drifted: 1 object']);
  await world.pass(24 * 3600);
  await world.drift(web, 'open');
  await world.drift(web, 'healed');
  const [quick, ...more] = await world.pass(300);
  assert.deepEqual(more, []);
  assert.equal(quick?.notice.phase, 'info');
  assert.equal(quick.notice.title, 'web on east: drift was put right: 1 object');
  assert.equal(quick.notice.text, 'Deployment shop/web: spec.replicas, by kubectl-edit');
});

test('a heal loop is told as one, and its drift is not told beside it', async () => {
  const world = new NoticeWorld();
  await world.point(web);
  await world.drift(web, 'open', { loop: true });
  assert.deepEqual(await world.told(), [
    'ops opened warning web on east: changed again after each heal, and so left alone: 1 object',
  ]);
});

test('a commit that cannot be followed is told with its faults, and so is the next that can', async () => {
  const world = new NoticeWorld();
  const applications = { web: { file: 'applications/web.yaml', clusters: ['east'] } };
  const faults = [{ subject: 'apps/web/deployment.yaml:12', message: 'unknown field "replica"' }];
  await world.examine('platform', shaOf('2'), faults, applications);
  const [sent] = await world.pass(60);
  assert.equal(sent?.notice.title, 'platform: commit 2222222 cannot be followed in full');
  assert.equal(sent.notice.text, 'apps/web/deployment.yaml:12: unknown field "replica"');
  assert.equal(sent.notice.links[0]?.url, `https://github.com/acme/platform/commit/${shaOf('2')}`);
  await world.examine('platform', shaOf('3'), [], applications);
  assert.deepEqual(await world.told(), [
    'ops resolved error Over: platform: commit 2222222 cannot be followed in full',
  ]);
});

test('alarms ring and stop; those that say what is told of each application are left out', async () => {
  const world = new NoticeWorld();
  await world.ring('trueup-acme-backlog-runs', 'ALARM', 'Work waits. What to do: docs/runbook.md#backlog');
  await world.ring('trueup-acme-degraded', 'ALARM');
  await world.ring('trueup-acme-failed-runs', 'ALARM');
  const [sent, ...more] = await world.pass(60);
  assert.deepEqual(more, []);
  assert.equal(sent?.notice.title, 'Alarm backlog-runs');
  assert.equal(sent.notice.text, 'Work waits. What to do: docs/runbook.md#backlog');
  await world.ring('trueup-acme-backlog-runs', 'INSUFFICIENT_DATA');
  assert.deepEqual(await world.told(), []);
  await world.ring('trueup-acme-backlog-runs', 'OK');
  assert.deepEqual(await world.told(), ['ops resolved error Over: Alarm backlog-runs']);
});

test('an older notice of an alarm that comes late changes nothing', async () => {
  const world = new NoticeWorld();
  await world.ring('trueup-acme-backlog-runs', 'ALARM');
  await world.pass(60);
  await world.ring('trueup-acme-backlog-runs', 'OK');
  const late = world.clock.now();
  await world.pass(60);
  world.clock.advance(late - 1000 - world.clock.now());
  await world.ring('trueup-acme-backlog-runs', 'ALARM');
  assert.deepEqual(await world.told(300), []);
});

test('deployed: once for each revision of a target, together for one push', async () => {
  const world = new NoticeWorld();
  const targets = ['east', 'west', 'north'].map((cluster) => ({ cluster, application: 'web' }));
  for (const target of targets) {
    await world.point(target, { sha: shaOf('4'), revision: 4 });
    await world.run(target, applied, { revision: 4, sha: shaOf('4') });
    await world.pass(10);
  }
  assert.deepEqual(await world.told(400), [
    'ops info info Commit 4444444 of platform: 3 applications are deployed, and healthy',
  ]);
  for (const target of targets) await world.run(target, applied, { revision: 4, sha: shaOf('4') });
  assert.deepEqual(await world.told(3600), []);
});

test('a rollback is told: by itself as a warning, by a person as a word', async () => {
  for (const [automatic, severity] of [
    [true, 'warning'],
    [false, 'info'],
  ] as const) {
    const world = new NoticeWorld();
    await world.point(web);
    const [from, to] = ['5', '4'].map((digit) => ({ snapshot: digit, commit: commitAt(digit) }));
    assert.ok(from && to);
    const own = {
      by: 'alice',
      reason: 'Degraded for 5 min',
      automatic,
      revision: 6,
      revertPullRequest: false,
    };
    await world.hear({
      type: 'RolledBack',
      detail: { version: 1, at: world.now, target: web, from, to, ...own },
    });
    assert.deepEqual(await world.told(200), [
      `ops info ${severity} web on east went back from 5555555 to 4444444`,
    ]);
  }
});

function commitAt(digit: string) {
  const person = { name: 'Alice', email: 'a@example.com', at: '2026-11-23T12:00:00Z' };
  const names = { repository: 'platform', ref: 'refs/heads/main', sha: shaOf(digit), subject: 'x' };
  return { ...names, author: person, committer: person };
}

test('an application that is gone has no problem any more, though no event says so', async () => {
  const world = new NoticeWorld();
  await world.point(web);
  await world.run(web, failed, { health: 'Degraded' });
  assert.equal((await world.told()).length, 1);
  await world.point(web, { state: 'gone' });
  assert.deepEqual(await world.lookAtAll(), ['resolved Over: web on east: the run failed, Degraded']);
});

test('the canary is changed on purpose: nobody is told', async () => {
  const world = new NoticeWorld();
  const canary = { cluster: 'east', application: 'trueup-canary' };
  await world.point(canary);
  await world.drift(canary, 'open');
  await world.run(canary, failed);
  assert.deepEqual(await world.told(600), []);
});

test('a preview environment wakes nobody: all of it is information', async () => {
  const world = new NoticeWorld({ ...everything, routes: [{ channels: ['ops'] }] });
  const url = 'https://github.com/acme/platform/pull/12';
  const environment = { application: 'web', pull: '12', url, namespace: 'web-pr-12', clusterKinds: [] };
  const settings = { ...defaultSettings, environment };
  await world.point(web, { settings });
  await world.run(web, failed, { health: 'Degraded' });
  assert.deepEqual(await world.told(600), []);
});

test('each channel hears what its routes lead there, once, and groups for itself', async () => {
  const world = new NoticeWorld({
    channels: [
      { name: 'ops', type: 'slack', secret: 'a' },
      { name: 'sales', type: 'teams', secret: 'b' },
      { name: 'pager', type: 'pagerduty', secret: 'c' },
    ],
    routes: [
      { channels: ['ops'] },
      { channels: ['ops', 'sales'], projects: ['sales'] },
      { channels: ['pager'], clusters: ['prod-*'], severity: 'error' },
    ],
  });
  const prod = { cluster: 'prod-1', application: 'shop' };
  await world.point(prod, { repository: 'shop' });
  await world.point(web);
  await world.run(prod, failed, { health: 'Unknown' });
  await world.run(web, failed, { health: 'Unknown' });
  await world.drift(prod, 'open');
  assert.deepEqual((await world.told(400)).toSorted(), [
    'ops opened error shop on prod-1: the run failed',
    'ops opened error web on east: the run failed',
    'ops opened warning shop on prod-1 has drifted: 1 object',
    'pager opened error shop on prod-1: the run failed',
    'sales opened error shop on prod-1: the run failed',
    'sales opened warning shop on prod-1 has drifted: 1 object',
  ]);
  await world.ring('trueup-acme-backlog-runs', 'ALARM');
  assert.deepEqual(await world.told(), ['ops opened error Alarm backlog-runs']);
});
