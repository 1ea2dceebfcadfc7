import { isDeepStrictEqual } from 'node:util';
import type { DesiredPointer } from '../../core/model/desired.ts';
import type { LiveObject } from '../../core/model/object.ts';
import type { RunRequest } from '../../core/model/run.ts';
import { isInScope, suspensionsSchema, type Suspension } from '../../core/model/suspension.ts';
import { targetKey } from '../../core/model/target.ts';
import { millisecondsOf } from '../../core/model/time.ts';
import type { ObjectAddress } from '../../core/ports.ts';
import { badImageOf, firstCluster } from './applications.ts';
import type { Invocation } from './invocation.ts';
import type { Surroundings } from './surroundings.ts';
import { BrokenInvariant } from './trace.ts';

/** A write to a cluster: what was there, who wrote, and when that began, which may be long before it came. */
export interface Effect {
  readonly before: LiveObject | undefined;
  readonly invocation: Invocation;
  readonly issuedAt: number;
  /** What was applied; absent of deletions. */
  readonly object?: object;
}

interface Known {
  readonly pointer: DesiredPointer;
  readonly writtenAt: number;
}

/** Clocks of hosts are off by a second, either way. */
const slackMs = 2_500;
/** A run that is at work stops before its next step, and the requests of one may take as long as this. */
const longestStepMs = 90_000;

/** Sees to what people hold: pins, freezes, suspensions, stages; and to what is rolled back by itself, or ends with a pull request. */
export class HoldsWatch {
  readonly #world: Surroundings;
  readonly #known = new Map<string, Known>();
  #suspended: readonly { readonly suspension: Suspension; readonly since: number }[] = [];
  /** The snapshot that each target was last rolled back from by itself, until commits gave it another. */
  readonly #rejected = new Map<string, string>();
  /** Images that a target has had, and objects of the first stage of which somebody else changed the health. */
  readonly #reached = new Set<string>();
  readonly #disturbed = new Set<string>();
  /** Revisions that a person began, and applications whose stages a person promoted. */
  readonly #byPerson = new Set<string>();
  readonly counts = { pins: 0, rolledBack: 0, suspended: 0, environments: 0, tombstones: 0 };

  constructor(world: Surroundings) {
    this.#world = world;
  }

  pointerWritten(pointer: DesiredPointer, invocation: Invocation): void {
    const key = targetKey(pointer.target);
    const before = this.#known.get(key)?.pointer;
    this.#assertPinHolds(before, pointer, invocation);
    this.#assertNoLoop(key, before, pointer);
    this.#assertLiving(before, pointer, invocation);
    this.#known.set(key, { pointer, writtenAt: this.#world.timeline.now });
    if (pointer.pin !== undefined && before?.pin === undefined) this.counts.pins += 1;
    if (pointer.settings.environment !== undefined) {
      if (before === undefined) this.counts.environments += 1;
      if (pointer.state === 'gone' && before?.state !== 'gone') this.counts.tombstones += 1;
    }
    const ends = [pointer.pin?.until, ...pointer.settings.freeze.map(({ until }) => until)];
    for (const end of ends) this.#touchAt(end, pointer.target.cluster);
  }

