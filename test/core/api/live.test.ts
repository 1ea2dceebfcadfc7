import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { kubectlCommands, objectLinks, targetLinks } from '../../../core/api/links.ts';
import { eventOf, maskedLive, podOf, selectorOf } from '../../../core/api/live-object.ts';
import { parseStackConfig } from '../../../core/contract/config.ts';
import { dashboardLinkSchema } from '../../../core/contract/dashboard-links.ts';
import type { LiveObject } from '../../../core/model/object.ts';

const live = (kind: string, more: object = {}, metadata: object = {}): LiveObject =>
  Object.assign(
    { apiVersion: 'v1', kind },
    { metadata: { name: 'web', namespace: 'shop', uid: 'u', resourceVersion: '1', ...metadata } },
    more,
  );

describe('live objects', () => {
  test('values of Secrets are never shown, nor where kubectl repeats them', () => {
    const annotations = {
      'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"password":"aHVudGVyMg=="}}',
      owner: 'shop',
    };
    const secret = live(
      'Secret',
      { data: { password: 'aHVudGVyMg==' }, stringData: { token: 'hunter2' }, type: 'Opaque' },
      { annotations, managedFields: [{ manager: 'kubectl' }] },
    );
    const shown = JSON.stringify(maskedLive(secret));
    assert.doesNotMatch(shown, /aHVudGVyMg|hunter2|managedFields|last-applied/);
    assert.match(shown, /"password":"\(not shown\)"/);
    assert.match(shown, /"owner":"shop"/);
  });

  test('pods are found by the selector of what runs them, and never all of a namespace', () => {
    const spec = {
      selector: {
        matchLabels: { app: 'web' },
        matchExpressions: [
          { key: 'tier', operator: 'In', values: ['a', 'b'] },
          { key: 'old', operator: 'DoesNotExist' },
        ],
      },
    };
    assert.equal(selectorOf(live('Deployment', { spec })), 'app=web,tier in (a,b),!old');
    assert.equal(selectorOf(live('Service', { spec: { selector: { app: 'web' } } })), 'app=web');
    for (const none of [live('Service', { spec: {} }), live('ConfigMap'), live('NetworkPolicy', { spec })])
      assert.equal(selectorOf(none), undefined, none.kind);
  });

  test('a pod is told with what its containers wait for', () => {
    const pod = live('Pod', {
      spec: {
        nodeName: 'n1',
        containers: [{ name: 'app', image: 'app:1' }],
        initContainers: [{ name: 'wait', image: 'w' }],
      },
      status: {
        phase: 'Running',
        startTime: '2026-11-23T10:00:00Z',
        containerStatuses: [
          { name: 'app', ready: false, restartCount: 7, state: { waiting: { reason: 'CrashLoopBackOff' } } },
        ],
        initContainerStatuses: [
          { name: 'wait', ready: true, state: { terminated: { exitCode: 0, reason: 'Completed' } } },
        ],
      },
    });
    const { containers, ...told } = podOf(pod);
    assert.deepEqual(told, {
      name: 'web',
      phase: 'Running',
      ready: '0/1',
      restarts: 7,
      startedAt: '2026-11-23T10:00:00Z',
      node: 'n1',
    });
    assert.deepEqual(
      containers.map(({ name, state, init }) => [name, state, init]),
      [
        ['app', 'CrashLoopBackOff', false],
        ['wait', 'Completed', true],
      ],
    );
    assert.equal(podOf(live('Pod', {}, { deletionTimestamp: 'x' })).phase, 'Terminating');
  });

  test('an event is told by its last time, in either of its two forms', () => {
    const about = {
      involvedObject: { kind: 'Pod', name: 'web-1' },
      reason: 'BackOff',
      message: 'm',
      type: 'Warning',
    };
    assert.deepEqual(
      eventOf({ ...about, count: 4, lastTimestamp: '2026-11-23T10:00:00Z', firstTimestamp: 'x' }),
      {
        at: '2026-11-23T10:00:00Z',
        type: 'Warning',
        about: 'Pod/web-1',
        reason: 'BackOff',
        message: 'm',
        count: 4,
      },
    );
    const series = { count: 9, lastObservedTime: '2026-11-23T11:00:00.5Z' };
    assert.deepEqual(
      [
        eventOf({ ...about, eventTime: '2026', series })?.at,
        eventOf({ ...about, eventTime: '2026', series })?.count,
      ],
      [series.lastObservedTime, 9],
    );
    assert.equal(eventOf({ ...about }), undefined);
    assert.equal(eventOf('x'), undefined);
  });
});

describe('ways to a cluster', () => {
  const [byArn, byFile] = parseStackConfig({
    repositories: [{ name: 'config', url: 'https://github.com/acme/config' }],
    clusters: [
      { name: 'east', access: { type: 'eks', arn: 'arn:aws:eks:eu-west-1:123456789012:cluster/east' } },
      { name: 'west', access: { type: 'kubeconfig', secret: 'west' } },
    ],
  }).clusters;
  const ref = { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web' };
  const target = { cluster: 'east', application: 'web' };

  test('commands are ready for a shell, whatever the name', () => {
    const lines = kubectlCommands({ ref, entry: { plural: 'deployments' } }, byArn).map(
      ({ command }) => command,
    );
    assert.equal(
      lines[0],
      'kubectl --context arn:aws:eks:eu-west-1:123456789012:cluster/east --namespace shop logs deployments.apps/web --all-containers --tail 300 --follow',
    );
    const role = { group: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: "x'; rm -rf ~ #" };
    const [events] = kubectlCommands({ ref: role, entry: undefined }, byFile);
    assert.equal(
      events?.command,
      String.raw`kubectl events --for 'clusterrole.rbac.authorization.k8s.io/x'\''; rm -rf ~ #'`,
    );
    const secret = kubectlCommands(
      { ref: { group: '', kind: 'Secret', name: 's' }, entry: undefined },
      byFile,
    );
    assert.ok(
      secret.every(({ command }) => !command.includes(' get ')),
      JSON.stringify(secret),
    );
  });

  test('links lead to the console of EKS, and where the configuration says, with names escaped', () => {
    const logs = dashboardLinkSchema.parse({
      title: 'Logs',
      url: 'https://logs.example.com/{cluster}?q={namespace}/{name}',
      kinds: ['Deployment'],
    });
    const board = dashboardLinkSchema.parse({
      title: 'Board',
      url: 'https://g.example.com/d/x?app={application}',
    });
    assert.deepEqual(targetLinks(target, byArn, [logs, board]), [
      {
        title: 'EKS console',
        url: 'https://console.aws.amazon.com/eks/home?region=eu-west-1#/clusters/east',
      },
      { title: 'Board', url: 'https://g.example.com/d/x?app=web' },
    ]);
    assert.deepEqual(targetLinks(target, byFile, []), []);
    const named = { ref: { ...ref, name: 'a&b/c' }, entry: undefined };
    assert.deepEqual(objectLinks(target, named, [logs, board]), [
      { title: 'Logs', url: 'https://logs.example.com/east?q=shop/a%26b%2Fc' },
    ]);
    assert.deepEqual(objectLinks(target, { ...named, ref: { ...ref, kind: 'Service' } }, [logs]), []);
    for (const url of [
      'http://x/{name}',
      'https://{name}.example.com/',
      'https://x/{secret}',
      'https://x@{name}/',
    ])
      assert.equal(dashboardLinkSchema.safeParse({ title: 'x', url }).success, false, url);
  });
});
