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
