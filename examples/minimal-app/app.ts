import { App, Stack } from 'aws-cdk-lib/core';
import { TrueUp } from 'trueup';

// npx cdk deploy --app 'node examples/minimal-app/app.ts'

const app = new App();
const stack = new Stack(app, 'trueup-default');

new TrueUp(stack, 'TrueUp', {
  config: {
    repositories: [{ name: 'platform', url: 'https://github.com/example/platform-config.git' }],
    clusters: [
      {
        name: 'production',
        labels: { environment: 'production' },
        access: { type: 'eks', name: 'production' },
      },
    ],
  },
});
