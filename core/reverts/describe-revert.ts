import type { EventDetail } from '../contract/events.ts';
import { scrub } from '../model/scrub.ts';

/** What people read of a change that is taken back. */
export interface RevertText {
  readonly title: string;
  /** Markdown. */
  readonly body: string;
  /** Of the one commit. */
  readonly message: string;
}

interface Reverted {
  readonly rolledBack: EventDetail<'RolledBack'>;
  /** Clusters that were rolled back between the same two commits. */
  readonly clusters: readonly string[];
  readonly files: readonly string[];
  /** The file of its Application is shared, and stays as it is. */
  readonly keptFile: string | undefined;
  /** That it is of. */
  readonly installation: string;
}

const mostFiles = 30;
const subjectLength = 72;

/** Why a change is taken back, where it was rolled back, by whom, and what the pull request does not do. */
export function describeRevert({
  rolledBack,
  clusters,
  files,
  keptFile,
  installation,
}: Reverted): RevertText {
  const { target, by, reason, from, to, automatic, at } = rolledBack;
  const { application } = target;
  const title = `Revert ${application} to ${shaOf(to)}: ${plain(to.commit.subject)}`.slice(0, subjectLength);
  const who = automatic ? 'trueup itself (`spec.rollback.onFailure`)' : plain(by);
  const shown = files.slice(0, mostFiles).map((file) => `- \`${file.replaceAll('`', '')}\``);
  const more = files.length > mostFiles ? [`- and ${files.length - mostFiles} more`] : [];
  const until = automatic
    ? 'The rollback gives way to any commit that gives other objects than the one that failed; merging this one keeps what runs.'
    : `The targets are pinned until somebody runs \`trueup rollback --app ${application} --lift\`: do that once this is merged.`;
  const body = [
    `**${application}** was rolled back on ${clusters.join(', ')}, from ${told(from)} to ${told(to)}.`,
    '',
    `- **Why:** ${plain(reason)}`,
    `- **Who:** ${who}, at ${at}`,
    '',
    'This takes the change of its own files back in Git, so that the repository says again what runs:',
    '',
    ...shown,
    ...more,
    '',
    'What else changed between the two commits, such as bases and values that it shares with others, stays as it is.',
    ...(keptFile === undefined
      ? []
      : ['', `Its Application in \`${keptFile}\` shares that file with others, and stays as it is too.`]),
    '',
    until,
    '',
    `It is of the installation \`${installation}\`.`,
  ];
  const message = [
    title,
    '',
    `Rolled back on ${clusters.join(', ')} by ${harmless(by)} at ${at}: ${harmless(reason)}`,
    '',
    `From commit ${from.commit.sha}`,
    `to commit ${to.commit.sha}.`,
    '',
    `Trueup-Installation: ${installation}`,
  ];
  return { title, body: body.join('\n'), message: message.join('\n') };
}

function told(state: EventDetail<'RolledBack'>['from']): string {
  return `${shaOf(state)} (${plain(state.commit.subject)})`;
}

function shaOf({ commit }: EventDetail<'RolledBack'>['from']): string {
  return commit.sha.slice(0, 7);
}

/** Text of other people's in one line of Markdown: it mentions nobody, links nowhere and holds no HTML. */
function plain(text: string): string {
  return harmless(text.replaceAll(/[\\`*_[\]<>|]/g, '\\$&'));
}

/** The same for a commit message: no line of its own, no issue that it closes, nothing that looks like a secret. */
function harmless(text: string): string {
  return scrub(text).replaceAll('@', '@\u200b').replaceAll('#', '#\u200b').replaceAll('://', ':\u200b//');
}
