/** A CloudWatch alarm as it is now. */
export interface AlarmReading {
  readonly state: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';
  /** Since when, in milliseconds since the epoch; undefined where that is not told. */
  readonly since: number | undefined;
}

/** Alarms of the account and region of the installation, metric and composite ones. */
export interface Alarms {
  /** By name, for one request; those that are not there are left out. Throws Retry and Blocked. */
  read(names: readonly string[]): Promise<ReadonlyMap<string, AlarmReading>>;
}
