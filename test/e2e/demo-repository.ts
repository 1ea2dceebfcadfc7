import { cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { InstallationOptions } from './installation.ts';

/** The environment behind that of the branch: it has what was healthy there. */
export const nextEnvironment = 'next';
/** Its one application. */
export const nextApplication = 'catalog-next';

const application = (name: string, waitsFor: string): string => `apiVersion: trueup.dev/v1
kind: Application
metadata:
  name: ${name}
spec:
  source:
    path: apps/catalog
  clusters:
    selector:
      matchLabels:
        environment: production
  namespace: ${waitsFor}
  dependsOn:
    - application: ${waitsFor} # which brings the namespace
`;

/** Beside the quickstart: an application that waits for another, in two environments. */
const files: Readonly<Record<string, string>> = {
  'applications/catalog.yaml': application('catalog', 'storefront'),
  'environments/next/catalog.yaml': application(nextApplication, 'payments'),
  'apps/catalog/catalog.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: catalog
data:
  products.txt: |
    tea
    coffee
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: catalog
spec:
  replicas: 1
  selector:
    matchLabels:
      app: catalog
  template:
    metadata:
      labels:
        app: catalog
    spec:
      containers:
        - name: catalog
          image: nginx:1.29.1
          envFrom:
            - configMapRef:
                name: catalog
---
apiVersion: v1
kind: Service
metadata:
  name: catalog
spec:
  selector:
    app: catalog
  ports:
    - port: 80
`,
};

/** Writes what becomes the demo's configuration repository into a folder, and says how it is followed. */
export async function demoRepository(
  folder: string,
): Promise<Pick<InstallationOptions, 'from' | 'repositories'>> {
  await cp(resolve(import.meta.dirname, '../../examples/quickstart'), folder, { recursive: true });
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
  return {
    from: folder,
    repositories: (own) => [
      {
        ...own,
        name: nextEnvironment,
        applications: 'environments/next',
        promotion: { by: 'pointer', from: 'config' },
      },
    ],
  };
}
