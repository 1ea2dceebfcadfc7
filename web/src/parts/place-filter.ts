import { useSearchParams } from 'wouter';

/** What a view is narrowed to, kept in its address, so that it can be sent to somebody. Names that are not known are left out. */
export function usePlaceFilter<Name extends string>(
  names: readonly Name[],
): [Readonly<Partial<Record<Name, string>>>, (part: Partial<Record<Name, string | null>>) => void] {
  const [params, setParams] = useSearchParams();
  const known = names.flatMap((name) => {
    const value = params.get(name);
    return value === null || value === '' ? [] : [[name, value] as const];
  });
  const filter = Object.fromEntries(known) as Partial<Record<Name, string>>;
  const narrow = (part: Partial<Record<Name, string | null>>): void => {
    const all: Readonly<Record<string, unknown>> = { ...filter, ...part };
    const given = Object.entries(all).flatMap(([name, value]) =>
      typeof value === 'string' && value !== '' ? [[name, value] as [string, string]] : [],
    );
    setParams(new URLSearchParams(given), { replace: true });
  };
  return [filter, narrow];
}
