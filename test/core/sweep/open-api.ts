import * as z from 'zod';
import { isJsonObject, jsonObjectSchema, type Json, type JsonObject } from '../../../core/model/json.ts';
import type { ClusterClient } from '../../cluster/cluster-client.ts';

const documentSchema = z.object({
  components: z.object({ schemas: z.record(z.string(), jsonObjectSchema) }),
});
const indexSchema = z.object({ paths: z.record(z.string(), z.object({ serverRelativeURL: z.string() })) });

/** The schemas of one group and version, as the API server publishes them. */
export class OpenApi {
  readonly #schemas: Readonly<Record<string, JsonObject>>;

  private constructor(schemas: Readonly<Record<string, JsonObject>>) {
    this.#schemas = schemas;
  }

  static async read(client: ClusterClient, apiVersion: string): Promise<OpenApi> {
    const root = apiVersion.includes('/') ? 'apis' : 'api';
    const { paths } = indexSchema.parse(await readJson(client, '/openapi/v3'));
    const url = paths[`${root}/${apiVersion}`]?.serverRelativeURL;
    if (url === undefined) throw new Error(`the server publishes no schema of ${apiVersion}`);
    return new OpenApi(documentSchema.parse(await readJson(client, url)).components.schemas);
  }

  kind(group: string, version: string, kind: string): JsonObject {
    const found = Object.values(this.#schemas).find((schema) => {
      const names = schema['x-kubernetes-group-version-kind'];
      const list: readonly Json[] = Array.isArray(names) ? names : [];
      return list.some(
        (name) =>
          isJsonObject(name) &&
          name['group'] === group &&
          name['version'] === version &&
          name['kind'] === kind,
      );
    });
    if (found === undefined) throw new Error(`the server publishes no schema of ${group}/${version} ${kind}`);
    return found;
  }

  /** A schema with its reference followed; `name` is that of what it refers to. */
  resolve(schema: Json | undefined): { readonly schema: JsonObject; readonly name: string | undefined } {
    if (!isJsonObject(schema)) return { schema: {}, name: undefined };
    const all = schema['allOf'];
    const reference = Array.isArray(all) ? all[0] : schema;
    const target: Json | undefined = isJsonObject(reference) ? reference['$ref'] : undefined;
    if (typeof target !== 'string') return { schema, name: undefined };
    const name = target.slice(target.lastIndexOf('/') + 1);
    return { schema: this.#schemas[name] ?? {}, name };
  }
}

/** These documents come with a content type of their own. */
async function readJson(client: ClusterClient, path: string): Promise<unknown> {
  const { body } = await client.ask('GET', path);
  return typeof body === 'string' ? JSON.parse(body) : body;
}
