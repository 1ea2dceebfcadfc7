/** What `trueup doctor` looks at, in the order that it tells. */
export const areas = [
  'clock',
  'versions',
  'permissions',
  'functions',
  'records',
  'secrets',
  'webhooks',
  'queues',
  'clusters',
  'audit logs',
  'alarms',
] as const;
export type Area = (typeof areas)[number];

/** One thing that was looked at. `todo`: what to do about it, in a sentence; absent where it is in order. */
export interface Finding {
  readonly area: Area;
  /** `fail`: something does not work, or will not; `warn`: it may, or it could not be looked at. */
  readonly level: 'ok' | 'warn' | 'fail';
  readonly what: string;
  readonly todo?: string;
}

/** A fact about an installation, or why it could not be had: a person may lack a right, and AWS may be away. */
export type Seen<T> = { readonly seen: T } | { readonly unseen: string };

/** Judges a fact that is there; one that is not is itself a warning, since nothing can be said of it. */
export function judged<T>(
  area: Area,
  what: string,
  fact: Seen<T>,
  judge: (value: T) => readonly Finding[],
): readonly Finding[] {
  if ('seen' in fact) return judge(fact.seen);
  return [{ area, level: 'warn', what: `${what} could not be looked at`, todo: fact.unseen }];
}
