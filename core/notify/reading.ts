import type { News, NoticeEvent } from '../model/notice.ts';

/** How a subject stands now. */
export interface Reading {
  /** Problems that there are. */
  readonly found: readonly News[];
  /** Of which nothing can be said now: these problems stay as they are. */
  readonly unknown: readonly NoticeEvent[];
  /** What happened and is over. */
  readonly infos: readonly News[];
  readonly deployed?: { readonly revision: number; readonly news: News };
}

export const nothing: Reading = { found: [], unknown: [], infos: [] };
