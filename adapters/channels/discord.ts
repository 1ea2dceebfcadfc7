import type { RESTPostAPIWebhookWithTokenJSONBody } from 'discord-api-types/v10';
import * as z from 'zod';
import { clipped } from '../../core/model/clipped.ts';
import type { Notice } from '../../core/model/notice.ts';
import { markOf, moreOf, withFittingItems } from './words.ts';

/** Discord's own limits are 256, 4096, 256 and 1024, and 6000 of all together. */
const mostTitle = 256;
const mostDescription = 3800;
const mostName = 100;
const mostValue = 250;
const mostFields = 5;

const colours = { error: 0xd1242f, warning: 0xe8912d, info: 0x3b82f6, over: 0x2da44e } as const;

/** Body for a webhook. Nobody is mentioned, whatever a text says. */
export function discordBody(notice: Notice): RESTPostAPIWebhookWithTokenJSONBody {
  const { title, facts, links, phase, severity, at } = notice;
  return {
    username: 'trueup',
    allowed_mentions: { parse: [] },
    embeds: [
      {
        title: clipped(`${markOf(notice)} ${escaped(title)}`, mostTitle),
        description: clipped(descriptionOf(withFittingItems(notice, fits)), mostDescription),
        color: phase === 'resolved' ? colours.over : colours[severity],
        timestamp: at,
        ...(links[0] !== undefined && { url: links[0].url }),
        fields: facts.slice(0, mostFields).map(({ name, value }) => ({
          name: clipped(name, mostName),
          value: clipped(escaped(value), mostValue) || '-',
          inline: true,
        })),
      },
    ],
  };
}

function fits(notice: Notice): boolean {
  return descriptionOf(notice).length <= mostDescription;
}

function descriptionOf(notice: Notice): string {
  const { text, items, todo, links } = notice;
  const listed = items.map(
    (item) => `- **${escaped(item.subject)}**${item.text === '' ? '' : `: ${escaped(item.text)}`}`,
  );
  const more = moreOf(notice);
  const parts = [
    escaped(text),
    [...listed, ...(more === undefined ? [] : [`- ${more}`])].join('\n'),
    todo === '' ? '' : `**What to do:** ${escaped(todo)}`,
    links.map((link) => `[${escaped(link.text)}](${link.url.replaceAll(')', '%29')})`).join(' · '),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** Markdown as it stands. */
function escaped(text: string): string {
  return text.replaceAll(/[\\*_~`|[\]()<>#@:-]/g, String.raw`\$&`);
}

const answerSchema = z.object({ message: z.string().max(200), code: z.number().default(0) });

/** Why Discord refused, in its own words. */
export function discordReason(answer: unknown): string | undefined {
  const parsed = answerSchema.safeParse(answer);
  return parsed.success ? `${parsed.data.message} (${parsed.data.code})` : undefined;
}
