import { lockDigest } from '../../../core/render/helm-chart.ts';
import type { MaliciousCase } from './malicious-case.ts';
import { sizes } from './malicious-sizes.ts';
import { deployment, overlay, type TreeFiles } from './rendering.ts';

const helm = { path: 'overlays/prod', kustomize: { helm: true } };
const plain = { path: 'apps/web' };

/** A transformer in a file of the overlay. */
function transformer(text: string): TreeFiles {
  return { ...overlay('resources: [../../base]\ntransformers: [t.yaml]\n'), 'overlays/prod/t.yaml': text };
}

function resources(...entries: string[]): TreeFiles {
  return overlay(`resources: ${JSON.stringify(['../../base', ...entries])}\n`);
}

/** A chart of the Application whose values are checked by this. */
const withSchema = (schema: string): TreeFiles => ({
  'apps/web/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
  'apps/web/values.yaml': 'a: 1\n',
  'apps/web/values.schema.json': schema,
  'apps/web/templates/a.yaml': deployment('shop'),
});

/** A chart of the Application with one dependency, which Chart.lock pins. */
function dependingOn(repository: string): TreeFiles {
  const dependency = { name: 'shop', version: '1.0.0', repository };
  const digest = lockDigest(
    [{ ...dependency, condition: '', alias: '' }],
    [{ ...dependency, condition: '', alias: '' }],
  );
  const listed = `dependencies: [${JSON.stringify(dependency)}]\n`;
  return {
    'apps/web/Chart.yaml': `apiVersion: v2\nname: shop\nversion: 1.0.0\n${listed}`,
    'apps/web/Chart.lock': `${listed}digest: sha256:${digest.replace('sha256:', '')}\ngenerated: "2026-01-01T00:00:00Z"\n`,
    'apps/web/templates/a.yaml': deployment('shop'),
  };
}

/** A chart in the overlay's folder `charts`, and how it is listed. */
function chart(listed: string, more: TreeFiles = {}): TreeFiles {
  return {
    ...overlay(listed),
    'overlays/prod/charts/shop/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
    'overlays/prod/charts/shop/templates/a.yaml': deployment('shop'),
    ...more,
  };
}

const krm = (how: string) => `apiVersion: x.example/v1
kind: Anything
metadata:
  name: t
  annotations:
    config.kubernetes.io/function: |
      ${how}
`;

