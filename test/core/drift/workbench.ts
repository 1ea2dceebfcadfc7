import type { RequestOptions } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import * as z from 'zod';
import { ApiClient } from '../../../adapters/api-client.ts';
import { ApiCluster } from '../../../adapters/cluster.ts';
import { SystemClock } from '../../../adapters/system-clock.ts';
import { labels } from '../../../core/contract/kubernetes.ts';
import { driftOf, type DriftVerdict } from '../../../core/drift/object-drift.ts';
import { describeRef, groupOf, refOf, type KubeObject, type LiveObject } from '../../../core/model/object.ts';
import { defaultSettings } from '../../../core/model/desired.ts';
import { Policy } from '../../../core/policy.ts';
import type { Cluster, ObjectAddress } from '../../../core/ports.ts';

/** Applies and checks single objects on a real API server, as a run and a sweep do. */
export interface Workbench {
  readonly cluster: Cluster;
  readonly requests: () => number;
  readonly apply: (object: KubeObject) => Promise<LiveObject>;
  readonly judge: (object: KubeObject) => Promise<DriftVerdict | { readonly kind: 'missing' }>;
  /** Path of the object in the API, for a client that plays somebody else. */
  readonly pathOf: (object: KubeObject) => Promise<string>;
}

const forced = { force: true } as const;
/** A kind is served a moment after its definition was accepted. */
const patienceMs = 15_000;

export async function workbench(kubeconfig: string): Promise<Workbench> {
  const { cluster, requests } = counted(new ApiCluster(await clientFor(kubeconfig)));
  const addressOf = async (object: KubeObject): Promise<ObjectAddress> => {
    const deadline = Date.now() + patienceMs;
    for (;;) {
      const found = (await cluster.resources({ refresh: Date.now() > deadline - patienceMs + 1 })).find(
        ({ group, version, kind }) =>
          kind === object.kind && group === groupOf(object.apiVersion) && object.apiVersion.endsWith(version),
      );
      const { name, namespace } = object.metadata;
      if (found !== undefined)
        return { apiVersion: object.apiVersion, plural: found.plural, namespace, name };
      if (Date.now() > deadline) throw new Error(`${object.apiVersion} ${object.kind} is not served`);
      await delay(100);
    }
  };
  const send = async (object: KubeObject, dryRun: boolean): Promise<LiveObject> => {
    const outcome = await cluster.apply(await addressOf(object), object, { ...forced, dryRun });
    if (outcome.kind === 'applied') return outcome.object;
    throw new Error(`${describeRef(refOf(object))}: ${outcome.kind}: ${outcome.message}`);
  };
  return {
    cluster,
    requests,
    apply: async (object) => send(object, false),
    judge: async (object) => {
      const live = await cluster.get(await addressOf(object));
      if (live === undefined) return { kind: 'missing' };
      const dryRun = await send(object, true);
      const mask = (secret: string) => `keyed(${secret.length})`;
      return driftOf(live, dryRun, { mask, policy: new Policy(defaultSettings), desired: object });
    },
    pathOf: async (object) => {
      const { apiVersion, plural, namespace, name } = await addressOf(object);
      const root = `${groupOf(apiVersion) === '' ? '/api' : '/apis'}/${apiVersion}`;
      return `${root}${namespace === undefined ? '' : `/namespaces/${namespace}`}/${plural}/${name}`;
    },
  };
}

/** As a run sends it: with our label. */
export function labelled(object: KubeObject, application: string): KubeObject {
  const all = { ...object.metadata.labels, [labels.application]: application };
  return { ...object, metadata: { ...object.metadata, labels: all } };
}

function counted(cluster: Cluster): { readonly cluster: Cluster; readonly requests: () => number } {
  let requests = 0;
  const count = async <T>(answer: Promise<T>): Promise<T> => {
    requests += 1;
    return answer;
  };
  return {
    requests: () => requests,
    cluster: {
      resources: async (options) => cluster.resources(options),
      get: async (address) => count(cluster.get(address)),
      list: async (resource, selector, options) => count(cluster.list(resource, selector, options)),
      apply: async (address, object, options) => count(cluster.apply(address, object, options)),
      version: async () => cluster.version(),
      patch: async (address, precondition, operations) =>
        count(cluster.patch(address, precondition, operations)),
      delete: async (address, precondition) => count(cluster.delete(address, precondition)),
    },
  };
}

async function clientFor(kubeconfig: string): Promise<ApiClient> {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const { ca, cert, key } = z.object({ ca: pem, cert: pem, key: pem }).parse(options);
  const authorization = z.object({ Authorization: z.string() }).safeParse(options.headers)
    .data?.Authorization;
  const access = {
    cluster: 'test',
    server: config.getCurrentCluster()?.server ?? '',
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { clientCertificate: { cert, key } }),
    ...(authorization === undefined ? {} : { authorization: async () => authorization }),
  };
  return new ApiClient(access, new SystemClock(), () => Number.POSITIVE_INFINITY);
}

const pem = z.union([z.string(), z.instanceof(Buffer).transform(String)]).optional();
