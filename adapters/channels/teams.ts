import type { Notice } from '../../core/model/notice.ts';
import { markOf, moreOf, withFittingItems } from './words.ts';

/** Teams takes 28 KB, all in all. */
const mostBytes = 27_000;

interface Run {
  readonly type: 'TextRun';
  readonly text: string;
  readonly weight?: 'Bolder';
  readonly size?: 'Medium';
  readonly color?: 'Attention' | 'Warning' | 'Good' | 'Accent';
}
interface Paragraph {
  readonly type: 'RichTextBlock';
  readonly inlines: readonly Run[];
}
interface OpenUrl {
  readonly type: 'Action.OpenUrl';
  readonly title: string;
  readonly url: string;
}

/** What a workflow with the trigger "When a Teams webhook request is received" posts: one Adaptive Card. */
export interface TeamsBody {
  readonly type: 'message';
  readonly attachments: readonly [
    {
      readonly contentType: 'application/vnd.microsoft.card.adaptive';
      readonly contentUrl: null;
      readonly content: {
        readonly $schema: 'http://adaptivecards.io/schemas/adaptive-card.json';
        readonly type: 'AdaptiveCard';
        readonly version: '1.4';
        readonly msteams: { readonly width: 'Full' };
        readonly fallbackText: string;
        readonly body: readonly Paragraph[];
        readonly actions: readonly OpenUrl[];
      };
    },
  ];
}

/** Body for such a workflow; of many items so many as fit. */
export function teamsBody(notice: Notice): TeamsBody {
  const fits = (shown: Notice): boolean => Buffer.byteLength(JSON.stringify(bodyOf(shown))) <= mostBytes;
  return bodyOf(withFittingItems(notice, fits));
}

function bodyOf(notice: Notice): TeamsBody {
  const { title, text, items, todo, facts, links } = notice;
  const more = moreOf(notice);
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json' as const,
    type: 'AdaptiveCard' as const,
    version: '1.4' as const,
    msteams: { width: 'Full' as const },
    fallbackText: title,
    body: [
      paragraph({
        type: 'TextRun',
        text: `${markOf(notice)} ${title}`,
        weight: 'Bolder',
        size: 'Medium',
        color: colourOf(notice),
      }),
      ...(text === '' ? [] : [paragraph(plain(text))]),
      ...items.map((item) =>
        paragraph(bold(item.subject), ...(item.text === '' ? [] : [plain(`: ${item.text}`)])),
      ),
      ...(more === undefined ? [] : [paragraph(plain(more))]),
      ...(todo === '' ? [] : [paragraph(bold('What to do: '), plain(todo))]),
      ...facts.map(({ name, value }) => paragraph(bold(`${name}: `), plain(value))),
    ],
    actions: links.map((link) => ({
      type: 'Action.OpenUrl' as const,
      title: link.text,
      url: link.url,
    })),
  };
  const contentType = 'application/vnd.microsoft.card.adaptive' as const;
  return { type: 'message', attachments: [{ contentType, contentUrl: null, content }] };
}

/** Not a TextBlock, whose text is Markdown: a text of a stranger stays what it is. */
function paragraph(...inlines: readonly Run[]): Paragraph {
  return { type: 'RichTextBlock', inlines };
}

function plain(text: string): Run {
  return { type: 'TextRun', text };
}

function bold(text: string): Run {
  return { type: 'TextRun', text, weight: 'Bolder' };
}

function colourOf({ phase, severity }: Notice): NonNullable<Run['color']> {
  if (phase === 'resolved') return 'Good';
  return ({ error: 'Attention', warning: 'Warning', info: 'Accent' } as const)[severity];
}