const paths: readonly MaliciousCase[] = [
  { tried: 'a base out of the repository', files: resources('../../../outside') },
  { tried: 'a base at an absolute path', files: resources('/etc') },
  {
    tried: 'a base through a symlink out of the repository',
    files: { ...resources('../../link'), link: '-> ../outside' },
  },
  {
    tried: 'a file of the machine in a ConfigMap',
    files: overlay('configMapGenerator:\n- {name: a, files: [/etc/passwd]}\n'),
  },
  {
    tried: 'a file of the machine by climbing',
    files: overlay('configMapGenerator:\n- {name: a, files: [k=../../../../../../../../etc/passwd]}\n'),
  },
  {
    tried: 'a file beside the repository in a Secret',
    files: overlay('secretGenerator:\n- {name: a, envs: [../../../outside/secret.txt]}\n'),
  },
  {
    tried: 'a file through a symlink out of the repository',
    files: {
      ...overlay('configMapGenerator:\n- {name: a, files: [l.txt]}\n'),
      'overlays/prod/l.txt': '-> ../../../outside/secret.txt',
    },
  },
  {
    tried: 'a symlink to the environment of a process',
    files: { 'apps/web/a.yaml': '-> /proc/self/environ' },
    source: plain,
  },
  { tried: 'a symlink in a circle', files: { 'apps/web/a': '-> b', 'apps/web/b': '-> a' }, source: plain },
  {
    tried: 'a folder in itself',
    files: { 'apps/web/a.yaml': deployment('a'), 'apps/web/b': '-> .' },
    source: plain,
  },
  {
    tried: 'a patch from outside',
    files: overlay('resources: [../../base]\npatches: [{path: ../../../outside/a.yaml}]\n'),
  },
  {
    tried: 'a replacement from outside',
    files: overlay('resources: [../../base]\nreplacements: [{path: /etc/passwd}]\n'),
  },
  {
    tried: 'an OpenAPI schema from outside',
    files: overlay('resources: [../../base]\nopenapi: {path: /etc/passwd}\n'),
  },
  { tried: 'definitions from outside', files: overlay('resources: [../../base]\ncrds: [/etc/passwd]\n') },
  {
    tried: 'configurations from outside',
    files: overlay('resources: [../../base]\nconfigurations: [/etc/passwd]\n'),
  },
  {
    tried: 'a file of the machine in a schema of values',
    files: withSchema('{"$ref": "file:///etc/passwd"}'),
    source: plain,
  },
  {
    tried: 'a file of the machine as the id of a schema',
    files: withSchema('{"properties": {"a": {"$id": "file:/etc/passwd", "$ref": "#/b"}}}'),
    source: plain,
  },
  {
    tried: 'a file of the machine in a schema, in a chart of a kustomization',
    files: chart('helmCharts: [{name: shop}]\n', {
      'overlays/prod/charts/shop/charts/a/values.schema.json': '{"$ref": "file:///etc/passwd"}',
    }),
    source: helm,
  },
  { tried: 'a path with a NUL in it', files: overlay('resources: ["a\\0b"]\n') },
  {
    tried: 'an object whose name leads elsewhere',
    files: { 'apps/web/a.yaml': deployment('../../secrets/a') },
    source: plain,
  },
  {
    tried: 'an object whose namespace leads elsewhere',
    files: { 'apps/web/a.yaml': deployment('a').replace('name: a', 'name: a, namespace: ../kube-system') },
    source: plain,
  },
  {
    tried: 'a dependency of a chart out of the repository',
    files: dependingOn('file://../../..'),
    source: plain,
  },
  { tried: 'a chart that depends on itself', files: dependingOn('file://.'), source: plain },
  {
    tried: 'a component out of the repository, by the Application',
    files: resources(),
    source: { path: 'overlays/prod', kustomize: { components: ['../../../outside'] } },
  },
];

