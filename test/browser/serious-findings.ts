import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** What axe calls serious or critical, each with the first place. */
export async function seriousFindings(page: Page): Promise<readonly string[]> {
  // Run from here: the page itself lets no foreign script in.
  await page.evaluate(await readFile(axePath, 'utf8'));
  const found: unknown = await page.evaluate('axe.run()');
  const { violations } = found as {
    readonly violations: readonly {
      readonly id: string;
      readonly impact: string;
      readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
    }[];
  };
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 200) ?? ''} ${nodes[0]?.failureSummary ?? ''}`);
}
