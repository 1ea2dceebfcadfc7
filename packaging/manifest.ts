import own from '../package.json' with { type: 'json' };

/** Needed by a CDK app alone: optional, so that who installs the command line gets nothing but this package. */
const forApps = {
  '@aws-cdk/lambda-layer-kubectl-v36': own.devDependencies['@aws-cdk/lambda-layer-kubectl-v36'],
  'aws-cdk-lib': own.dependencies['aws-cdk-lib'],
  constructs: own.dependencies.constructs,
  // By types alone.
  zod: own.dependencies.zod,
};

/** `package.json` of the npm package. */
export const manifest = {
  name: own.name,
  version: own.version,
  description: own.description,
  license: own.license,
  type: 'module',
  bin: { trueup: 'bin/trueup.js' },
  exports: { '.': { types: './types/infra/index.d.ts', default: './infra/index.js' } },
  // What a CDK app in TypeScript asks for too, whose types Node strips.
  engines: { node: '>=22.18' },
  peerDependencies: forApps,
  peerDependenciesMeta: Object.fromEntries(Object.keys(forApps).map((name) => [name, { optional: true }])),
};
