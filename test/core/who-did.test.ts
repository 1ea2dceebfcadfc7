import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { load } from 'js-yaml';
import * as z from 'zod';
import { auditWriteOf, type AuditWrite } from '../../core/model/audit.ts';
import { objectDriftSchema } from '../../core/model/drift.ts';
import { authorOf } from '../../core/who-did.ts';

/** One event of the log as kube-apiserver writes it; `change` is what a case is about. */
function event(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'RequestResponse',
    auditID: 'a-1',
    stage: 'ResponseComplete',
    requestURI: '/apis/apps/v1/namespaces/web/deployments/front?fieldManager=kubectl-edit',
    verb: 'patch',
    user: { username: 'alice', groups: ['developers', 'system:authenticated'] },
    sourceIPs: ['192.0.2.7'],
    userAgent: 'kubectl/v1.36.3 (linux/amd64) kubernetes/0f29094',
    objectRef: {
      resource: 'deployments',
      namespace: 'web',
      name: 'front',
      apiGroup: 'apps',
      apiVersion: 'v1',
    },
    responseStatus: { metadata: {}, code: 200 },
    requestObject: { data: { password: 'c2VjcmV0' } },
    responseObject: { metadata: { name: 'front' }, data: { password: 'c2VjcmV0' } },
    requestReceivedTimestamp: '2026-11-23T11:59:01.400000Z',
    stageTimestamp: '2026-11-23T11:59:01.450000Z',
    ...change,
  };
}

describe('an event of the audit log', () => {
  it('gives who wrote, how, from where and to what, and no body', () => {
    const write = auditWriteOf(event());
    assert.deepEqual(write, {
      who: {
        user: 'alice',
        groups: ['developers', 'system:authenticated'],
        addresses: ['192.0.2.7'],
        userAgent: 'kubectl/v1.36.3 (linux/amd64) kubernetes/0f29094',
        verb: 'patch',
        at: '2026-11-23T11:59:01.400000Z',
        auditId: 'a-1',
      },
      group: 'apps',
      resource: 'deployments',
      namespace: 'web',
      name: 'front',
      fieldManager: 'kubectl-edit',
      endedAt: '2026-11-23T11:59:01.450000Z',
    });
  });

  const uri = '/apis/apps/v1/namespaces/web/deployments/front';
  const skipped: readonly (readonly [string, Record<string, unknown>])[] = [
    ['a read', { verb: 'get' }],
    ['a request on its way', { stage: 'RequestReceived' }],
    ['a refusal', { responseStatus: { code: 403 } }],
    ['a conflict', { responseStatus: { code: 409 } }],
    ['a dry run', { requestURI: `${uri}?dryRun=All&fieldManager=kubectl-edit` }],
    ['a dry run of a deletion', { verb: 'delete', requestURI: uri, requestObject: { dryRun: ['All'] } }],
    [
      'status',
      { objectRef: { resource: 'deployments', namespace: 'web', name: 'front', subresource: 'status' } },
    ],
    [
      'a token',
      { objectRef: { resource: 'serviceaccounts', namespace: 'web', name: 'x', subresource: 'token' } },
    ],
    ['our own request', { userAgent: 'trueup' }],
    ['the scheduler', { user: { username: 'system:kube-scheduler' } }],
    ['a node', { user: { username: 'system:node:ip-10-0-0-1' } }],
    [
      'a controller of the cluster',
      { user: { username: 'system:serviceaccount:kube-system:deployment-controller' } },
    ],
    ['a controller of EKS', { user: { username: 'eks:addon-manager' } }],
    ['no event at all', { auditID: 7 }],
  ];
  for (const [name, change] of skipped) {
    it(`is passed over: ${name}`, () => assert.equal(auditWriteOf(event(change)), undefined));
  }

  const kept: readonly (readonly [string, Record<string, unknown>, Partial<AuditWrite>])[] = [
    [
      'a scale',
      {
        objectRef: {
          apiGroup: 'apps',
          resource: 'deployments',
          namespace: 'web',
          name: 'front',
          subresource: 'scale',
        },
      },
      { subresource: 'scale', name: 'front' },
    ],
    [
      'an operator that somebody installed',
      { user: { username: 'system:serviceaccount:flux-system:kustomize-controller' } },
      { group: 'apps' },
    ],
    ['a request without a field manager', { requestURI: uri }, { fieldManager: 'kubectl' }],
    [
      'a name that the server made up',
      {
        verb: 'create',
        requestURI: '/api/v1/namespaces/web/configmaps',
        objectRef: { resource: 'configmaps', namespace: 'web' },
        responseStatus: { code: 201 },
        responseObject: { metadata: { name: 'made-x7' } },
      },
      { name: 'made-x7', group: '' },
    ],
    [
      'a deletion of many names none of them',
      { verb: 'deletecollection', objectRef: { resource: 'configmaps', namespace: 'web' } },
      { namespace: 'web', resource: 'configmaps' },
    ],
    [
      'an escaped field manager',
      { requestURI: `${uri}?fieldManager=my%20tool` },
      { fieldManager: 'my tool' },
    ],
  ];
  for (const [name, change, expected] of kept) {
    it(`counts: ${name}`, () => {
      const write = auditWriteOf(event(change));
      for (const [key, value] of Object.entries(expected))
        assert.equal(write?.[key as keyof AuditWrite], value);
      if (name.includes('many')) assert.equal(write?.name, undefined);
    });
  }

  it('tells the person behind an impersonation, and as whom', () => {
    const write = auditWriteOf(event({ impersonatedUser: { username: 'deployer', groups: ['ops'] } }));
    assert.deepEqual(
      [write?.who.user, write?.who.impersonated, write?.who.groups[0]],
      ['alice', 'deployer', 'developers'],
    );
  });

  it('is ours by the user where one is named', () => {
    const ours = { userAgents: [], users: ['trueup'] };
    assert.equal(auditWriteOf(event({ user: { username: 'trueup' } }), ours), undefined);
    assert.equal(auditWriteOf(event({ userAgent: 'trueup' }), ours)?.who.user, 'alice');
  });
});

