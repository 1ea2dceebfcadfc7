import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { computeBill } from './bill.ts';
import { costTables, withTables } from './cost-tables.ts';
import { root } from './documents.ts';

/** `npm run bill`: computes the tables of `docs/cost.md` anew. */
const path = join(root, 'docs/cost.md');
writeFileSync(path, withTables(readFileSync(path, 'utf8'), costTables(await computeBill())));
