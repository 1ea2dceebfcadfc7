/** A webhook request as it came, before anything of it is believed. */
export interface HookRequest {
  readonly method: string;
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The raw bytes: what the sender signed. */
  readonly body: Uint8Array;
  /** The same bytes read as UTF-8. */
  readonly text: string;
  /** Address of the sender as AWS saw it; a header would be the sender's own word. */
  readonly sourceIp: string;
}
