import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { testCluster, type TestCluster } from '../cluster/test-cluster.ts';
import { findTools } from '../cluster/tools.ts';
import { LocalWorld } from './local-world.ts';

const { path } = await findTools({ progress: () => undefined });
let cluster: TestCluster;
let world: LocalWorld;
before(async () => {
  cluster = await testCluster('cli-helm');
  world = await LocalWorld.open(cluster.kubeconfigPath);
});
after(async () => {
  await cluster.admin.ask(
    'DELETE',
    `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${definition()}`,
  );
  await world.close();
  await cluster.stop();
});

/** Of this test alone: definitions are the whole cluster's. */
const group = () => `${cluster.namespace}.example.org`;
const definition = () => `widgets.${group()}`;

const crd = (fields: string) => `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ${definition()}}
spec:
  group: ${group()}
  names: {kind: Widget, plural: widgets, singular: widget}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties: {spec: {type: object, properties: {${fields}}}}
`;

const hook = (name: string, when: string) => `apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name}
  annotations: {helm.sh/hook: ${when}}
data: {size: "{{ .Values.size }}"}
`;

async function apply(): Promise<string> {
  const target = ['--app', 'widgets', '--namespace', cluster.namespace];
  const { code, out, err } = await world.run(['apply', 'chart', ...target, '--wait'], { PATH: path });
  assert.equal(code, 0, out + err);
  return out;
}

async function find(rest: string): Promise<{ readonly status: number; readonly text: string }> {
  const { status, body } = await cluster.admin.ask('GET', rest);
  return { status, text: JSON.stringify(body) };
}

const configMap = (name: string) => find(`/api/v1/namespaces/${cluster.namespace}/configmaps/${name}`);

test('a chart is installed and upgraded on a cluster: definitions first, hooks told apart', async () => {
  await world.write('chart/Chart.yaml', 'apiVersion: v2\nname: widgets\nversion: 1.0.0\n');
  await world.write('chart/values.yaml', 'size: 1\n');
  await world.write('chart/crds/widgets.yaml', crd('size: {type: integer}'));
  const widget = `apiVersion: ${group()}/v1\nkind: Widget\nmetadata: {name: one}\nspec: {size: {{ .Values.size }}{{ with .Values.more }}, {{ . }}{{ end }}}\n`;
  await world.write('chart/templates/widget.yaml', widget);
  await world.write('chart/templates/installed.yaml', hook('installed', 'post-install'));
  await world.write('chart/templates/upgraded.yaml', hook('upgraded', 'pre-upgrade'));
  await apply();
  const one = `/apis/${group()}/v1/namespaces/${cluster.namespace}/widgets/one`;
  assert.match((await find(one)).text, /"size":1/);
  assert.match((await configMap('installed')).text, /"size":"1"/);
  assert.equal((await configMap('upgraded')).status, 404);

  // A field that only the new definition knows: Helm would have left the old one.
  await world.write('chart/crds/widgets.yaml', crd('size: {type: integer}, colour: {type: string}'));
  await world.write('chart/values.yaml', 'size: 2\nmore: "colour: red"\n');
  await apply();
  assert.match((await find(one)).text, /"colour":"red"/);
  assert.match((await configMap('installed')).text, /"size":"1"/, 'an install hook runs once');
  assert.match((await configMap('upgraded')).text, /"size":"2"/);
});

test('a chart looks up on the cluster at hand: what is declared, and nothing else', async () => {
  const { namespace } = cluster;
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'token' },
    stringData: { p: 'correct horse' },
  };
  await cluster.admin.ask('POST', `/api/v1/namespaces/${namespace}/secrets`, { body: secret });
  const read = '((lookup "v1" "Secret" .Release.Namespace "token").data).p';
  await world.write('looks/Chart.yaml', 'apiVersion: v2\nname: looks\nversion: 1.0.0\n');
  const template = [
    `apiVersion: v1\nkind: Secret\nmetadata: {name: copy}\ndata: {p: "{{ ${read} }}"}`,
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: seen}\ndata:',
    '  uid: {{ (lookup "v1" "Namespace" "" "kube-system").metadata.uid }}',
    '  version: {{ .Capabilities.KubeVersion.Version }}',
  ];
  await world.write('looks/templates/a.yaml', `${template[0]}\n---\n${template.slice(1).join('\n')}\n`);
  const declare = async (...lookups: string[]) =>
    world.write(
      'looks.yaml',
      [
        'apiVersion: trueup.dev/v1\nkind: Application\nmetadata: {name: looks}\nspec:\n  clusters: {names: [any]}',
        `  namespace: ${namespace}\n  source: {path: looks, helm: {lookup: [${lookups.join(', ')}]}}\n`,
      ].join('\n'),
    );
  const args = ['looks', '--application', 'looks.yaml'];
  const token = '{apiVersion: v1, kind: Secret, name: token}';
  await declare(token);
  const less = await world.run(['render', ...args, '--kubeconfig', cluster.kubeconfigPath], { PATH: path });
  assert.match(
    less.err,
    /does not declare all that the chart looks up; add { apiVersion: v1, kind: Namespace, name: kube-system }/,
  );
  await declare(token, '{apiVersion: v1, kind: Namespace, name: kube-system}');
  const none = await world.run(['render', ...args], { PATH: path });
  assert.match(
    none.err,
    /v1 Secret .*\/token is not known yet: .* where there is no sweep, name a kubeconfig/,
  );
  const shown = await world.run(['render', ...args, '--kubeconfig', cluster.kubeconfigPath, '-o', 'yaml'], {
    PATH: path,
  });
  assert.equal(shown.code, 0, shown.err);
  assert.match(shown.out, /hmac:/);
  const applied = await world.run(['apply', ...args, '--app', 'looks', '--wait'], { PATH: path });
  assert.equal(applied.code, 0, applied.out + applied.err);
  const copy = await find(`/api/v1/namespaces/${namespace}/secrets/copy`);
  assert.match(copy.text, new RegExp(Buffer.from('correct horse').toString('base64')));
  const { text: system } = await find('/api/v1/namespaces/kube-system');
  const uid = /"uid":"([^"]+)"/.exec(system)?.[1] ?? 'none';
  assert.ok((await configMap('seen')).text.includes(uid));
  assert.match((await configMap('seen')).text, /"version":"v1\.[0-9]+/);
});
