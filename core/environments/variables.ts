import type { PullRequest } from '../host-ports.ts';
import type { PreviewEnvironments } from '../model/preview-environments.ts';

/** What an environment is made of. */
export interface Occasion {
  readonly application: string;
  readonly pull: PullRequest;
}

/** Text of an Application with what it says of its pull request; nothing else in it is replaced. */
function filled(text: string, variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables).reduce(
    (all, [name, value]) => all.replaceAll(`\${${name}}`, () => value),
    text,
  );
}

function pullVariables({ pull }: Occasion): Record<string, string> {
  return { PR_NUMBER: pull.id, PR_SHA: pull.head.sha, PR_BRANCH: pull.head.branch };
}

/** The name of an environment, and of its namespace: never of what whoever opened the pull request chose. */
export function environmentName({ name }: PreviewEnvironments, { application, pull }: Occasion): string {
  return filled(name, { APPLICATION: application, PR_NUMBER: pull.id });
}

/** Variables of an environment, for `substitute`. */
export function environmentVariables(
  { variables }: PreviewEnvironments,
  occasion: Occasion,
): Record<string, string> {
  const known = pullVariables(occasion);
  const own = Object.entries(variables).map(([name, text]) => [name, filled(text, known)] as const);
  return { ...Object.fromEntries(own), ...known };
}

/** Where an environment is found; undefined where the Application does not say. */
export function environmentUrl({ url }: PreviewEnvironments, occasion: Occasion): string | undefined {
  if (url === undefined) return undefined;
  const safe = Object.entries(pullVariables(occasion)).map(
    ([name, value]) => [name, encodeURIComponent(value)] as const,
  );
  return filled(url, Object.fromEntries(safe));
}
