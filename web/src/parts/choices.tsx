import { Select } from '@mantine/core';
import type { ReactNode } from 'react';

interface Props<Name extends string> {
  /** What can be chosen, by what it narrows. */
  readonly of: readonly (readonly [Name, readonly string[]])[];
  readonly filter: Readonly<Partial<Record<Name, string>>>;
  readonly narrow: (part: Partial<Record<Name, string | null>>) => void;
}

/** One of many names, or any, for each thing that a view is narrowed by; where there is but one there is nothing to choose. */
export function Choices<Name extends string>({ of, filter, narrow }: Props<Name>): ReactNode {
  return of.map(([name, all]) => {
    const value = filter[name];
    if (all.length < 2 && value === undefined) return null;
    return (
      <Select
        key={name}
        aria-label={name}
        placeholder={`any ${name}`}
        // What the address names is shown, even where there is no such thing.
        data={value === undefined || all.includes(value) ? [...all] : [value, ...all]}
        value={value ?? null}
        onChange={(chosen) => {
          const part: Partial<Record<Name, string | null>> = {};
          part[name] = chosen;
          narrow(part);
        }}
        searchable
        clearable
        limit={50}
        w={160}
      />
    );
  });
}