/** `log`: writes as `second user verb [manager] [object]`; the object is our own Deployment unless said. */
const cases = z
  .array(z.object({ case: z.string(), log: z.array(z.string()), drift: z.json(), who: z.string() }))
  .parse(
    load(`
- case: the write of that second
  log: ['10 alice patch kubectl-edit', '20 bob patch kubectl-edit']
  drift: {fields: [{class: changed, path: spec.replicas, manager: kubectl-edit, at: '2026-11-23T11:59:20Z'}]}
  who: bob

- case: of two in one second, the one with the field manager
  log: ['20 alice patch kubectl-edit', '20 bob patch helm']
  drift: {fields: [{class: changed, path: spec.replicas, manager: helm, at: '2026-11-23T11:59:20Z'}]}
  who: bob

- case: of two in one second with one field manager, nobody
  log: ['20 alice patch kubectl-edit', '20 bob patch kubectl-edit']
  drift: {fields: [{class: changed, path: spec.replicas, manager: kubectl-edit, at: '2026-11-23T11:59:20Z'}]}
  who: '-'

- case: the newest field of ours, whatever foreign fields came after it
  log: ['10 alice patch kubectl-edit', '20 bob patch kubectl-label']
  drift:
    fields:
      - {class: changed, path: spec.replicas, manager: kubectl-edit, at: '2026-11-23T11:59:10Z'}
      - {class: foreign, path: metadata.labels.x, manager: kubectl-label, at: '2026-11-23T11:59:20Z'}
  who: alice

- case: foreign fields alone
  log: ['20 bob patch kubectl-label']
  drift: {fields: [{class: foreign, path: metadata.labels.x, manager: kubectl-label, at: '2026-11-23T11:59:20Z'}]}
  who: bob

- case: a removed field, of which managedFields tell nothing
  log: ['20 alice patch kubectl-edit', '30 alice patch kubectl-edit']
  drift: {fields: [{class: removed, path: spec.paused}]}
  who: alice

- case: a removed field where two wrote, nobody
  log: ['20 alice patch kubectl-edit', '30 bob patch kubectl-edit']
  drift: {fields: [{class: removed, path: spec.paused}]}
  who: '-'

- case: in that second, but the log names another field manager
  log: ['20 bob patch helm']
  drift: {fields: [{class: changed, path: spec.replicas, manager: kubectl-edit, at: '2026-11-23T11:59:20Z'}]}
  who: '-'

- case: fields of different authors, nobody
  log: ['10 alice patch kubectl-label', '20 bob patch kubectl-edit']
  drift:
    fields:
      - {class: changed, path: metadata.labels.x, manager: kubectl-label, at: '2026-11-23T11:59:10Z'}
      - {class: changed, path: spec.replicas, manager: kubectl-edit, at: '2026-11-23T11:59:20Z'}
  who: '-'

- case: fields of one author
  log: ['10 alice patch kubectl-label', '20 alice patch kubectl-edit']
  drift:
    fields:
      - {class: changed, path: metadata.labels.x, manager: kubectl-label, at: '2026-11-23T11:59:10Z'}
      - {class: changed, path: spec.replicas, manager: kubectl-edit, at: '2026-11-23T11:59:20Z'}
  who: alice

- case: a removed field that somebody else may have removed, nobody
  log: ['10 alice patch kubectl-label', '20 bob patch kubectl-edit']
  drift:
    fields:
      - {class: removed, path: metadata.labels.team}
      - {class: changed, path: spec.replicas, manager: kubectl-edit, at: '2026-11-23T11:59:20Z'}
  who: '-'

- case: a field of somebody whom the log does not know, nobody
  log: ['20 bob patch kubectl-edit']
  drift:
    fields:
      - {class: changed, path: metadata.labels.x, manager: kube-controller-manager, at: '2026-11-23T11:59:20Z'}
      - {class: changed, path: spec.replicas, manager: kubectl-edit, at: '2026-11-23T11:59:20Z'}
  who: '-'

- case: writes to other objects say nothing
  log: ['20 alice patch kubectl-edit apps/deployments/web/back', '21 bob patch kubectl-edit /services/web/front']
  drift: {fields: [{class: removed, path: spec.paused}]}
  who: '-'

- case: a deletion
  log: ['10 alice patch kubectl-edit', '20 bob delete kubectl']
  drift: {kind: missing, fields: []}
  who: bob

- case: a deletion of the whole kind in the namespace
  log: ['20 bob deletecollection kubectl apps/deployments/web/*']
  drift: {kind: missing, fields: []}
  who: bob

- case: a deletion of the whole kind in another namespace
  log: ['20 bob deletecollection kubectl apps/deployments/shop/*']
  drift: {kind: missing, fields: []}
  who: '-'

- case: a deletion of the namespace
  log: ['20 carol delete kubectl /namespaces//web']
  drift: {kind: missing, fields: []}
  who: carol

- case: an object that is in no inventory
  log: ['20 carol create kubectl-create']
  drift: {kind: extra, fields: []}
  who: carol

- case: what happened before the last check is no drift since
  log: ['-40 alice delete kubectl']
  drift: {kind: missing, fields: []}
  who: '-'
`),
  );

const minute = Date.parse('2026-11-23T11:59:00Z');

function writeOf(line: string): AuditWrite {
  const [second = '', user = '', verb = '', fieldManager = '', object = 'apps/deployments/web/front'] =
    line.split(' ');
  const [group = '', resource = '', namespace = '', name = ''] = object.split('/');
  const at = new Date(minute + Number(second) * 1000 + 300).toISOString();
  return {
    who: { user, verb, at, groups: [], addresses: [], auditId: line },
    group,
    resource,
    ...(namespace === '' ? {} : { namespace }),
    ...(name === '*' ? {} : { name }),
    fieldManager,
    endedAt: at,
  };
}

describe('who is behind a drift', () => {
  const ref = { group: 'apps', kind: 'Deployment', namespace: 'web', name: 'front' };
  for (const { case: name, log, drift, who } of cases) {
    it(name, () => {
      const found = objectDriftSchema.parse({ ref, kind: 'fields', ...(drift as object) });
      const suspicion = { resource: 'deployments', since: minute, until: minute + 60_000 };
      assert.equal(authorOf(found, suspicion, log.map(writeOf))?.user ?? '-', who);
    });
  }
});
