import { judged, type Finding, type Seen } from './finding.ts';

/** What is told of a secret's value, so that the value itself need not leave the one who reads it. */
export type SecretShape = 'filled' | 'empty' | 'placeholder' | 'padded' | 'not-a-kubeconfig' | 'not-pem';

/** What a secret is for: whoever must fill it is told, and its form is known. */
export type SecretUse = 'webhook' | 'digest' | 'token' | 'password' | 'key' | 'kubeconfig' | 'text';

export interface SecretFact {
  readonly name: string;
  readonly use: SecretUse;
  /** Which part of the configuration names it, such as `repository config`. */
  readonly of: string;
  readonly state: Seen<'absent' | SecretShape>;
}

const placeholder =
  /^(?:change[-_ ]?me|replace[-_ ]?(?:me|this)|to[-_ ]?do|tbd|dummy|example|secret|token|password|placeholder|x{3,}|<.*>|\{"password":".*"\})$/i;

/** What a value is worth for its use. `padded`: white space at its ends, which a form or a file left there. */
export function shapeOf(value: string, use: SecretUse): SecretShape {
  const bare = value.trim();
  if (bare === '') return 'empty';
  if (placeholder.test(bare)) return 'placeholder';
  if (use === 'kubeconfig')
    return /^\s*"?clusters"?\s*:/m.test(bare) || bare.includes('"clusters"') ? 'filled' : 'not-a-kubeconfig';
  if (use === 'key')
    return bare.includes('-----BEGIN ') || bare.includes('AGE-SECRET-KEY-') ? 'filled' : 'not-pem';
  // Tokens and passwords are taken without it; what a sender signs with is taken as it is.
  return bare === value || use !== 'webhook' ? 'filled' : 'padded';
}

const faults: Readonly<Record<Exclude<'absent' | SecretShape, 'filled'>, string>> = {
  absent: 'does not exist in this account and region',
  empty: 'has no text value',
  placeholder: 'holds a placeholder and not a value',
  padded: 'begins or ends with white space, which the sender most likely leaves out',
  'not-a-kubeconfig': 'holds no kubeconfig',
  'not-pem': 'holds no private key',
};

/** Secrets that the configuration names: all that are in order on one line, and each that is not on its own. */
export function judgeSecrets(secrets: readonly SecretFact[]): readonly Finding[] {
  const found = secrets.flatMap(({ name, of, state }) =>
    judged('secrets', `secret ${name} (${of})`, state, (shape): Finding[] =>
      shape === 'filled'
        ? []
        : [
            {
              area: 'secrets',
              level: shape === 'padded' ? 'warn' : 'fail',
              what: `secret ${name} (${of}) ${faults[shape]}`,
              todo: `put the value with \`aws secretsmanager ${shape === 'absent' ? 'create-secret --name' : 'put-secret-value --secret-id'} ${name} --secret-string file://FILE\``,
            },
          ],
    ),
  );
  const good = secrets.length - new Set(found).size;
  return good === 0
    ? found
    : [{ area: 'secrets', level: 'ok', what: `${good} secrets are there and filled` }, ...found];
}
