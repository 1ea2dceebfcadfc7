import type { EnvironmentsConfig } from '../contract/environments.ts';
import type { PullRequest } from '../host-ports.ts';
import { secondsOf } from '../model/duration.ts';
import type { Environment, PreviewEnvironments } from '../model/preview-environments.ts';
import { nameSchema } from '../model/target.ts';
import { isoTime, millisecondsOf } from '../model/time.ts';
import type { Template } from './instantiate.ts';
import { environmentName, environmentUrl } from './variables.ts';

/** What the tracked branch says of one application: how it is run for pull requests, or why that cannot be told now. */
export type Definition =
  | (Template & { readonly kind: 'wished'; readonly clusters: readonly string[] })
  | { readonly kind: 'unknown'; readonly application: string; readonly why: string };

/** All that is decided from. */
export interface Situation {
  readonly definitions: readonly Definition[];
  /** Nothing may be missing from `definitions` by mistake: whatever is not there was given up. */
  readonly isWhole: boolean;
  /** As the host has them: those that are open, and those of recorded environments; undefined: it has none of that id. */
  readonly pulls: ReadonlyMap<string, PullRequest | undefined>;
  readonly environments: Readonly<Record<string, Environment>>;
  /** Branch that pull requests must be for. */
  readonly branch: string;
  readonly limits: Pick<EnvironmentsConfig, 'max'>;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface Wanted {
  readonly name: string;
  readonly definition: Extract<Definition, { kind: 'wished' }>;
  readonly pull: PullRequest;
  readonly environment: Environment;
}

export interface Decided {
  readonly wanted: readonly Wanted[];
  /** Names, and why they are to go. */
  readonly ending: ReadonlyMap<string, string>;
  /** What whoever opened a pull request should know of: an environment that it does not get. */
  readonly refused: readonly {
    readonly pull: PullRequest;
    readonly application: string;
    readonly why: string;
  }[];
}

/**
 * Which environments there should be. Only what the host or the tracked branch says in so many words ends one: that
 * something could not be asked or read leaves everything as it is.
 */
export function decideEnvironments(situation: Situation): Decided {
  const { definitions, environments, pulls } = situation;
  const refused: Decided['refused'][number][] = [];
  const candidates: Wanted[] = [];
  const ending = new Map<string, string>();
  for (const definition of definitions) {
    if (definition.kind === 'unknown') continue;
    for (const pull of pulls.values()) {
      if (pull === undefined || whyNot(definition, pull, situation) !== undefined) continue;
      const made = candidateOf(definition, pull, situation);
      if ('why' in made) refused.push({ pull, application: applicationOf(definition), why: made.why });
      else candidates.push(made);
    }
  }
  const own = withoutTwins(candidates, situation, refused);
  const { wanted, surplus } = withinLimits(own, countKept(own, situation), situation);
  for (const { name, pull, definition, why } of surplus) {
    refused.push({ pull, application: applicationOf(definition), why });
    if (isStanding(environments[name])) ending.set(name, why);
  }
  const names = new Set([...wanted, ...surplus].map(({ name }) => name));
  for (const [name, environment] of Object.entries(environments)) {
    if (names.has(name) || !isStanding(environment)) continue;
    const why = whyOver(name, environment, situation);
    if (why !== undefined) ending.set(name, why);
  }
  return { wanted, ending, refused };
}

function isStanding(environment: Environment | undefined): boolean {
  return environment?.state === 'active';
}

function applicationOf(definition: Definition): string {
  return definition.kind === 'unknown' ? definition.application : definition.application.metadata.name;
}

/** Why a pull request has no environment, in so many words of the host. */
function whyNot(
  { wish }: { readonly wish: PreviewEnvironments },
  { state, head, base, labels }: PullRequest,
  { branch }: Pick<Situation, 'branch'>,
): string | undefined {
  if (state !== 'open') return `the pull request was ${state}`;
  if (head.isFork) return 'the pull request comes from a fork';
  if (base.branch !== branch) return `the pull request is for ${base.branch} now, and not for ${branch}`;
  const { label } = wish;
  if (label !== undefined && !labels.includes(label)) return `the pull request has no label ${label}`;
  return undefined;
}

function candidateOf(
  definition: Extract<Definition, { kind: 'wished' }>,
  pull: PullRequest,
  { environments, now }: Situation,
): Wanted | { readonly why: string } {
  const { wish, clusters } = definition;
  const application = applicationOf(definition);
  const occasion = { application, pull };
  const name = environmentName(wish, occasion);
  if (!nameSchema.safeParse(name).success)
    return { why: `"${name}" is no name for it: lower-case letters, digits and dashes, at most 53` };
  if (name === application) return { why: `"${name}" is the name of the application itself` };
  if (clusters.length === 0)
    return { why: 'no cluster that it chooses is among those that the installation allows for it' };
  const before = environments[name];
  const isSame = before?.sha === pull.head.sha && before.pull.id === pull.id;
  const since = isSame ? before.since : isoTime(now);
  const until = isoTime(millisecondsOf(since) + secondsOf(wish.ttl) * 1000);
  if (now >= millisecondsOf(until))
    return { why: `its time was over at ${until}; the next commit brings it back` };
  const url = environmentUrl(wish, occasion);
  const environment: Environment = {
    application,
    pull: { id: pull.id, url: pull.url, branch: pull.head.branch },
    sha: pull.head.sha,
    since,
    until,
    clusters: [...new Set([...clusters, ...(before?.clusters ?? [])])],
    ...(url !== undefined && { url }),
    state: 'active',
  };
  return { name, definition, pull, environment };
}

/** Two that would have one name: who has it keeps it until nothing of it is left, else the first one gets it. */
function withoutTwins(
  candidates: readonly Wanted[],
  { environments }: Situation,
  refused: Decided['refused'][number][],
): readonly Wanted[] {
  const taken = new Map(
    Object.entries(environments).flatMap(([name, { application, state }]) =>
      state === 'ended' ? [] : [[name, application] as const],
    ),
  );
  return candidates.filter(({ name, environment: { application }, pull }) => {
    const holder = taken.get(name) ?? application;
    taken.set(name, holder);
    if (holder === application) return true;
    const why = `"${name}" is the name of one of ${holder}; give previewEnvironments.name the \${APPLICATION}`;
    refused.push({ pull, application, why });
    return false;
  });
}

/** How many stand that nobody can say anything of now, such as those of an Application that cannot be read. */
function countKept(candidates: readonly Wanted[], situation: Situation): number {
  const names = new Set(candidates.map(({ name }) => name));
  return Object.entries(situation.environments).filter(
    ([name, environment]) =>
      isStanding(environment) && !names.has(name) && whyOver(name, environment, situation) === undefined,
  ).length;
}

/** Those that stand stay, then the lowest numbers come first. */
function withinLimits(
  candidates: readonly Wanted[],
  kept: number,
  { environments, limits }: Situation,
): { readonly wanted: readonly Wanted[]; readonly surplus: readonly (Wanted & { readonly why: string })[] } {
  const rank = ({ name }: Wanted): number => (isStanding(environments[name]) ? 0 : 1);
  const ordered = candidates.toSorted(
    (a, b) => rank(a) - rank(b) || a.pull.id.localeCompare(b.pull.id, 'en', { numeric: true }),
  );
  const counts = new Map<string, number>();
  const wanted: Wanted[] = [];
  const surplus: (Wanted & { readonly why: string })[] = [];
  for (const one of ordered) {
    const application = applicationOf(one.definition);
    const count = counts.get(application) ?? 0;
    const { max } = one.definition.wish;
    const why =
      count >= max
        ? `the application has ${max} already; it waits for one of them to end`
        : `the repository has ${limits.max} already; it waits for one of them to end`;
    if (count >= max || wanted.length + kept >= limits.max) surplus.push({ ...one, why });
    else {
      counts.set(application, count + 1);
      wanted.push(one);
    }
  }
  return { wanted, surplus };
}

/** Why an environment that nobody wants is to go; undefined where that is not certain. */
function whyOver(
  name: string,
  { application, pull, until }: Environment,
  situation: Situation,
): string | undefined {
  const { definitions, isWhole, pulls, now } = situation;
  const known = pulls.get(pull.id);
  // Certain whatever its Application says, and though nobody can read that.
  if (known !== undefined && known.state !== 'open') return `the pull request was ${known.state}`;
  if (known?.head.isFork === true) return 'the pull request comes from a fork';
  const definition = definitions.find((one) => applicationOf(one) === application);
  if (definition === undefined)
    return isWhole ? `the application ${application} asks for none any more` : undefined;
  if (definition.kind === 'unknown') return undefined;
  if (!pulls.has(pull.id)) return undefined;
  const found = pulls.get(pull.id);
  // A host that knows of no such pull request may have lost it, or be another one: only time ends it then.
  const isOver = now >= millisecondsOf(until);
  if (found === undefined) return isOver ? `its time was over at ${until}` : undefined;
  const why = whyNot(definition, found, situation);
  if (why !== undefined) return why;
  if (environmentName(definition.wish, { application, pull: found }) !== name)
    return 'previewEnvironments gives it another name now';
  if (definition.clusters.length === 0) return 'the installation allows no cluster for it any more';
  return isOver ? `its time was over at ${until}; the next commit brings it back` : undefined;
}
