import type { KnownBlock } from '@slack/types';
import { clipped } from '../../core/model/clipped.ts';
import type { Notice } from '../../core/model/notice.ts';
import { markOf, moreOf, withFittingItems } from './words.ts';

/** Slack's own limits: of a header, of a section, of an element of a context. */
const mostHeader = 150;
const mostSection = 3000;
const mostContext = 2000;

/** Body for an incoming webhook. Texts of strangers are escaped: none can mention anybody or hide a link. */
export function slackBody(notice: Notice): { text: string; blocks: KnownBlock[] } {
  const { title, text, todo, facts, links } = notice;
  const headline = clipped(`${markOf(notice)} ${title}`, mostHeader);
  const known = facts.map(({ name, value }) => `*${escaped(name)}* ${escaped(value)}`);
  const led = links.map((link) => `<${addressOf(link.url)}|${escaped(link.text)}>`);
  const sections = [
    escaped(text),
    listed(withFittingItems(notice, (shown) => listed(shown).length <= mostSection)),
    todo === '' ? '' : `*What to do:* ${escaped(todo)}`,
  ].filter((section) => section !== '');
  return {
    // For notifications on phones, and for screen readers; Slack reads marks in it.
    text: escaped(headline),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: headline, emoji: false } },
      ...sections.map((section): KnownBlock => ({
        type: 'section',
        text: { type: 'mrkdwn', text: clipped(section, mostSection), verbatim: true },
      })),
      {
        type: 'context',
        // A link that is cut is none.
        elements: [clipped(known.join('   '), mostContext), ...led.filter(fitsContext)].map((one) => ({
          type: 'mrkdwn' as const,
          text: one,
          verbatim: true,
        })),
      },
    ],
  };
}

function listed(notice: Notice): string {
  const lines = notice.items.map(
    (item) => `• *${escaped(item.subject)}*${item.text === '' ? '' : `: ${escaped(item.text)}`}`,
  );
  const more = moreOf(notice);
  return [...lines, ...(more === undefined ? [] : [more])].join('\n');
}

function escaped(text: string): string {
  // Marks of emphasis may stay: they change how a word looks, and nothing else.
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function addressOf(url: string): string {
  return escaped(url).replaceAll('|', '%7C');
}

function fitsContext(element: string): boolean {
  return element.length <= mostContext;
}
