/** A repository on the server: where it lies, and what it is called to the outside. */
export interface HostedRepository {
  id: number;
  name: string;
  fullName: string;
  /** The bare repository. */
  path: string;
  htmlUrl: string;
  cloneUrl: string;
  createdAt: Date;
}

/** The one account of the server; it owns each repository and does each push. */
export const owner = { login: 'acme', id: 4217, email: 'acme@users.noreply.example.com' } as const;

export const defaultBranch = 'main';

/** GitHub's user object, the fields that do not lead to other parts of its API. */
export function userPayload({ login, id }: typeof owner) {
  return { login, id, node_id: `U_${id}`, type: 'User', site_admin: false };
}

/** GitHub's repository object, as in its push and ping payloads. */
export function repositoryPayload({ id, name, fullName, htmlUrl, cloneUrl, createdAt }: HostedRepository) {
  return {
    id,
    node_id: `R_${id}`,
    name,
    full_name: fullName,
    private: true,
    owner: userPayload(owner),
    html_url: htmlUrl,
    description: null,
    fork: false,
    url: htmlUrl,
    created_at: Math.floor(createdAt.getTime() / 1000),
    updated_at: createdAt.toISOString(),
    pushed_at: Math.floor(Date.now() / 1000),
    git_url: cloneUrl.replace(/^https?:/, 'git:'),
    ssh_url: `git@${new URL(cloneUrl).hostname}:${fullName}.git`,
    clone_url: cloneUrl,
    svn_url: htmlUrl,
    size: 0,
    language: null,
    archived: false,
    disabled: false,
    visibility: 'private',
    default_branch: defaultBranch,
    master_branch: defaultBranch,
    topics: [],
  };
}
