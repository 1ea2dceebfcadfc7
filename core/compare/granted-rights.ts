import { isJsonObject, type Json } from '../model/json.ts';
import type { KubeObject } from '../model/object.ts';

const strong = ['escalate', 'bind', 'impersonate'];

/** Rights that a role gives and most never need, and who gets a role of the whole cluster; in words. */
export function grantedRights({ apiVersion, kind, ...object }: KubeObject): ReadonlySet<string> {
  if (!apiVersion.startsWith('rbac.authorization.k8s.io/')) return new Set();
  if (kind === 'Role' || kind === 'ClusterRole') return new Set(listOf(object['rules']).flatMap(rightsOf));
  const roleRef = object['roleRef'];
  const role = nameIn(roleRef);
  return new Set(listOf(object['subjects']).map((subject) => `${role} for ${nameIn(subject)}`));
}

function rightsOf(rule: Json): readonly string[] {
  if (!isJsonObject(rule)) return [];
  const [verbs, resources] = [wordsOf(rule['verbs']), wordsOf(rule['resources'])];
  const found = verbs.filter((verb) => strong.includes(verb)).map((verb) => `the verb ${verb}`);
  if (verbs.includes('*')) found.push(`every verb on ${resources.join(', ')}`);
  else if (resources.includes('*')) found.push(`${verbs.join(', ')} on everything`);
  const reads = ['get', 'list', 'watch'].some((verb) => verbs.includes(verb));
  if (resources.includes('secrets') && reads) found.push('reading Secrets');
  if (resources.includes('pods/exec')) found.push('exec into Pods');
  return found;
}

function nameIn(reference: Json | undefined): string {
  const [kind, name] = isJsonObject(reference) ? [reference['kind'], reference['name']] : [];
  return [kind, name].filter((word) => typeof word === 'string').join(' ');
}

function wordsOf(value: Json | undefined): readonly string[] {
  return listOf(value).filter((each) => typeof each === 'string');
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}
