import { git } from './git-command.ts';
import { absentSha, type RefChange, type Refs } from './ref-changes.ts';
import { owner, repositoryPayload, userPayload, type HostedRepository } from './repository-payload.ts';

// GitHub's push payload, field by field as in @octokit/webhooks-examples.

const commitsAtMost = 2048;
const format = ['%H', '%T', '%an', '%ae', '%cn', '%ce', '%cI', '%B'].join('%x00');

async function changedFiles(repository: string, sha: string) {
  const options = [
    '--root',
    '-r',
    '-z',
    '--no-renames',
    '--name-status',
    '--no-commit-id',
    '--diff-merges=first-parent',
  ];
  const fields = (await git(repository, ['diff-tree', ...options, sha]))
    .split('\0')
    .filter((field) => field !== '');
  const files: Record<'added' | 'removed' | 'modified', string[]> = { added: [], removed: [], modified: [] };
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const [status, path = ''] = fields.slice(index, index + 2);
    files[status === 'A' ? 'added' : status === 'D' ? 'removed' : 'modified'].push(path);
  }
  return files;
}

async function commitPayload(hosted: HostedRepository, sha: string, distinct: boolean) {
  const text = await git(hosted.path, ['show', '--no-patch', `--format=${format}`, sha]);
  const [id, tree, author, authorEmail, committer, committerEmail, timestamp, message = ''] =
    text.split('\0');
  return {
    id,
    tree_id: tree,
    distinct,
    message: message.trimEnd(),
    timestamp,
    url: `${hosted.htmlUrl}/commit/${id}`,
    author: { name: author, email: authorEmail },
    committer: { name: committer, email: committerEmail },
    ...(await changedFiles(hosted.path, sha)),
  };
}

async function isForced(hosted: HostedRepository, { before, after }: RefChange): Promise<boolean> {
  if (before === absentSha || after === absentSha) return false;
  return git(hosted.path, ['merge-base', '--is-ancestor', before, after]).then(
    () => false,
    () => true,
  );
}

async function list(
  repository: string,
  wanted: string,
  without: readonly string[],
): Promise<readonly string[]> {
  const limit = `--max-count=${commitsAtMost}`;
  // Lightweight refs only reach commits; --ignore-missing passes over what a deletion has just made unreachable.
  const lines = await git(repository, [
    'rev-list',
    '--reverse',
    limit,
    '--ignore-missing',
    wanted,
    '--not',
    ...without,
  ]);
  return lines === '' ? [] : lines.split('\n');
}

async function pushedCommits(hosted: HostedRepository, { ref, before, after }: RefChange, refsBefore: Refs) {
  if (after === absentSha || !ref.startsWith('refs/heads/')) return [];
  const known = [...refsBefore.values()];
  const distinct = new Set(await list(hosted.path, after, known));
  // A new branch lists what no ref had; a moved one lists what it did not have, new elsewhere or not.
  const shas = await list(hosted.path, after, before === absentSha ? known : [before]);
  return Promise.all(shas.map((sha) => commitPayload(hosted, sha, distinct.has(sha))));
}

async function headCommit(hosted: HostedRepository, after: string) {
  if (after === absentSha) return null;
  return commitPayload(hosted, await git(hosted.path, ['rev-parse', `${after}^{commit}`]), true);
}

function baseRef({ ref, before, after }: RefChange, refsBefore: Refs): string | null {
  if (before !== absentSha) return null;
  const branches = [...refsBefore].filter(
    ([name, sha]) => name !== ref && name.startsWith('refs/heads/') && sha === after,
  );
  return branches[0]?.[0] ?? null;
}

function compareUrl({ htmlUrl }: HostedRepository, { ref, before, after }: RefChange): string {
  if (before === absentSha) return `${htmlUrl}/compare/${ref.replace(/^refs\/(heads|tags)\//, '')}`;
  return `${htmlUrl}/compare/${before.slice(0, 12)}...${after.slice(0, 12)}`;
}

/** The payload of a push as GitHub sends it, for one ref; `refsBefore` are all refs as they were before the push. */
export async function pushPayload(hosted: HostedRepository, change: RefChange, refsBefore: Refs) {
  return {
    ref: change.ref,
    before: change.before,
    after: change.after,
    repository: {
      ...repositoryPayload(hosted),
      owner: { ...userPayload(owner), name: owner.login, email: owner.email },
    },
    pusher: { name: owner.login, email: owner.email },
    sender: userPayload(owner),
    created: change.before === absentSha,
    deleted: change.after === absentSha,
    forced: await isForced(hosted, change),
    base_ref: baseRef(change, refsBefore),
    compare: compareUrl(hosted, change),
    commits: await pushedCommits(hosted, change, refsBefore),
    head_commit: await headCommit(hosted, change.after),
  };
}
