import type { LookRequest } from './contract/notice-messages.ts';
import type { ChannelConfig } from './contract/notifications.ts';
import type { Notice, Outgoing } from './model/notice.ts';

/** Queues of notices. Both throw Retry and Blocked. */
export interface NoticeQueues {
  /** 0 to 900 seconds from now. */
  look(request: LookRequest, delaySeconds: number): Promise<void>;
  /** In the order of its channel; one that is sent twice within five minutes comes once. */
  send(outgoing: Outgoing): Promise<void>;
}

/** The queue of messages to channels, for whoever reads it. */
export interface HeldMessages {
  /** The message that was received so comes again after these seconds, and whatever its channel has behind it waits. */
  hold(receiptHandle: string, seconds: number): Promise<void>;
}

/** Where people are told. */
export interface Channels {
  /**
   * Says it once more where it was said already, under the same ids. Throws Retry (busy, with the time that the other side
   * names), Blocked (the address or key is refused) and Stop (the message is).
   */
  deliver(channel: ChannelConfig, notice: Notice): Promise<void>;
}
