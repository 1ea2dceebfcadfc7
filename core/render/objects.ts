import { Stop, type Fault } from '../errors.ts';
import { apiVersion as ownApiVersion } from '../model/application.ts';
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts';
import { describeRef, kubeObjectSchema, refKey, refOf, type KubeObject } from '../model/object.ts';
import { encryptOnly, isEncrypted } from '../model/sops.ts';
import type { YamlDocument } from '../yaml/read-yaml.ts';

/** A rendered object and where it came from, e.g. `apps/web/deployment.yaml:12`. */
interface PlacedObject {
  readonly object: KubeObject;
  readonly place: string;
}

/** Faults instead of a throw: one bad object must not hide the next. */
export interface ReadObjects {
  readonly objects: readonly PlacedObject[];
  readonly faults: readonly Fault[];
}

/** Objects of one document, lists flattened. */
export function objectsOf(document: YamlDocument): ReadObjects {
  const objects: PlacedObject[] = [];
  const faults: Fault[] = [];
  for (const { value, path } of flatten(document.value, [])) {
    const read = readObject(value, (below) => document.place([...path, ...below]));
    if ('object' in read) objects.push(read);
    else faults.push(...read.faults);
  }
  return { objects, faults };
}

/** Throws Stop when there are faults, no objects at all, or two objects of one identity. */
export function assertUsable(path: string, { objects, faults }: ReadObjects): void {
  const all = [...faults, ...duplicates(objects)];
  if (objects.length === 0 && all.length === 0) {
    const message =
      'gives no objects, and an empty result never deletes anything; to remove the application, delete its Application file';
    all.push({ subject: `folder ${path}`, message });
  }
  const [first] = all;
  if (first !== undefined) throw new Stop(first, all);
}

function duplicates(objects: readonly PlacedObject[]): Fault[] {
  const first = new Map<string, string>();
  return objects.flatMap(({ object, place }) => {
    const ref = refOf(object);
    const other = first.get(refKey(ref));
    if (other !== undefined) {
      return [
        { subject: place, message: `${describeRef(ref)} is defined in ${other} too; remove one of them` },
      ];
    }
    first.set(refKey(ref), place);
    return [];
  });
}

interface Part {
  readonly value: Json;
  readonly path: readonly PropertyKey[];
}

/** `kind: List`, and typed lists such as RoleList, whose items may leave their kind to the list. */
export function flatten(value: Json, path: readonly PropertyKey[]): Part[] {
  if (!isJsonObject(value)) return [{ value, path }];
  const { apiVersion = '', kind, items } = value;
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items)) return [{ value, path }];
  const inherited: JsonObject = kind === 'List' ? {} : { apiVersion, kind: kind.slice(0, -'List'.length) };
  return items.flatMap((item: Json, index: number) =>
    flatten(isJsonObject(item) ? { ...inherited, ...item } : item, [...path, 'items', index]),
  );
}

function readObject(
  value: Json,
  place: (path: readonly PropertyKey[]) => string,
): PlacedObject | { readonly faults: readonly Fault[] } {
  const refused = refusal(value);
  if (refused !== undefined) return { faults: [{ subject: place([]), message: refused }] };
  const parsed = kubeObjectSchema.safeParse(withoutEmptyMetadata(value));
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => ({
      subject: place(path),
      message: `${path.join('.')}: ${message}`,
    }));
    return { faults };
  }
  const faults = secretFaults(parsed.data).map(({ path, message }) => ({ subject: place(path), message }));
  return faults.length > 0 ? { faults } : { object: parsed.data, place: place([]) };
}

/** Why a value is no object that could be applied, in the words of the person who wrote it. */
function refusal(value: Json): string | undefined {
  if (!isJsonObject(value)) return 'is no object; expected apiVersion, kind and metadata';
  const { apiVersion, kind, metadata } = value;
  const missing = [apiVersion ? '' : 'apiVersion', kind ? '' : 'kind'].filter(Boolean);
  if (missing.length > 0) {
    return `has no ${missing.join(' and no ')}; every YAML and JSON file here must hold Kubernetes objects`;
  }
  // What is there and of the wrong type is told by the schema.
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return undefined;
  if (isEncrypted(apiVersion) || isEncrypted(kind)) {
    return `is encrypted by SOPS whole, its kind too; ${encryptOnly}`;
  }
  if (apiVersion === ownApiVersion) return 'is read by trueup and belongs to no cluster; move it elsewhere';
  if (apiVersion.startsWith('kustomize.config.k8s.io/')) {
    return 'is for kustomize and belongs to no cluster; let source.path name its folder, or move it elsewhere';
  }
  return listRefusal(value) ?? nameRefusal(kind, isJsonObject(metadata) ? metadata : {});
}

