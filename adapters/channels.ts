import type { SNSClient } from '@aws-sdk/client-sns';
import type { ChannelConfig } from '../core/contract/notifications.ts';
import type { Notice } from '../core/model/notice.ts';
import type { Channels } from '../core/notice-ports.ts';
import type { Clock, Secrets } from '../core/ports.ts';
import { discordBody, discordReason } from './channels/discord.ts';
import { opsgenieCalls, opsgenieReason } from './channels/opsgenie.ts';
import { pagerDutyCalls, pagerDutyReason } from './channels/pagerduty.ts';
import { postMessage, type Message } from './channels/post-message.ts';
import { signedWebhook } from './channels/signed-webhook.ts';
import { slackBody } from './channels/slack.ts';
import { teamsBody } from './channels/teams.ts';
import { publishNotice } from './channels/topic.ts';

export interface ChannelsOptions {
  readonly secrets: Secrets;
  readonly clock: Pick<Clock, 'now'>;
  /** ARN of the topic of a channel of type `email` is this and the channel's name. */
  readonly emailTopicPrefix: string;
  readonly sns?: SNSClient;
}

type SecretChannel = Extract<ChannelConfig, { readonly secret: string }>;

/** Channels of every type, over HTTP and SNS. */
export class WiredChannels implements Channels {
  readonly #options: ChannelsOptions;

  constructor(options: ChannelsOptions) {
    this.#options = options;
  }

  async deliver(channel: ChannelConfig, notice: Notice): Promise<void> {
    const { emailTopicPrefix, sns } = this.#options;
    const subject = `channel ${channel.name}`;
    switch (channel.type) {
      case 'sns':
        return publishNotice(channel.topicArn, notice, subject, sns);
      case 'email':
        return publishNotice(`${emailTopicPrefix}${channel.name}`, notice, subject, sns);
      case 'slack':
        return this.#post(channel, { body: slackBody(notice) });
      case 'teams':
        return this.#post(channel, { body: teamsBody(notice) });
      case 'discord':
        return this.#post(channel, { body: discordBody(notice), reason: discordReason });
      case 'webhook':
        return this.#sign(channel, notice);
      case 'pagerduty': {
        const key = await this.#secret(channel);
        for (const { path, body } of pagerDutyCalls(notice, key))
          await this.#post(channel, { url: below(channel.url, path), body, reason: pagerDutyReason });
        return;
      }
      case 'opsgenie': {
        const authorization = `GenieKey ${await this.#secret(channel)}`;
        for (const { path, body } of opsgenieCalls(notice)) {
          const url = below(channel.url, path);
          await this.#post(channel, { url, body, authorization, reason: opsgenieReason });
        }
      }
    }
  }

  async #sign(channel: Extract<ChannelConfig, { type: 'webhook' }>, notice: Notice): Promise<void> {
    const key = await this.#secret(channel);
    const subject = `channel ${channel.name}`;
    const options = { key, now: this.#options.clock.now(), subject, secret: channel.secret };
    const { body, headers } = signedWebhook(notice, options);
    await this.#send(channel, { url: channel.url, body, headers });
  }

  /** Without an address: the secret is the address. */
  async #post(
    channel: SecretChannel,
    {
      body,
      url,
      ...more
    }: { body: object; url?: string } & Pick<Partial<Message>, 'authorization' | 'reason'>,
  ): Promise<void> {
    await this.#send(channel, {
      url: url ?? (await this.#secret(channel)),
      body: JSON.stringify(body),
      ...more,
    });
  }

  async #send(
    channel: SecretChannel,
    message: Pick<Message, 'url' | 'body' | 'headers' | 'authorization' | 'reason'>,
  ): Promise<void> {
    await postMessage({
      subject: `channel ${channel.name}`,
      internal: channel.internal === true,
      credential: `the secret ${channel.secret}`,
      ...message,
    });
  }

  async #secret({ secret }: SecretChannel): Promise<string> {
    return (await this.#options.secrets.get(secret)).current.trim();
  }
}

function below(base: string, path: string): string {
  return `${base.replace(/\/+$/, '')}${path}`;
}
