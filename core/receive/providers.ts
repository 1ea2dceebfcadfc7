import type { HookProvider } from '../contract/hooks.ts';
import type { Provider } from './provider.ts';

/** Every provider by the name that its route has. Loaded when the first request asks for it: a function serves few. */
const providers: { readonly [P in HookProvider]: () => Promise<Provider> } = {
  github: async () => (await import('./github.ts')).github,
  gitlab: async () => (await import('./gitlab.ts')).gitlab,
  bitbucket: async () => (await import('./bitbucket.ts')).bitbucket,
  'bitbucket-data-center': async () => (await import('./bitbucket-data-center.ts')).bitbucketDataCenter,
  gitea: async () => (await import('./gitea.ts')).gitea,
  forgejo: async () => (await import('./gitea.ts')).forgejo,
  'azure-devops': async () => (await import('./azure-devops.ts')).azureDevops,
  generic: async () => (await import('./generic.ts')).generic,
  oidc: async () => (await import('./generic.ts')).oidc,
  ghcr: async () => (await import('./ghcr.ts')).ghcr,
  'docker-hub': async () => (await import('./docker-hub.ts')).dockerHub,
  harbor: async () => (await import('./harbor.ts')).harbor,
  quay: async () => (await import('./quay.ts')).quay,
  distribution: async () => (await import('./distribution.ts')).distribution,
  nexus: async () => (await import('./nexus.ts')).nexus,
  jfrog: async () => (await import('./jfrog.ts')).jfrog,
  gcr: async () => (await import('./gcr.ts')).gcr,
  cdevents: async () => (await import('./cdevents.ts')).cdevents,
  acr: async () => (await import('./acr.ts')).acr,
};

export function loadProvider(name: HookProvider): Promise<Provider> {
  return providers[name]();
}
