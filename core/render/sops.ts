import { utf8ToBytes } from '@noble/hashes/utils.js';
import { base64 } from '@scure/base';
import { Stop, type Fault } from '../errors.ts';
import { isJsonObject, type Json } from '../model/json.ts';
import { describeRef, refKey, refOf, type KubeObject } from '../model/object.ts';
import {
  encryptOnly,
  encryptedPaths,
  isEncrypted,
  sopsMetadataSchema,
  type SopsFile,
  type SopsFiles,
} from '../model/sops.ts';
import type { Worktree } from '../ports.ts';
import { readYaml } from '../yaml/read-yaml.ts';

/** Of a length that fills whole groups, so that it begins whatever begins with it. */
const wrapped = base64.encode(utf8ToBytes('ENC[AES256_GCM,'));

interface Placed {
  readonly objects: readonly KubeObject[];
  readonly origins: { readonly [objectKey: string]: string };
}

/**
 * Takes the `sops` block off the objects that SOPS encrypted, and gives the committed file of each: a MAC is over that, and
 * not over what a renderer or a substitution made of it. `files` are those that the render read. Throws Stop with every
 * object that could not be decrypted when it is applied, or whose values could be seen then.
 */
export async function sealedBySops<R extends Placed>(
  rendered: R,
  files: readonly string[],
  worktree: Worktree,
): Promise<R & { readonly sops?: SopsFiles }> {
  const sealed = rendered.objects.filter((object) => isSealed(object));
  if (sealed.length === 0) return rendered;
  const faults: Fault[] = [];
  const sops: Record<string, SopsFile> = {};
  const committed = new CommittedFiles(files, worktree);
  for (const object of sealed) {
    const key = refKey(refOf(object));
    const subject = rendered.origins[key] ?? describeRef(refOf(object));
    const reason = refusal(object);
    const file = reason === undefined ? await committed.find(macOf(object)) : undefined;
    if (typeof file === 'object') sops[key] = file;
    else faults.push({ subject, message: `${describeRef(refOf(object))} ${reason ?? file ?? ''}` });
  }
  const [first] = faults;
  if (first !== undefined) throw new Stop(first, faults);
  const objects = rendered.objects.map((object) =>
    sops[refKey(refOf(object))] ? withoutBlock(object) : object,
  );
  return { ...rendered, objects, sops };
}

function isSealed(object: KubeObject): boolean {
  return macOf(object) !== undefined || encryptedPaths(object).length > 0 || hasWrapped(object);
}

function macOf({ sops }: KubeObject): string | undefined {
  return isJsonObject(sops) && typeof sops['mac'] === 'string' ? sops['mac'] : undefined;
}

/** A secretGenerator puts into base64 whatever it finds. */
function hasWrapped({ kind, data }: KubeObject): boolean {
  if (kind !== 'Secret' || !isJsonObject(data)) return false;
  return Object.values(data).some((value) => typeof value === 'string' && value.startsWith(wrapped));
}

/** Why an object cannot be decrypted when it is applied, behind its name. */
function refusal(object: KubeObject): string | undefined {
  const { apiVersion, kind, sops } = object;
  const parsed = sopsMetadataSchema.safeParse(sops);
  if (!parsed.success) {
    return 'holds values that SOPS encrypted and no whole `sops` block; lists, generators, charts and patches cannot be made of them: write one Secret to a file, encrypt that, and list it as a resource';
  }
  const { age, kms, key_groups: groups } = parsed.data;
  if ((groups ?? []).length > 0)
    return 'is encrypted by SOPS for groups of keys, which are not read; use one group';
  if ((age ?? []).length + (kms ?? []).length === 0) {
    return 'is encrypted by SOPS for neither KMS nor age; add a key of one of them and run `sops updatekeys`';
  }
  if (apiVersion !== 'v1' || kind !== 'Secret') {
    return 'is encrypted by SOPS and no Secret; values of other kinds show in the cluster, and cannot be kept out of its messages: put them into a Secret';
  }
  return dataRefusal(object);
}

/** Encrypted there and nowhere else: a snapshot holds what is not encrypted as it is. */
function dataRefusal(object: KubeObject): string | undefined {
  const outside = encryptedPaths(object).find(
    ([root]) => root !== 'data' && root !== 'stringData' && root !== 'sops',
  );
  if (outside !== undefined)
    return `has ${outside.join('.')} encrypted by SOPS, which is no secret; ${encryptOnly}`;
  for (const field of ['data', 'stringData'] as const) {
    const members = object[field];
    for (const [key, value] of Object.entries(isJsonObject(members) ? members : {})) {
      if (isEncrypted(value) || value === '') continue;
      return `is encrypted by SOPS, but its ${field}.${key} is not; ${encryptOnly}`;
    }
  }
  return undefined;
}

function withoutBlock(object: KubeObject): KubeObject {
  const { sops: _, ...rest } = object;
  return { ...rest, apiVersion: object.apiVersion, kind: object.kind, metadata: object.metadata };
}

/** Files of a render by the MAC that each keeps: no two are alike, since each is under a fresh nonce. */
class CommittedFiles {
  readonly #files: readonly string[];
  readonly #worktree: Worktree;

  constructor(files: readonly string[], worktree: Worktree) {
    this.#files = files.filter((file) => /\.(?:ya?ml|json)$/.test(file));
    this.#worktree = worktree;
  }

  /** The file, or why it is of no use. */
  async find(mac: string | undefined): Promise<SopsFile | string> {
    for (const file of this.#files) {
      const text = await this.#worktree.text(file);
      if (mac === undefined || !text.includes(mac)) continue;
      const [first, ...more] = readYaml(file, text);
      if (
        first !== undefined &&
        more.length === 0 &&
        isJsonObject(first.value) &&
        macIn(first.value) === mac
      ) {
        return { file, text };
      }
      return `is in ${file} with others, under one MAC; write each object into a file of its own, and encrypt that`;
    }
    return 'is encrypted by SOPS, and no manifest of the folder has its MAC; in a chart, or in a base of another repository, it cannot be: copy it here';
  }
}

function macIn({ sops }: { readonly [key: string]: Json }): Json | undefined {
  return isJsonObject(sops) ? sops['mac'] : undefined;
}