const programs: readonly MaliciousCase[] = [
  {
    tried: 'a program as a transformer',
    files: {
      ...transformer(krm('exec: {path: ./run.sh}')),
      'overlays/prod/run.sh': '#!/bin/sh\ntouch RAN\n',
    },
  },
  {
    tried: 'a container as a transformer',
    files: transformer(krm('container: {image: evil.example/x, network: true}')),
  },
  {
    tried: 'a Starlark script as a transformer',
    files: transformer(krm('starlark: {path: x.star, name: x}')),
  },
  {
    tried: 'a program as a generator, in the kustomization itself',
    files: overlay(
      'generators:\n- |\n  apiVersion: someteam.example.com/v1\n  kind: SedTransformer\n  metadata: {name: a}\n  argsOneLiner: s/a/b/\n',
    ),
  },
  {
    tried: 'a program as a validator',
    files: overlay('resources: [../../base]\nvalidators: ["{apiVersion: x/v1,\\nkind: V}"]\n'),
  },
  {
    tried: 'a transformer whose configuration is patched into another',
    files: {
      ...overlay('resources: [../../base]\ntransformers: [../../t]\n'),
      't/kustomization.yaml': 'resources: [t.yaml]\npatches: [{patch: "x"}]\n',
      't/t.yaml': 'apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: t}\npatch: x\n',
    },
  },
  { tried: 'a chart without leave', files: chart('helmCharts: [{name: shop}]\n') },
  {
    tried: 'a chart in the old form',
    files: chart('helmChartInflationGenerator: [{chartName: shop}]\n'),
    source: helm,
  },
  {
    tried: 'a chart as a generator',
    files: chart(
      'generators:\n- |\n  apiVersion: builtin\n  kind: HelmChartInflationGenerator\n  metadata: {name: a}\n  name: shop\n',
    ),
    source: helm,
  },
  {
    tried: 'a home of Helm, with plugins',
    files: chart('helmGlobals: {configHome: ./home}\nhelmCharts: [{name: shop}]\n'),
    source: helm,
  },
  {
    tried: 'an option of helm as a release name',
    files: chart('helmCharts: [{name: shop, releaseName: "--set-file=x=/etc/passwd"}]\n'),
    source: helm,
  },
  {
    tried: 'an option of helm in a list of charts that is spelled twice',
    files: chart(
      'helmCharts: [{name: shop, releaseName: "--set-file=x=/etc/passwd"}]\nHelmCharts: [{name: shop}]\n',
    ),
    source: helm,
  },
  {
    tried: 'a home of Helm that is spelled twice',
    files: chart('helmGlobals: {configHome: ./home, ConfigHome: ""}\nhelmCharts: [{name: shop}]\n'),
    source: helm,
  },
  {
    tried: 'a chart as a generator that says so in one of two kinds',
    files: chart(
      'generators:\n- |\n  apiVersion: builtin\n  kind: HelmChartInflationGenerator\n  Kind: ConfigMapGenerator\n  metadata: {name: a}\n  name: shop\nhelmCharts: [{name: shop}]\n',
    ),
    source: helm,
  },
  {
    tried: 'an option of helm as a version of an API',
    files: chart('helmCharts: [{name: shop, apiVersions: [v1, "--post-renderer=x"]}]\n'),
    source: helm,
  },
  { tried: 'a chart by a path', files: chart('helmCharts: [{name: ../../../outside}]\n'), source: helm },
  {
    tried: 'a chart beside the folder',
    files: chart('helmGlobals: {chartHome: ../../../outside}\nhelmCharts: [{name: shop}]\n'),
    source: helm,
  },
  {
    tried: 'a chart from a repository',
    files: chart('helmCharts: [{name: gone, repo: "http://169.254.169.254/charts", version: 1.0.0}]\n'),
    source: helm,
  },
  {
    tried: 'values from outside',
    files: chart('helmCharts: [{name: shop, valuesFile: ../../../outside/secret.txt}]\n'),
    source: helm,
  },
  {
    tried: 'values over HTTP',
    files: chart('helmCharts: [{name: shop, valuesFile: "http://127.0.0.1:PORT/v.yaml"}]\n'),
    source: helm,
  },
  {
    tried: 'a template through a symlink out of the repository',
    files: chart('helmCharts: [{name: shop}]\n', {
      'overlays/prod/charts/shop/templates/b.yaml': '-> /etc/passwd',
    }),
    source: helm,
  },
  {
    tried: 'an archive in a chart of a kustomization',
    files: chart('helmCharts: [{name: shop}]\n', {
      'overlays/prod/charts/shop/charts/a-1.0.0.tgz': new Uint8Array([0x1f, 0x8b]),
    }),
    source: helm,
  },
];

