import { repositorySchema } from '../../core/contract/repository.ts';
import { gitHostContract } from '../contract/git-host-contract.ts';
import { MemoryGitHost } from '../memory-git-host.ts';

const repository = repositorySchema.parse({ name: 'fleet', url: 'https://git.example/acme/fleet.git' });

gitHostContract('memory', async () => {
  const host = new MemoryGitHost();
  const { name } = repository;
  return {
    host,
    repository,
    open: (pull) => host.open(name, pull),
    merge: (id) => host.change(name, id, { state: 'merged' }),
    deleteBranch: () => undefined,
    comments: (id) => host.comments.get(`${name}#${id}`) ?? [],
    say: (id, text) => host.say(name, id, text),
    approve: (id, by, sha) => host.approve(name, id, { by, sha }),
    statuses: (sha) => {
      const at = [...(host.statuses.get(`${name}@${sha}`) ?? [])];
      return new Map(at.map(([context, { state }]) => [context, state]));
    },
    deployed: (environment, sha) => {
      const isIt = (one: { environment: string; sha: string }) =>
        one.environment === environment && one.sha === sha;
      return host.deployments.find(isIt)?.state;
    },
    hasLabels: true,
    hasForks: true,
    body: (id) => host.bodyOf(name, id),
  };
});