/** Lists with items were flattened before. A kind of one's own may be called `AllowList`: such an object has a name. */
function listRefusal({ kind, items, metadata }: JsonObject): string | undefined {
  if (typeof kind !== 'string' || !kind.endsWith('List')) return undefined;
  if (items !== undefined && items !== null && !Array.isArray(items)) {
    return `${kind} has items that are no list; write each object as a document of its own`;
  }
  const isNamed = isJsonObject(metadata) && metadata['name'] !== undefined;
  if (isNamed && kind !== 'List') return undefined;
  return `${kind} is a list without items, which is no object; write each object as a document of its own`;
}

function nameRefusal(kind: string, { name, generateName }: JsonObject): string | undefined {
  if (name === undefined && generateName !== undefined) {
    return `${kind} has generateName and no name: each run would create another one; give it a name`;
  }
  return name === undefined || name === null || name === '' ? `${kind} has no metadata.name` : undefined;
}

/** What no server calls anything: it would lead elsewhere in an address, or in a key of ours. */
const unnamable = /[/%\p{Cc}]|^\.{1,2}$/u;

/** Throws Stop for objects that no server can call so, with all that were rendered: variables made some of their names. */
export function assertNamed(
  objects: readonly KubeObject[],
  origins: { readonly [objectKey: string]: string },
): void {
  const faults = objects.flatMap((object) => {
    const message = identityFault(object);
    const ref = refOf(object);
    return message === undefined ? [] : [{ subject: origins[refKey(ref)] ?? describeRef(ref), message }];
  });
  const [first] = faults;
  if (first !== undefined) throw new Stop(first, faults);
}

function identityFault({ apiVersion, kind, metadata }: KubeObject): string | undefined {
  const { name, namespace = '' } = metadata;
  const isVersion =
    apiVersion.split('/').length <= 2 &&
    !apiVersion.split('/').some((part) => part === '' || unnamable.test(part));
  if (!isVersion) return `has the apiVersion ${JSON.stringify(apiVersion)}, which is none`;
  if (unnamable.test(kind)) return `has the kind ${JSON.stringify(kind)}, which is none`;
  const [field, value] = unnamable.test(name) ? ['name', name] : ['namespace', namespace];
  if (!unnamable.test(value)) return undefined;
  return `${kind} has the metadata.${field} ${JSON.stringify(value)}; "/", "%", control characters, "." and ".." name nothing`;
}

/** `labels:` with nothing behind it is null; kubectl lets it pass. */
function withoutEmptyMetadata(value: Json): Json {
  if (!isJsonObject(value) || !isJsonObject(value['metadata'])) return value;
  const metadata = Object.fromEntries(
    Object.entries(value['metadata']).filter(([, member]) => member !== null && member !== ''),
  );
  return { ...value, metadata };
}

const secretKey = /^[-._a-zA-Z0-9]+$/;

/** What the API server would refuse later, said with file and line; never with the value. */
function secretFaults(object: KubeObject) {
  const { apiVersion, kind, data, stringData } = object;
  if (apiVersion !== 'v1' || kind !== 'Secret') return [];
  const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
  const check = (
    field: string,
    members: Json | undefined,
    isRight: (text: string) => boolean,
    right: string,
  ) =>
    Object.entries(isJsonObject(members) ? members : {})
      .filter(([key, value]) => secretKey.test(key) && (typeof value !== 'string' || !isRight(value)))
      .map(([key]) => ({ path: [field, key], message: `Secret: ${field}.${key} must be ${right}` }));
  return [
    ...secretKeyFaults(object, 'data', data),
    ...secretKeyFaults(object, 'stringData', stringData),
    ...check(
      'data',
      data,
      (text) => isEncrypted(text) || base64.test(text.replaceAll(/[\r\n]/g, '')),
      'base64; use stringData for plain text',
    ),
    ...check('stringData', stringData, () => true, 'text; quote it'),
  ];
}

/** Never with the key: kustomize makes one of every line of `envs`, of a private key's lines too. */
function secretKeyFaults(object: KubeObject, field: 'data' | 'stringData', members: Json | undefined) {
  const keys = Object.keys(isJsonObject(members) ? members : {}).filter((key) => !secretKey.test(key));
  if (keys.length === 0) return [];
  const found = keys.length === 1 ? '1 key holds' : `${keys.length} keys hold`;
  const message =
    `${describeRef(refOf(object))}: ${field}: ${found} more than letters, digits, "-", "_" and "."; ` +
    'mend them, or list a file of several lines under files and not under envs';
  return [{ path: [field], message }];
}
