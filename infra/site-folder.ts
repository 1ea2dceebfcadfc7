import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Stack } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { buildSiteSync } from '../web/build.ts';

/** The site as the npm package brings it. */
const built = path.resolve(import.meta.dirname, '../site');

/**
 * Fills a folder with the built site, or with a stand-in where nothing is deployed, as for `cdk list`. Returns the folder,
 * or that of a site that is built already.
 */
export function siteFolder(scope: Construct, folder: string): string {
  if (existsSync(built)) return built;
  if (Stack.of(scope).bundlingRequired) buildSiteSync(folder);
  else
    for (const name of ['index.html', 'favicon.svg', 'main-STANDIN0.js'])
      writeFileSync(path.join(folder, name), '');
  return folder;
}
