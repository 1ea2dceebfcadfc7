/** Why a run stops before its next effect although nothing failed. Where nothing else is said its work goes on in another run. */
export type HaltReason =
  | 'superseded'
  | 'out-of-time'
  | 'lease-lost'
  | 'suspended'
  /** Nobody else goes on: a person stopped it. */
  | 'cancelled'
  /** No more was asked for: the rest of the revision is as it was. */
  | 'partial';

/** Thrown between two effects; what was done is done and noted. */
export class Halted extends Error {
  override readonly name = 'Halted';
  readonly reason: HaltReason;
  /** Of a run that was cancelled: by whom. */
  readonly by: string | undefined;
  constructor(reason: HaltReason, message: string, by?: string) {
    super(message);
    this.reason = reason;
    this.by = by;
  }
}
