import { Stop, type Fault } from '../errors.ts';
import type { Capabilities } from '../model/facts.ts';
import { helmSchema, type ChartReference, type HelmOptions } from '../model/helm.ts';
import { isJsonObject, type JsonObject } from '../model/json.ts';
import { lookupsOf } from '../model/lookup.ts';
import type { HelmRequest } from '../ports.ts';
import { readYaml } from '../yaml/read-yaml.ts';
import type { RenderContext } from './context.ts';
import { decodeText } from './helm-chart.ts';
import {
  differencesOf,
  lookupFault,
  undeclaredFault,
  unstableFaults,
  type Difference,
} from './helm-compare.ts';
import { mapHooks } from './helm-hooks.ts';
import { asksCapabilities, lintChart, lintWarnings, respelled, type Finding } from './helm-lint.ts';
import { loadChart, type LoadedChart, type ResolvedChart } from './helm-load.ts';
import { DeclaredLookups, declarationOf, type SeenLookup } from './helm-lookups.ts';
import { readOutput } from './helm-output.ts';
import { assertOwnSchemas } from './helm-schema.ts';
import { assertSecretsStay } from './helm-secrets.ts';
import { readValues, type HelmValues, type ValueFile } from './helm-values.ts';
import { helmFault, secretTexts } from './helm-words.ts';
import type { PlacedObjects } from './manifests.ts';

/** The part of a source that a chart is rendered by. */
export interface HelmSource {
  readonly path: string;
  readonly chart?: ChartReference;
  readonly helm?: HelmOptions;
}

/** Objects of a chart, and everything that they were made of. */
export interface HelmObjects extends PlacedObjects {
  /** Files of this repository. */
  readonly inputs: readonly string[];
  /** Value files of other sources. */
  readonly references: readonly ValueFile[];
  /** What versions and ranges came to. */
  readonly charts: readonly ResolvedChart[];
  /** Functions whose result is another one in a release of Helm, and what two renderings differ in where that is allowed. */
  readonly warnings: readonly Fault[];
  /** What templates looked up of what is declared. */
  readonly lookups: readonly SeenLookup[];
}

/** Renders a chart as Helm 4 does. Throws Stop with every fault found, Blocked and Retry for chart repositories. */
export async function readHelm(source: HelmSource, context: RenderContext): Promise<HelmObjects> {
  const options = source.helm ?? helmSchema.parse({});
  const chart = await loadChart(source, context);
  if (!options.skipSchemaValidation) assertOwnSchemas(chart.files, chart.placeOf);
  if (chart.metadata.type === 'library') {
    const message = 'is a library for other charts, and gives no objects of its own';
    throw new Stop({ subject: chart.placeOf('Chart.yaml'), message });
  }
  const values = await readValues(source.path, options, chart, context);
  const lookups = await declaredLookups(source, options, context);
  const isAsking = asksCapabilities(chart, [...values.texts, JSON.stringify(options.parameters)]);
  const capabilities = isAsking || lookups !== undefined ? await context.facts.capabilities() : undefined;
  const findings = lintChart(chart).filter(
    ({ kind }) =>
      (kind !== 'capabilities' || capabilities === undefined) && (kind !== 'lookup' || lookups === undefined),
  );
  const request: HelmRequest = {
    chart: chart.files,
    releaseName: options.releaseName ?? context.applicationName,
    namespace: context.namespace,
    values: values.texts,
    parameters: options.parameters.map(parameterArgs),
    capabilities,
    includeCrds: !options.skipCrds,
    skipSchemaValidation: options.skipSchemaValidation,
    isUpgrade: false,
    ...(lookups !== undefined && { lookup: (question) => lookups.reply(question) }),
  };
  const secrets = [
    ...secretTexts(values.parsed, options.parameters, defaultsOf(chart)),
    ...(lookups?.secretTexts ?? []).filter((text) => text.length > 3),
  ].sort((a, b) => b.length - a.length);
  const run: Run = (changed) =>
    rendered({ ...request, ...changed }, { path: source.path, chart, secrets }, context);
  const one = lookups === undefined ? await run({}) : await lookedUp(run, lookups, context.namespace);
  const probe = { capabilities, namespace: context.namespace };
  const warnings = await examined(one, { chart, findings, options, run, probe });
  const used = lookups?.used ?? [];
  return {
    objects: mapHooks(one),
    origins: one.origins,
    ...inputsOf(chart, values),
    warnings,
    lookups: used,
  };
}

/** Undefined where the Application declares none. Throws Stop for what is not known yet. */
async function declaredLookups(
  source: HelmSource,
  { lookup }: HelmOptions,
  { facts, namespace }: RenderContext,
): Promise<DeclaredLookups | undefined> {
  if (typeof lookup === 'string') return undefined;
  const subject = `folder ${source.path}`;
  return DeclaredLookups.open(lookupsOf(lookup, namespace), await facts.lookups(), subject);
}

/** Renders with what was looked up. Throws Stop for what is not declared, and for Secrets that would spill. */
async function lookedUp(run: Run, lookups: DeclaredLookups, namespace: string): Promise<PlacedObjects> {
  const one = await run({}).catch((error: unknown) => {
    const [refused] = lookups.refused;
    if (refused !== undefined) throw new Stop(refused, lookups.refused);
    // What was not found may be why it cannot be rendered.
    if (lookups.undeclared.length === 0) throw error;
    throw new Stop(undeclaredFault(lookups.undeclared, namespace));
  });
  const { undeclared } = lookups;
  if (undeclared.length > 0) throw new Stop(undeclaredFault(undeclared, namespace));
  if (lookups.servesSecrets) {
    const other = await orUndefined(run({ lookup: (question) => lookups.reply(question, 'other') }));
    assertSecretsStay(one, other, lookups.secretTexts);
  }
  return one;
}

