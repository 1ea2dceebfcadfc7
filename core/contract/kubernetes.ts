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
  /** `disabled`: never prune this object. */
  prune: 'trueup.dev/prune',
  /** `allowed`: take over an object that exists already and is in no inventory. */
  adopt: 'trueup.dev/adopt',
  /** `warn`: unknown fields are reported, not refused. */
  fieldValidation: 'trueup.dev/field-validation',
} as const;
