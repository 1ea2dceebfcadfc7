import type { ChartReference } from '../model/helm.ts';
import type { ChartFiles, Charts, FetchedChart } from '../ports.ts';

const exactVersion = /^v?\d+\.\d+\.\d+(?:[-+].*)?$/;

/** Charts of which it is noted whether the same question may get another answer another day. */
export class RecordedCharts implements Charts {
  readonly #charts: Charts;
  isFloating = false;

  constructor(charts: Charts) {
    this.#charts = charts;
  }

  fetch(reference: ChartReference): Promise<FetchedChart> {
    this.isFloating ||= !exactVersion.test(reference.version);
    return this.#charts.fetch(reference);
  }

  unpack(archive: Uint8Array, subject: string): Promise<ChartFiles> {
    return this.#charts.unpack(archive, subject);
  }
}