const network: readonly MaliciousCase[] = [
  { tried: 'a file over HTTP', files: resources('http://127.0.0.1:PORT/x.yaml') },
  {
    tried: 'a dependency of a chart at an internal address',
    files: dependingOn('http://169.254.169.254/latest'),
    source: plain,
  },
  { tried: 'credentials of the machine', files: resources('http://169.254.169.254/latest/meta-data/iam') },
  { tried: 'credentials of a container', files: resources('http://169.254.170.2/v2/credentials') },
  {
    tried: 'the runtime of the function',
    files: resources('http://localhost:9001/2018-06-01/runtime/invocation/next'),
  },
  { tried: 'an address of IPv6', files: resources('http://[::1]:PORT/x.yaml') },
  { tried: 'an address as one number', files: resources('http://2130706433:PORT/x.yaml') },
  { tried: 'an address in hexadecimal', files: resources('http://0x7f.1:PORT/x.yaml') },
  { tried: 'a name that leads home', files: resources('http://localtest.me:PORT/x.yaml') },
  { tried: 'a base with a token', files: resources('https://user:token@git.example/acme/x//a?ref=main') },
  { tried: 'a base in the short form', files: overlay('bases: [github.com/acme/web//base?ref=v1]\n') },
  { tried: 'a component over SSH', files: overlay('components: ["git@github.com:acme/web"]\n') },
  { tried: 'options of git in an address', files: resources('git::ssh://-oProxyCommand=x/acme/web//a') },
  {
    tried: 'options of git in a ref',
    files: resources('https://git.example/acme/web//a?ref=--upload-pack=x'),
  },
  { tried: 'a field in other letters', files: overlay('RESOURCES: ["http://127.0.0.1:PORT/x.yaml"]\n') },
  {
    tried: 'a field with a letter that only looks other',
    files: overlay('re\u017fources: ["http://127.0.0.1:PORT/x.yaml"]\n'),
  },
  {
    tried: 'a patch over HTTP',
    files: overlay('resources: [../../base]\npatches: [{path: "http://127.0.0.1:PORT/x.yaml"}]\n'),
  },
  {
    tried: 'a generated file over HTTP',
    files: overlay('configMapGenerator: [{name: a, files: ["k=http://127.0.0.1:PORT/x.yaml"]}]\n'),
  },
  {
    tried: 'a generated file over HTTP, under a name with a slash',
    files: overlay('configMapGenerator: [{name: a, files: ["a/b=http://127.0.0.1:PORT/x.yaml"]}]\n'),
  },
  {
    tried: 'a schema of values over HTTP',
    files: withSchema('{"properties": {"a": {"$ref": "http://127.0.0.1:PORT/x.json"}}}'),
    source: plain,
  },
  {
    tried: 'a schema of schemas over HTTP',
    files: withSchema('{"$schema": "http://127.0.0.1:PORT/x.json"}'),
    source: plain,
  },
  {
    tried: 'the id of a schema that Helm opens without its question mark',
    files: withSchema('{"properties": {"a": {"$id": "http://127.0.0.1:PORT/x?", "$ref": "#/b"}}}'),
    source: plain,
  },
  {
    tried: 'the same in draft 4',
    files: withSchema(
      '{"$schema": "http://json-schema.org/draft-04/schema#", "id": "http://127.0.0.1:PORT/x?", "$ref": "#/b"}',
    ),
    source: plain,
  },
  {
    tried: 'a schema in a chart of a kustomization, over HTTP',
    files: chart('helmCharts: [{name: shop}]\n', {
      'overlays/prod/charts/shop/values.yaml': 'a: 1\n',
      'overlays/prod/charts/shop/values.schema.json': '{"$ref": "http://127.0.0.1:PORT/x.json"}',
    }),
    source: helm,
  },
  {
    tried: 'a transformer that opens an address',
    files: transformer(
      'apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: t}\npath: http://127.0.0.1:PORT/x.yaml\n',
    ),
  },
  {
    tried: 'a transformer that opens several',
    files: transformer(
      'apiVersion: builtin\nkind: PatchStrategicMergeTransformer\nmetadata: {name: t}\npaths: ["http://127.0.0.1:PORT/x.yaml"]\n',
    ),
  },
  {
    tried: 'a base behind a symlink, with paths from where it really lies',
    files: {
      'overlays/prod/kustomization.yaml': 'resources: [../link]\n',
      'overlays/link': '-> ../far/away',
      'far/away/kustomization.yaml': 'resources: [../evil]\n',
      'far/evil/kustomization.yaml': 'resources: ["http://127.0.0.1:PORT/x.yaml"]\n',
    },
  },
];

export const maliciousCases: Readonly<Record<string, readonly MaliciousCase[]>> = {
  Paths: paths,
  'Programs and charts': programs,
  'The network': network,
  Sizes: sizes,
};
