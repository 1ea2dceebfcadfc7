import { SystemClock } from '../adapters/system-clock.ts';
import { chartSourcesSchema } from '../core/contract/chart-sources.ts';
import { Blocked } from '../core/errors.ts';
import type { ChartReference } from '../core/model/helm.ts';
import type { Charts } from '../core/ports.ts';

/**
 * Charts for a folder of a person's, with no stack configuration around it: the one repository or registry that the
 * Application names, without credentials, and archives that lie in the tree.
 */
export function localCharts(chart: ChartReference | undefined): Charts {
  return {
    fetch: async (reference) => (await open(chart)).fetch(reference),
    unpack: async (archive, subject) => (await open(chart)).unpack(archive, subject),
  };
}

/** Loaded when there is a chart, and not for every call of the command. */
async function open(chart: ChartReference | undefined): Promise<Charts> {
  const { ChartRegistry } = await import('../adapters/chart-registry.ts');
  const urls = chart === undefined ? [] : ['oci' in chart ? dirname(chart.oci) : chart.repository];
  const sources = chartSourcesSchema.parse(urls.map((url) => ({ url })));
  return new ChartRegistry({
    sources: async () => sources,
    secrets: { get: noCredentials },
    ecr: { basic: noCredentials },
    clock: new SystemClock(),
  });
}

async function noCredentials(): Promise<never> {
  const message =
    'wants credentials, which only an installation has; pull the chart, and keep it in a folder';
  throw new Blocked({ subject: 'chart', message });
}

function dirname(oci: string): string {
  return oci.slice(0, oci.lastIndexOf('/'));
}
