import type { SecretPlace } from '../model/secret-reference.ts';
import type { StackConfig } from './config.ts';
import { isAllowed } from './secret-references.ts';

/**
 * Why a reference may not be followed; undefined for one that may. Beside the list of the configuration: what trueup
 * itself works with is for no application, whatever a pattern says.
 */
export function whyNotRead(place: SecretPlace, config: StackConfig): string | undefined {
  const list = place.store === 'awssecrets' ? 'secrets' : 'parameters';
  if (!isAllowed(place, config.secretReferences)) {
    return `is not allowed; add ${place.name}, or a pattern for it, to secretReferences.${list} in the stack configuration`;
  }
  if (place.store === 'awssecrets' && isReserved(place.name, config)) {
    return 'is one of the secrets that trueup itself works with, which no application may have; keep the value in another';
  }
  return undefined;
}

function isReserved(given: string, config: StackConfig): boolean {
  const name = given.replace(/^arn:.*:secret:/, '');
  if (/^\/*trueup\//.test(name)) return true;
  const own = new Set(secretsIn(config));
  // An ARN ends with six characters more, and may be written without these.
  return own.has(name) || (given !== name && own.has(name.replace(/-[A-Za-z0-9]{6}$/, '')));
}

/** Whatever a member called `secret`, `tokenSecret` or the like names: one that is added later counts by itself. */
function secretsIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]: [string, unknown]) =>
    typeof member === 'string' ? (/secret$/i.test(key) ? [member] : []) : secretsIn(member),
  );
}
