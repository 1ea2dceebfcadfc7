import type { Application } from '../model/application.ts';
import { helmSchema, type HelmOptions } from '../model/helm.ts';
import { isJsonObject, type JsonObject } from '../model/json.ts';
import type { SourceOverride } from '../model/source.ts';
import type { AskedFacts } from './context.ts';

type Source = Application['spec']['source'];

/** The source as it is on one cluster: with what the overrides that choose it say, later ones last. */
export function sourceOn(source: Source, facts: Pick<AskedFacts, 'isChosenBy'>): Source {
  const { overrides = [], ...own } = source;
  return overrides.filter(({ clusters }) => facts.isChosenBy(clusters)).reduce<Source>(withOverride, own);
}

function withOverride(source: Source, { path, helm, kustomize, substitute }: SourceOverride): Source {
  return {
    ...source,
    ...(path !== undefined && { path }),
    ...(helm !== undefined && { helm: withValues(source.helm, helm) }),
    ...(kustomize !== undefined && { kustomize: { ...source.kustomize, ...kustomize } }),
    ...(substitute !== undefined && {
      substitute: {
        variables: { ...source.substitute?.variables, ...substitute.variables },
        labels: { ...source.substitute?.labels, ...substitute.labels },
      },
    }),
  };
}

/** In the order in which Helm takes them: all files, then all values, then all parameters. */
function withValues(
  options: HelmOptions = helmSchema.parse({}),
  { valueFiles, values, parameters }: NonNullable<SourceOverride['helm']>,
): HelmOptions {
  return {
    ...options,
    valueFiles: [...options.valueFiles, ...valueFiles],
    values: merged(options.values, values),
    parameters: [...options.parameters, ...parameters],
  };
}

/** As Helm merges: maps member by member, anything else is replaced. */
function merged(below: JsonObject, above: JsonObject): JsonObject {
  const members = Object.entries(above).map(([key, value]) => {
    const before = Object.hasOwn(below, key) ? below[key] : undefined;
    return [key, isJsonObject(value) && isJsonObject(before) ? merged(before, value) : value];
  });
  return { ...below, ...Object.fromEntries(members) };
}
