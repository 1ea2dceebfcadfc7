import { Blocked, Stop } from './errors.ts';
import { isJsonObject, type Json, type JsonObject } from './model/json.ts';
import { describeRef, refOf, type KubeObject } from './model/object.ts';
import { isEncrypted, type SopsFile } from './model/sops.ts';
import type { SopsOpener } from './ports.ts';

const base64Pattern = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * A Secret with what SOPS encrypted in the clear: its leaves are looked up among those of the committed file, of which the
 * MAC was verified. Throws Stop and Blocked, naming object and file. Never store or log what this returns.
 */
export async function openSops(
  object: KubeObject,
  { file, text }: SopsFile,
  opener: SopsOpener | undefined,
): Promise<KubeObject> {
  const subject = `${describeRef(refOf(object))} (${file})`;
  if (opener === undefined) {
    throw new Blocked({
      subject,
      message: 'is encrypted by SOPS, and there are no keys here to open it with',
    });
  }
  const values = await opener.open({ file, text }, subject);
  const opened: [string, JsonObject][] = [];
  for (const field of ['data', 'stringData'] as const) {
    const members = object[field];
    if (!isJsonObject(members)) continue;
    const plain = Object.entries(members).map(([key, leaf]) => {
      const value = isEncrypted(leaf) ? values.get(leaf) : leaf;
      const fault = faultOf(field, value);
      if (fault !== undefined) throw new Stop({ subject, message: `${field}.${key} ${fault}` });
      return [key, value ?? ''] as const;
    });
    opened.push([field, Object.fromEntries(plain)]);
  }
  return { ...object, ...Object.fromEntries(opened) };
}

/** What the API server would refuse, and a snapshot silently lose; never with the value. */
function faultOf(field: 'data' | 'stringData', value: Json | undefined): string | undefined {
  if (value === undefined) return 'is encrypted and not of this file; encrypt the file again';
  if (typeof value !== 'string') return 'is no text once it is decrypted; quote it with `sops edit`';
  if (field === 'stringData' || base64Pattern.test(value.replaceAll(/[\r\n]/g, ''))) return undefined;
  return 'is no base64 once it is decrypted; move it to stringData';
}
