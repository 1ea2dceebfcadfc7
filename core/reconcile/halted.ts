/** Why a run stops before its next effect although nothing failed: its work goes on in another run. */
export type HaltReason = 'superseded' | 'out-of-time' | 'lease-lost' | 'suspended';

/** Thrown between two effects; what was done is done and noted. */
export class Halted extends Error {
  override readonly name = 'Halted';
  readonly reason: HaltReason;
  constructor(reason: HaltReason, message: string) {
    super(message);
    this.reason = reason;
  }
}