  suspensionsWritten(text: string): void {
    const { active } = suspensionsSchema.parse(JSON.parse(text));
    const { now } = this.#world.timeline;
    this.#suspended = active.map((suspension) => {
      const same = this.#suspended.find((one) => isDeepStrictEqual(one.suspension, suspension));
      if (same === undefined) this.counts.suspended += 1;
      return same ?? { suspension, since: now };
    });
    for (const cluster of this.#world.clusters.keys()) {
      this.#world.touched(cluster);
      for (const { until } of active) this.#touchAt(until, cluster);
    }
  }

  promoted(application: string): void {
    this.#byPerson.add(application);
    for (const cluster of this.#world.clusters.keys()) this.#world.touched(cluster);
  }

  /** Somebody else changed an object: its health is not that of what we wanted of it. */
  disturbed(cluster: string, { plural, name }: Pick<ObjectAddress, 'plural' | 'name'>): void {
    this.#disturbed.add(`${cluster} ${plural}/${name}`);
  }

  /** A person who names a target waits for no stage; what they began is brought to its end. */
  began({ reason, target }: RunRequest): void {
    const key = targetKey(target);
    const revision = this.#known.get(key)?.pointer.revision;
    if (reason === 'sync' && revision !== undefined) this.#byPerson.add(`${key} ${revision}`);
  }

  /** Anything was written to a cluster by one of ours. */
  changed(address: ObjectAddress, effect: Effect): void {
    const { run } = effect.invocation;
    if (run === undefined) return;
    const known = this.#known.get(targetKey(run.target));
    const what = `${address.plural}/${address.name} of ${targetKey(run.target)}`;
    const frozen = this.#whyFrozen(known, effect);
    if (frozen !== undefined)
      throw new BrokenInvariant('a frozen target is not changed', `${what}: ${frozen}`);
    const suspended = this.#whySuspended(effect);
    if (suspended !== undefined)
      throw new BrokenInvariant('a suspended target is not changed', `${what}: ${suspended}`);
    if (known === undefined) return;
    this.#assertConfined(known.pointer, address, what);
    this.#assertStage(known.pointer, address, effect, what);
  }

  /** Nobody but a person ends what a person pinned, before its time. */
  #assertPinHolds(before: DesiredPointer | undefined, next: DesiredPointer, { isPerson }: Invocation): void {
    const pin = before?.pin;
    if (before === undefined || pin === undefined || pin.rejects !== undefined || isPerson) return;
    const { now } = this.#world.timeline;
    if (pin.until !== undefined && now >= millisecondsOf(pin.until) - slackMs) return;
    const isSame =
      before.snapshot === next.snapshot &&
      before.state === next.state &&
      before.revision === next.revision &&
      isDeepStrictEqual(pin, next.pin);
    if (isSame) return;
    const message = `${targetKey(next.target)} was pinned by ${pin.by} (${pin.reason}) and moved to revision ${next.revision}`;
    throw new BrokenInvariant('a pin holds', message);
  }

  /** What was rolled back by itself is not followed and rolled back again, unless commits gave something else in between. */
  #assertNoLoop(key: string, before: DesiredPointer | undefined, { pin, snapshot }: DesiredPointer): void {
    const rejects = pin?.rejects;
    if (rejects === undefined) {
      if (pin === undefined && snapshot !== this.#rejected.get(key)) this.#rejected.delete(key);
      return;
    }
    // Or a pin of a person over it has run out.
    const known = before?.pin?.rejects ?? before?.pin?.over?.rejects;
    if (known?.revision === rejects.revision) return;
    this.counts.rolledBack += 1;
    if (this.#rejected.get(key) === rejects.snapshot) {
      const message = `${key} was rolled back from ${rejects.snapshot} twice, and nothing else came in between`;
      throw new BrokenInvariant('a rollback never loops', message);
    }
    this.#rejected.set(key, rejects.snapshot);
  }

  #assertLiving(
    before: DesiredPointer | undefined,
    { target, state, repository, settings: { environment } }: DesiredPointer,
    { startedAt }: Invocation,
  ): void {
    if (environment === undefined || state !== 'gone' || before?.state !== 'present') return;
    const { application, pull } = environment;
    if (!this.#world.isPreviewWanted(repository, application, pull, startedAt)) return;
    const message = `${targetKey(target)} ends, though pull request ${pull} is open and wants it`;
    throw new BrokenInvariant('an environment ends with its pull request', message);
  }

  #whyFrozen(known: Known | undefined, { invocation, issuedAt }: Effect): string | undefined {
    const { run, startedAt } = invocation;
    // A person who asks for a run knows of the freeze.
    if (run === undefined || run.reason === 'sync') return undefined;
    const { cluster } = run.target;
    // What came after it began, it need not know.
    const own = known === undefined || known.writtenAt > startedAt ? [] : known.pointer.settings.freeze;
    const windows = [...this.#world.freezesOf(cluster), ...own];
    const covering = windows.find(
      (window) =>
        !('days' in window) &&
        millisecondsOf(window.from) + slackMs <= startedAt &&
        issuedAt < millisecondsOf(window.until) - slackMs,
    );
    return covering && `frozen from ${covering.from} until ${covering.until}, and run for ${run.reason}`;
  }

  #whySuspended({ invocation: { run, startedAt }, issuedAt }: Effect): string | undefined {
    if (run === undefined) return undefined;
    const holding = this.#suspended.find(
      ({ suspension, since }) =>
        isInScope(suspension, run.target) &&
        (suspension.until === undefined || issuedAt < millisecondsOf(suspension.until) - slackMs) &&
        (since <= startedAt || issuedAt - since > longestStepMs),
    );
    return holding && `suspended since ${holding.suspension.at}, and run for ${run.reason}`;
  }

  #assertConfined({ settings: { environment } }: DesiredPointer, address: ObjectAddress, what: string): void {
    if (environment === undefined) return;
    const place = address.plural === 'namespaces' ? address.name : address.namespace;
    if (place === environment.namespace) return;
    throw new BrokenInvariant('an environment stays in its namespace', `${what} is in ${place}`);
  }

  /** What never becomes ready in the first stage goes to no other, unless a person says so. */
  #assertStage(
    { target, settings, revision, pin }: DesiredPointer,
    address: ObjectAddress,
    { invocation: { run }, object = {} }: Effect,
    what: string,
  ): void {
    const key = targetKey(target);
    const image = badImageOf(object);
    if (image === undefined) return;
    const isNews = !this.#reached.has(`${key} ${image}`);
    this.#reached.add(`${key} ${image}`);
    if (!isNews || settings.rollout === undefined || pin !== undefined || target.cluster === firstCluster)
      return;
    const { application } = target;
    if (this.#byPerson.has(`${key} ${revision}`) || this.#byPerson.has(application)) return;
    if (this.#disturbed.has(`${firstCluster} ${address.plural}/${address.name}`)) return;
    const first = this.#known.get(targetKey({ cluster: firstCluster, application }))?.pointer;
    if (first === undefined || first.state === 'gone') return;
    throw new BrokenInvariant(
      'a stage waits for the one before',
      `${what} got ${image} for ${run?.reason ?? ''}`,
    );
  }

  /** A sweep then finds what it did not find before. */
  #touchAt(time: string | undefined, cluster: string): void {
    const { timeline } = this.#world;
    if (time === undefined || !/^\d{4}-/.test(time)) return;
    const at = millisecondsOf(time) + slackMs;
    if (at > timeline.now) timeline.at(at, () => this.#world.touched(cluster));
  }
}
