import type { StackConfigInput } from '../core/contract/config.ts';

/**
 * Your installation: edit this file, then `npx cdk deploy`. Every field is described in `core/contract/config.ts`;
 * an editor shows the descriptions and the defaults. What is written here is an example that synthesises.
 */
const config: StackConfigInput = {
  repositories: [
    {
      name: 'platform',
      url: 'https://github.com/example/platform-config.git',
      // Private: put a token that may read the repository into a secret of this name, by hand, once.
      // tokenSecret: 'trueup/platform-token',
    },
  ],
  clusters: [
    { name: 'staging', labels: { stage: 'staging' }, access: { type: 'eks', name: 'staging' } },
    { name: 'production', labels: { stage: 'production' }, access: { type: 'eks', name: 'production' } },
  ],
};
export default config;
