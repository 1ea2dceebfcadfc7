import type { ImageFacts, PushedImage } from '../model/image.ts';
import { canonicalRepository } from './image-reference.ts';
import type { ImageChange } from './plan-update.ts';

/** What is known of the build of an image, if anything is. */
export type FactsOf = (image: PushedImage) => ImageFacts | undefined;

type Described = Pick<ImageChange, 'policy' | 'image' | 'place' | 'from' | 'to'>;

const titleLength = 72;
/** Hosts take some thousand characters. */
const mostRows = 25;

/** `Set shop to 1.3.0, and 2 others`: subject of the commit, title of the pull request. */
export function titleOf(changes: readonly Described[]): string {
  const [first, ...more] = imagesOf(changes).map(
    ({ repository, tag }) => `${repository.slice(repository.lastIndexOf('/') + 1)} to ${tag}`,
  );
  const others = more.length === 0 ? '' : `, and ${more.length} other${more.length === 1 ? '' : 's'}`;
  return `Set ${first ?? 'images'}`.slice(0, titleLength - others.length) + others;
}

/** Message of a commit: which images, what changed where, and of which builds; for people who read the log. */
export function commitMessage(changes: readonly Described[], factsOf: FactsOf): string {
  const places = changes.map(({ policy, place, from, to }) => `${place} (${policy}): ${from} -> ${to}`);
  const images = imagesOf(changes).flatMap((image) => {
    const { created, revision, source } = factsOf(image) ?? {};
    return [
      `Image: ${referenceOf(image, factsOf)}`,
      ...(created === undefined ? [] : [`Built: ${created}`]),
      ...(revision === undefined && source === undefined
        ? []
        : [`Source: ${[source, revision].filter((word) => word !== undefined).join(' at ')}`]),
    ];
  });
  return [titleOf(changes), '', ...places, '', ...images].join('\n');
}

/** Text of a pull request, Markdown. Nothing in it is what a stranger wrote but in forms that Markdown leaves alone. */
export function pullRequestText(changes: readonly Described[], factsOf: FactsOf): string {
  const rows = imagesOf(changes).map((image) => {
    const { created, revision, source } = factsOf(image) ?? {};
    const cells = [
      code(referenceOf(image, factsOf)),
      created ?? '',
      [source, revision === undefined ? undefined : code(revision)]
        .filter((word) => word !== undefined)
        .join(' at '),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const places = changes.map(
    ({ policy, place, from, to }) => `| ${[place, policy, from, to].map(code).join(' | ')} |`,
  );
  return [
    '| image | built | source |',
    '| --- | --- | --- |',
    ...capped(rows),
    '',
    '| place | policy | from | to |',
    '| --- | --- | --- | --- |',
    ...capped(places),
    '',
    'trueup keeps this branch at the newest images, by one commit on top of the tracked branch. It leaves the branch alone ' +
      'once somebody else has pushed to it. To close this without merging it rejects these versions: they are not proposed ' +
      'again, newer ones are.',
    '',
  ].join('\n');
}

function capped(rows: readonly string[]): readonly string[] {
  if (rows.length <= mostRows) return rows;
  return [...rows.slice(0, mostRows), '', `and ${rows.length - mostRows} more`];
}

/** Values come from files: no backtick, bar or line break of theirs ends the cell. */
function code(text: string): string {
  return `\`${text.replaceAll(/[`|\p{Cc}]/gu, ' ').slice(0, 300)}\``;
}

function referenceOf(image: PushedImage, factsOf: FactsOf): string {
  const digest = image.digest ?? factsOf(image)?.digest;
  return `${image.repository}:${image.tag}${digest === undefined ? '' : `@${digest}`}`;
}

/** Each image that is written once, in the order in which it first appears. */
function imagesOf(changes: readonly Described[]): readonly PushedImage[] {
  const key = ({ repository, tag, digest }: PushedImage) =>
    `${canonicalRepository(repository)}:${tag}@${digest ?? ''}`;
  return [...new Map(changes.map(({ image }) => [key(image), image] as const)).values()];
}
