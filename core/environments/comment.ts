import type { Fault } from '../errors.ts';
import type { MarkedComment } from '../host-ports.ts';
import type { Environment } from '../model/preview-environments.ts';

/** What is said of one environment, or of one that there is not. */
export interface Told {
  readonly application: string;
  readonly name?: string;
  readonly environment?: Environment;
  /** Clusters that it is on. */
  readonly clusters?: readonly string[];
  readonly why?: string;
  readonly faults?: readonly Fault[];
}

const faultsTold = 10;
const textLength = 500;

/** The comment on a pull request: a line for each of its environments. The same text for the same state of things. */
export function environmentComment(told: readonly Told[]): MarkedComment {
  const mark = '<!-- trueup: environments -->';
  const lines = told
    .toSorted((a, b) => (a.application < b.application ? -1 : 1))
    .flatMap((one) => [`- ${lineOf(one)}`, ...faultLines(one.faults ?? [])]);
  return { mark, text: [mark, '### Preview environments', '', ...lines, ''].join('\n') };
}

function lineOf({ application, name, environment, clusters = [], why, faults = [] }: Told): string {
  const what = `**${name ?? application}**`;
  if (environment === undefined) return `${what}: none, since ${plain(why ?? '')}`;
  const { state, sha, until, url } = environment;
  if (state === 'ended') return `${what}: removed, since ${plain(why ?? '')}`;
  if (state === 'ending') return `${what}: is being removed, since ${plain(why ?? '')}`;
  const commit = `\`${sha.slice(0, 7)}\``;
  const where = clusters.map((cluster) => `\`${cluster}\``).join(', ');
  const link = url === undefined ? '' : ` at <${url}>`;
  if (faults.length > 0) return `${what}: commit ${commit} cannot be run, and nothing was changed:`;
  return `${what} on ${where}${link}, commit ${commit}; kept until ${until}, and for as long again with each commit`;
}

/** What a fault quotes may be anybody's text: it is shown as it is, and means nothing to the host. */
function faultLines(faults: readonly Fault[]): string[] {
  const shown = faults.slice(0, faultsTold).map(({ subject, message }) => code(`${subject}: ${message}`));
  const more = faults.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].map((line) => `  - ${line}`);
}

function code(text: string): string {
  return `\`${plain(text).slice(0, textLength)}\``;
}

function plain(text: string): string {
  return text
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .replaceAll('`', "'")
    .replaceAll(/[<>@]/g, '');
}
