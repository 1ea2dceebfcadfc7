import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubeObject } from '../core/model/object.ts';

/** The application that brings the namespace of all others. */
export const baseApplication = 'base';
/** The application of objects whose status changes all the time. */
export const churnApplication = 'churn';

/** Application number `index`: `app-0007`. */
export function applicationName(index: number): string {
  return `app-${String(index).padStart(5, '0')}`;
}

/** Four objects, as people deploy them: no Pod ever runs, so the cluster itself is idle. */
export function applicationObjects(namespace: string, name: string, image = 'app:1'): KubeObject[] {
  const metadata = { name, namespace };
  const labels = { app: name };
  const port = { name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' };
  const container = {
    name: 'app',
    image,
    ports: [{ containerPort: 8080, protocol: 'TCP' }],
    env: [{ name: 'LOG_LEVEL', value: 'info' }],
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '128Mi' } },
    imagePullPolicy: 'IfNotPresent',
    readinessProbe: { httpGet: { path: '/ready', port: 8080 } },
  };
  const pods = { metadata: { labels }, spec: { serviceAccountName: name, containers: [container] } };
  const backend = { service: { name, port: { number: 80 } } };
  const rule = {
    host: `${name}.example.org`,
    http: { paths: [{ path: '/', pathType: 'Prefix', backend }] },
  };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        replicas: 0,
        minReadySeconds: 1,
        revisionHistoryLimit: 3,
        progressDeadlineSeconds: 600,
        selector: { matchLabels: labels },
        template: pods,
      },
    },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: labels, ports: [port] } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata, spec: { rules: [rule] } },
  ];
}

/** Autoscalers and claims, whose status others write. */
export function churnObjects(namespace: string, count: number): KubeObject[] {
  return Array.from({ length: count }, (_, index): KubeObject[] => {
    const metadata = { name: applicationName(index), namespace };
    const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: metadata.name };
    const resources = { requests: { storage: '1Gi' } };
    return [
      {
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata,
        spec: { scaleTargetRef, minReplicas: 1, maxReplicas: 3 },
      },
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata,
        spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'none', resources },
      },
    ];
  }).flat();
}

/** Writes `NAME.yaml`, a stream of JSON documents, which every peer reads as YAML. */
export async function writeApplication(
  folder: string,
  name: string,
  objects: readonly KubeObject[],
): Promise<void> {
  const text = objects.map((object) => JSON.stringify(object)).join('\n---\n');
  await writeFile(join(folder, `${name}.yaml`), `${text}\n`);
}

/** A folder with the namespace and so many applications in it; 4 objects each, and 1. */
export async function writeManifests(folder: string, namespace: string, applications: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  const home = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  await writeApplication(folder, baseApplication, [home]);
  for (let index = 0; index < applications; index += 1) {
    const name = applicationName(index);
    await writeApplication(folder, name, applicationObjects(namespace, name));
  }
}
