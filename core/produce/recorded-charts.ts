import { Retry, Stop } from '../errors.ts';
import { isExactVersion, type ChartReference, type FollowedChart } from '../model/helm.ts';
import type { ChartFiles, Charts, FetchedChart } from '../ports.ts';

/** A chart repository did not answer: a fault of the one application, and others go on; it may pass later, unchanged. */
export class ChartsAway extends Stop {
  readonly later: Retry;
  constructor(later: Retry) {
    const { subject, message } = later;
    super({ subject, message: message.slice(subject.length + 2), cause: later });
    this.later = later;
  }
}

/** Charts of which it is noted whether the same question may get another answer another day. */
export class RecordedCharts implements Charts {
  readonly #charts: Charts;
  /** Ranges, and the versions that they led to. */
  readonly followed: FollowedChart[] = [];

  constructor(charts: Charts) {
    this.#charts = charts;
  }

  async fetch(reference: ChartReference): Promise<FetchedChart> {
    try {
      const found = await this.#charts.fetch(reference);
      const { version } = found;
      if (!isExactVersion(reference.version)) this.followed.push({ chart: reference, version });
      return found;
    } catch (error) {
      throw error instanceof Retry ? new ChartsAway(error) : error;
    }
  }

  unpack(archive: Uint8Array, subject: string): Promise<ChartFiles> {
    return this.#charts.unpack(archive, subject);
  }
}
