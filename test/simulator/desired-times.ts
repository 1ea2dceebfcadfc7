interface Wish {
  readonly applications: Set<string>;
  readonly since: number;
}

/** Since when each object of each cluster has been desired without a break, by the pointers as they were written. */
export class DesiredTimes {
  readonly #objects = new Map<string, Wish>();
  readonly #targets = new Map<string, { readonly objects: readonly string[]; readonly at: number }>();

  moved(cluster: string, application: string, objects: readonly string[], at: number): void {
    const target = `${cluster}/${application}`;
    const next = new Set(objects);
    for (const object of next) {
      const key = `${cluster} ${object}`;
      const wish = this.#objects.get(key);
      if (wish === undefined) this.#objects.set(key, { applications: new Set([application]), since: at });
      else wish.applications.add(application);
    }
    for (const object of this.#targets.get(target)?.objects ?? []) {
      if (next.has(object)) continue;
      const key = `${cluster} ${object}`;
      const wish = this.#objects.get(key);
      wish?.applications.delete(application);
      if (wish?.applications.size === 0) this.#objects.delete(key);
    }
    this.#targets.set(target, { objects, at });
  }

  /** Undefined: nobody desires it. */
  since(cluster: string, object: string): number | undefined {
    return this.#objects.get(`${cluster} ${object}`)?.since;
  }

  movedAt(cluster: string, application: string): number | undefined {
    return this.#targets.get(`${cluster}/${application}`)?.at;
  }
}
