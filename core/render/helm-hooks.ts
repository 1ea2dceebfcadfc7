import { annotations } from '../contract/kubernetes.ts';
import { Stop } from '../errors.ts';
import { describeRef, refKey, refOf, type KubeObject } from '../model/object.ts';
import type { PlacedObjects } from './manifests.ts';

const hook = 'helm.sh/hook';
const weight = 'helm.sh/hook-weight';
const deletePolicy = 'helm.sh/hook-delete-policy';
const resourcePolicy = 'helm.sh/resource-policy';

/** Ours tell the same occasions apart; before and after a deletion are told apart too. */
const phases: Readonly<Record<string, string>> = {
  'pre-install': 'pre-install',
  'post-install': 'post-install',
  'pre-upgrade': 'pre-upgrade',
  'post-upgrade': 'post-upgrade',
  'pre-rollback': 'pre-rollback',
  'post-rollback': 'post-rollback',
  'pre-delete': 'delete',
  'post-delete': 'post-delete',
};

const deletions: Readonly<Record<string, string>> = {
  'before-hook-creation': 'before',
  'hook-succeeded': 'succeeded',
  'hook-failed': 'failed',
};

/**
 * Helm's annotations in our words, beside the ones that the chart wrote. Hooks of one chart run one after the other, as
 * Helm has it: by weight, what they need before what runs, then by name.
 */
export function mapHooks({ objects, origins }: PlacedObjects): readonly KubeObject[] {
  const turns = new Map(
    inHelmOrder(objects.filter(isHook)).map((object, index) => [refKey(refOf(object)), index]),
  );
  return objects.map((object) => {
    const ref = refOf(object);
    const turn = turns.get(refKey(ref));
    const subject = origins[refKey(ref)] ?? describeRef(ref);
    const more = turn === undefined ? kept(object) : hookAnnotations(object, turn, subject);
    return Object.keys(more).length === 0 ? object : annotated(object, more);
  });
}

function isHook({ metadata }: KubeObject): boolean {
  return metadata.annotations?.[hook] !== undefined;
}

/** `helm.sh/resource-policy: keep`: an uninstall, or an upgrade without it, leaves the object. */
function kept({ metadata }: KubeObject): Record<string, string> {
  return metadata.annotations?.[resourcePolicy]?.trim() === 'keep' ? { [annotations.prune]: 'disabled' } : {};
}

function hookAnnotations({ metadata }: KubeObject, turn: number, subject: string): Record<string, string> {
  const own = metadata.annotations ?? {};
  return {
    [annotations.hook]: words(own[hook] ?? '', phases, hook, subject),
    // Without a policy Helm deletes the object of an earlier run before it makes the new one.
    [annotations.hookDelete]: words(
      own[deletePolicy] || 'before-hook-creation',
      deletions,
      deletePolicy,
      subject,
    ),
    [annotations.wave]: String(turn),
  };
}

function words(text: string, known: Readonly<Record<string, string>>, name: string, subject: string): string {
  const mapped = text.split(',').map((word) => {
    const ours = known[word.trim().toLowerCase()];
    if (ours !== undefined) return ours;
    const message = `has ${name}: ${word.trim()}, which is none of ${Object.keys(known).join(', ')}`;
    throw new Stop({ subject, message });
  });
  return [...new Set(mapped)].join(',');
}

/** A chart's own annotations of ours go first. */
function annotated(object: KubeObject, more: Readonly<Record<string, string>>): KubeObject {
  const { metadata } = object;
  return { ...object, metadata: { ...metadata, annotations: { ...more, ...metadata.annotations } } };
}

const runs = ['Pod', 'Job', 'CronJob', 'Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet'];

function inHelmOrder(hooks: readonly KubeObject[]): readonly KubeObject[] {
  const weightOf = ({ metadata }: KubeObject): number =>
    Math.trunc(Number(metadata.annotations?.[weight])) || 0;
  const rankOf = ({ kind }: KubeObject): number => (runs.includes(kind) ? 1 : 0);
  const byName = (a: KubeObject, b: KubeObject): number => (refKey(refOf(a)) < refKey(refOf(b)) ? -1 : 1);
  return hooks.toSorted((a, b) => weightOf(a) - weightOf(b) || rankOf(a) - rankOf(b) || byName(a, b));
}
