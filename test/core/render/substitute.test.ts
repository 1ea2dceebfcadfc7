import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stop } from '../../../core/errors.ts';
import type { Substitution } from '../../../core/model/substitute.ts';
import type { AskedFacts } from '../../../core/render/context.ts';
import { render } from '../../../core/render/render.ts';
import { RecordedFacts } from '../../../core/produce/recorded-facts.ts';
import { MemoryWorktree } from '../../fakes/memory-worktree.ts';
import { renderContext } from '../../fakes/render-context.ts';

const noRenderers = {
  versions: {},
  kustomize: () => Promise.reject(new Error('a plain folder needs no kustomize')),
  helm: () => Promise.reject(new Error('a plain folder needs no Helm')),
};
const cluster: AskedFacts = {
  name: () => 'prod-eu',
  isChosenBy: () => false,
  label: (key) => (key === 'topology.kubernetes.io/region' ? 'eu-central-1' : undefined),
  variable: (name) => ({ REPLICAS: '3', DOMAIN: 'example.com' })[name],
  capabilities: async () => undefined,
  lookups: async () => undefined,
};

async function rendered(manifest: string, substitute?: Partial<Substitution>) {
  const facts = new RecordedFacts(cluster);
  const source = {
    path: 'apps/web',
    renderer: 'plain' as const,
    ...(substitute && { substitute: { variables: {}, labels: {}, ...substitute } }),
  };
  const worktree = new MemoryWorktree({ 'apps/web/a.yaml': manifest });
  const { objects, origins } = await render(source, renderContext(worktree, noRenderers, { facts }));
  return { objects, origins, asked: facts.asked };
}

test('variables of the application, of labels and of the cluster are replaced, and only those used are inputs', async () => {
  const { objects, origins, asked } = await rendered(
    `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-\${STAGE}
  labels: {region: "\${REGION}", count: "\${REPLICAS}"}
spec:
  replicas: \${REPLICAS}
  template:
    spec:
      containers:
        - name: web
          image: registry/web:\${TAG:=1.2}
          env: [{name: DOMAIN, value: "\${DOMAIN}"}, {name: COUNT, value: "\${REPLICAS}"}]
          command: [sh, -c, 'echo $\${HOME} $PATH']
`,
    { variables: { STAGE: 'prod' }, labels: { REGION: 'topology.kubernetes.io/region' } },
  );
  const [object] = objects;
  assert.deepEqual(object?.metadata, {
    name: 'web-prod',
    labels: { region: 'eu-central-1', count: '3' },
  });
  assert.deepEqual(object['spec'], {
    replicas: 3,
    template: {
      spec: {
        containers: [
          {
            name: 'web',
            image: 'registry/web:1.2',
            env: [
              { name: 'DOMAIN', value: 'example.com' },
              { name: 'COUNT', value: '3' },
            ],
            command: ['sh', '-c', 'echo ${HOME} $PATH'],
          },
        ],
      },
    },
  });
  assert.deepEqual(Object.keys(origins), ['apps/Deployment//web-prod']);
  assert.deepEqual(asked, [
    'label topology.kubernetes.io/region',
    'variable DOMAIN',
    'variable REPLICAS',
    'variable TAG',
  ]);
});

const configMap = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n';

test('a variable may be cut in a name, and makes no name that leads elsewhere', async () => {
  const named = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "${name}"}\n`;
  const { objects } = await rendered(named('web-${STAGE%-*}-${STAGE/a/b}'), { variables: { STAGE: 'a-eu' } });
  assert.equal(objects[0]?.metadata.name, 'web-a-b-eu');
  await assert.rejects(
    rendered(named('${STAGE}'), { variables: { STAGE: '../secrets' } }),
    /^Stop: apps\/web\/a\.yaml:1: ConfigMap has the metadata\.name "\.\.\/secrets"; "\/"/,
  );
});

test('without substitute nothing is touched', async () => {
  const { objects, asked } = await rendered(`${configMap}data: {script: "echo \${HOME}"}\n`);
  assert.deepEqual(objects[0]?.['data'], { script: 'echo ${HOME}' });
  assert.deepEqual(asked, []);
});

test('an object may be left out by our annotation or by that of Flux', async () => {
  for (const name of ['trueup.dev/substitute', 'kustomize.toolkit.fluxcd.io/substitute']) {
    const text = `${configMap}  annotations: {${name}: disabled}\ndata: {script: "echo \${HOME}"}\n`;
    assert.deepEqual((await rendered(text, {})).objects[0]?.['data'], { script: 'echo ${HOME}' });
  }
});

test('a value that stands alone is what YAML makes of it, and never more than a scalar', async () => {
  const kind = 'apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\n';
  const variables = {
    int: '3',
    float: '1.5',
    bool: 'true',
    quoted: '"1.10"',
    map: '{"a": 1}',
    word: 'yes',
    zip: '007',
  };
  const spec = Object.keys(variables).map((name) => `  ${name}: \${${name}}\n`);
  const { objects } = await rendered(`${kind}spec:\n${spec.join('')}  mixed: a\${int}\n`, { variables });
  assert.deepEqual(objects[0]?.['spec'], {
    int: 3,
    float: 1.5,
    bool: true,
    quoted: '1.10',
    map: '{"a": 1}',
    word: 'yes',
    zip: '007',
    mixed: 'a3',
  });
});

test('every variable that is not there is told with file, line and field', async () => {
  const text = `${configMap}data:\n  a: "\${NOPE}"\n  b: "\${ALSO_NOT:5}"\n  c: "\${DOMAIN"\n`;
  await assert.rejects(rendered(text, {}), (error) => {
    assert.ok(error instanceof Stop);
    const told = error.faults.map(({ subject, message }) => `${subject}: ${message}`);
    assert.match(
      told[0] ?? '',
      /^apps\/web\/a\.yaml:1: data\.a: there is no variable NOPE for cluster prod-eu; give it/,
    );
    assert.match(told[1] ?? '', /data\.b: there is no variable ALSO_NOT/);
    assert.match(
      told[2] ?? '',
      /data\.c: a \$\{ has no closing brace; write \$\$\{ for a text that is no variable$/,
    );
    return told.length === 3;
  });
});

test('objects that only their variables make the same are refused', async () => {
  const one = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "${name}"}\n`;
  await assert.rejects(
    rendered(`${one('a-${DOMAIN}')}---\n${one('a-example.com')}`, {}),
    (error) => error instanceof Stop && /ConfigMap a-example\.com/.test(error.faults[0]?.subject ?? ''),
  );
});