/** Undefined where that cannot be rendered at all. */
async function orUndefined(rendering: Promise<PlacedObjects>): Promise<PlacedObjects | undefined> {
  try {
    return await rendering;
  } catch (error) {
    if (error instanceof Stop) return undefined;
    throw error;
  }
}

type Run = (changed: Partial<HelmRequest>) => Promise<PlacedObjects>;

interface Examined {
  readonly chart: LoadedChart;
  readonly findings: readonly Finding[];
  readonly options: HelmOptions;
  readonly run: Run;
  /** Of the cluster, and of the application. */
  readonly probe: Pick<HelmRequest, 'capabilities' | 'namespace'>;
}

/** A day that is over, in place of `now`: what differs tells the time of its rendering. */
const then = '(toDate `2006-01-02` `2001-02-03`)';

/** Renders again, to see what would change without a commit or is another in a release. Gives warnings; throws Stop. */
async function examined(one: PlacedObjects, about: Examined): Promise<readonly Fault[]> {
  const { chart, findings, options, run } = about;
  const again = await run({ chart: respelled(chart.files, findings, 'now', then) });
  const unstable = differencesOf(one, again);
  const faults = unstableFaults(unstable, findings);
  const [first] = faults;
  if (first !== undefined && options.nondeterministic === 'fail') throw new Stop(first, faults);
  const known = new Set(unstable.map(({ key }) => key));
  const differs = async (changed: Partial<HelmRequest>) =>
    differencesOf(one, await run(changed)).filter(({ key }) => !known.has(key));
  return [...lintWarnings(await mattering(about, differs)), ...faults];
}

/** The findings without those that make no difference to what is rendered. Throws Stop for a lookup that does. */
async function mattering(
  { chart, findings, options, run, probe }: Examined,
  differs: (changed: Partial<HelmRequest>) => Promise<readonly Difference[]>,
): Promise<readonly Finding[]> {
  const lookups = findings.filter(({ kind }) => kind === 'lookup');
  let areMoot = lookups.length === 0;
  if (!areMoot) {
    // `dict` takes the same four words, and finds something.
    const found = { chart: respelled(chart.files, findings, 'lookup', 'dict') };
    const differences = await differs(found).catch((error: unknown) => {
      if (error instanceof Stop) return undefined;
      throw error;
    });
    areMoot = differences?.length === 0;
    if (!areMoot && options.lookup === 'refuse') {
      throw new Stop(lookupFault(differences ?? [], lookups, await wishedFor(run, probe)));
    }
  }
  const asks = findings.some(({ kind }) => kind === 'release');
  const isInstall = asks && (await differs({ isUpgrade: true })).length === 0;
  return findings.filter(({ kind }) => !(kind === 'lookup' && areMoot) && !(kind === 'release' && isInstall));
}

/** Lowest version that is supported anywhere: what comes out is not used, and only tells what templates ask. */
const anyServer: Capabilities = { version: 'v1.30.0', apiVersions: ['v1', 'v1/Secret', 'v1/ConfigMap'] };

/** What the templates look up, to be declared. */
async function wishedFor(
  run: Run,
  { capabilities, namespace }: Examined['probe'],
): Promise<readonly string[]> {
  const asked = new Set<string>();
  const lookup: HelmRequest['lookup'] = (question) => {
    asked.add(declarationOf(question, namespace));
    return { kind: 'objects', objects: [] };
  };
  await orUndefined(run({ capabilities: capabilities ?? anyServer, lookup }));
  return [...asked];
}

function inputsOf(
  { inputs, resolved }: LoadedChart,
  values: HelmValues,
): Pick<HelmObjects, 'inputs' | 'references' | 'charts'> {
  const own = values.inputs.flatMap(({ reference, path }) => (reference === undefined ? [path] : []));
  return {
    inputs: [...new Set([...inputs, ...own])],
    references: values.inputs.filter(({ reference }) => reference !== undefined),
    charts: resolved,
  };
}

async function rendered(
  request: HelmRequest,
  {
    path,
    chart,
    secrets,
  }: { readonly path: string; readonly chart: LoadedChart; readonly secrets: readonly string[] },
  { renderers }: RenderContext,
): Promise<PlacedObjects> {
  const result = await renderers.helm(request);
  if (result.kind === 'refused') throw helmFault(result.words, chart, secrets);
  return readOutput(path, result.output, chart);
}

/** As Argo CD does: commas in a text are no separators, but a list in braces stays one. */
function parameterArgs({
  name,
  value,
  forceString,
}: HelmOptions['parameters'][number]): readonly [string, string] {
  if (forceString) return ['--set-literal', `${name}=${value}`];
  const isList = value.startsWith('{') && value.endsWith('}');
  return ['--set', `${name}=${isList ? value : value.replaceAll(/(?<!\\),/g, '\\,')}`];
}

/** The chart's own values; what cannot be read is for Helm to tell. */
function defaultsOf({ files, placeOf }: LoadedChart): JsonObject {
  const text = decodeText(files.get('values.yaml') ?? new Uint8Array()) ?? '';
  try {
    const [document] = readYaml(placeOf('values.yaml'), text);
    return isJsonObject(document?.value) ? document.value : {};
  } catch (error) {
    if (error instanceof Stop) return {};
    throw error;
  }
}
