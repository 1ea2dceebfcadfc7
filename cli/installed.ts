#!/usr/bin/env node
import * as node from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * `trueup` as npm installs it. What V8 compiled is kept in the person's own cache folder, where nobody else can put
 * anything; all else is loaded afterwards, since an import would come before it. An older Node, which npm only warns of,
 * would end in a syntax error.
 */
const [major = 0] = process.versions.node.split('.').map(Number);
if (major < 22) {
  process.stderr.write(
    `trueup: needs Node 22.18 or newer; this is ${process.version}. Install it (nodejs.org).\n`,
  );
  process.exit(2);
}
node.enableCompileCache(
  join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'trueup', 'compiled'),
);
await import('./trueup.ts');
