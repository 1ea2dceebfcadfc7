/** Field manager of every write we make. */
export const fieldManager = 'trueup';

/** Longest that one request to an API server may take; none starts that could not end before its deadline. */
export const requestSeconds = 15;

/** Labels and annotations that we put on, or read from, live objects. */
export const labels = {
  /** On everything we apply: the value is the application's name. Finds extra objects; ownership is the inventory's. */
  application: 'trueup.dev/application',
} as const;

export const annotations = {
  /** `disabled`: never prune this object; `confirm`: only when a person says so. */
  prune: 'trueup.dev/prune',
  /** `allowed`: take over an object that exists already and is in no inventory. */
  adopt: 'trueup.dev/adopt',
  /** `heal`, `observe` or `ignore`: goes before what the application says. */
  drift: 'trueup.dev/drift',
  /** `override`, `yield` or `fail`: who wins fields that others own. */
  conflicts: 'trueup.dev/conflicts',
  /** `fail`, `recreate` or `orphan-and-recreate`. */
  immutable: 'trueup.dev/immutable',
  /** A whole number: lower waves are applied, and healthy, before higher ones begin. Default 0. */
  wave: 'trueup.dev/wave',
  /** `pre`, `post`, `pre-install`, `fail`, `delete` … with commas: not part of the state, run once for each revision. */
  hook: 'trueup.dev/hook',
  /** When a hook's object is deleted: `before` the next one (default), `succeeded`, `failed`; several with commas. */
  hookDelete: 'trueup.dev/hook-delete',
  /** Set by us on the object of a hook: revision and time of the intent that it came of. */
  hookRun: 'trueup.dev/hook-run',
} as const;
