import { readFile } from 'node:fs/promises';
import type { JsonObject } from '../../core/model/json.ts';

/** The events (audit.k8s.io/v1) that kube-apiserver has written so far, oldest first. A line in the making is left out. */
export async function auditEvents(path: string): Promise<JsonObject[]> {
  const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as JsonObject);
}
