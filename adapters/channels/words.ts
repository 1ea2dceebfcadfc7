import type { Notice } from '../../core/model/notice.ts';

/** What a title begins with, where people see it among many others. */
export function markOf({ phase, severity }: Pick<Notice, 'phase' | 'severity'>): string {
  if (phase === 'resolved') return '✅';
  if (phase === 'test') return '🔔';
  return { error: '🔴', warning: '🟠', info: '🔵' }[severity];
}

/** What stands below the others, where there are more than are told. */
export function moreOf({ more }: Pick<Notice, 'more'>): string | undefined {
  return more === 0 ? undefined : `and ${more} more`;
}

/** Of many items so many as fit; how many do not is said, and what stands below them is kept. */
export function withFittingItems(notice: Notice, fits: (shown: Notice) => boolean): Notice {
  let shown = notice;
  while (shown.items.length > 0 && !fits(shown))
    shown = { ...shown, items: shown.items.slice(0, -1), more: shown.more + 1 };
  return shown;
}

/** A notice as plain text, for mail and for descriptions of alerts. */
export function plainText(notice: Notice): string {
  const { title, text, items, todo, facts, links } = notice;
  const listed = items.map((item) => `- ${item.subject}${item.text === '' ? '' : `: ${item.text}`}`);
  const more = moreOf(notice);
  const parts = [
    title,
    text,
    [...listed, ...(more === undefined ? [] : [`- ${more}`])].join('\n'),
    todo === '' ? '' : `What to do: ${todo}`,
    facts.map(({ name, value }) => `${name}: ${value}`).join('\n'),
    links.map((link) => `${link.text}: ${link.url}`).join('\n'),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}
