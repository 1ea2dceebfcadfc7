import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { findChromium, openBrowser } from './open-browser.ts';

/**
 * Pictures of every view of a dashboard that runs, to be looked at: wide and phone, light and dark.
 *
 *   node start.mjs test/browser/screenshots.ts ADDRESS FOLDER [--view NAME]...
 *
 * ADDRESS as `trueup ui` or the demo prints it. Of targets the first of the fleet is shown, which is the one most amiss;
 * `--target CLUSTER/APPLICATION` names another.
 */

const widths = { wide: { width: 1280, height: 800 }, phone: { width: 390, height: 800 } } as const;
const schemes = ['light', 'dark'] as const;

const { values, positionals } = parseArgs({
  options: { view: { type: 'string', multiple: true }, target: { type: 'string' } },
  allowPositionals: true,
});
const [address, folder] = positionals;
const chromium = findChromium();
if (address === undefined || folder === undefined || chromium === undefined) {
  console.error('usage: screenshots.ts ADDRESS FOLDER; a Chromium on the path, or CHROMIUM names one');
  process.exit(1);
}
interface Shape {
  readonly size: string;
  readonly viewport: { readonly width: number; readonly height: number };
  readonly colorScheme: (typeof schemes)[number];
  readonly address: string;
  readonly folder: string;
}

async function picture(
  from: Browser,
  { size, viewport, colorScheme, address: url, folder: into }: Shape,
): Promise<void> {
  const page = await from.newPage({ viewport, colorScheme });
  page.on('pageerror', (error) => {
    console.error(`${page.url()}: ${error.message}`);
  });
  await page.goto(url);
  const first = page.locator('a.fleet-row').first();
  await first.waitFor();
  const href = values.target === undefined ? await first.getAttribute('href') : `#/targets/${values.target}`;
  for (const [name, view] of Object.entries(views)) {
    if (values.view !== undefined && !values.view.includes(name)) continue;
    await page.evaluate(`location.hash = ${JSON.stringify(view.place.replace('TARGET', href ?? ''))}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await view.act?.(page);
    await settled(page);
    await page.screenshot({ path: join(into, `${name}-${size}-${colorScheme}.png`) });
    await page.keyboard.press('Escape');
  }
  await page.close();
}

interface View {
  /** `TARGET`: the address of one target. */
  readonly place: string;
  readonly act?: (page: Page) => Promise<void>;
}

const views: Readonly<Record<string, View>> = {
  fleet: { place: '#/' },
  tiles: { place: '#/?', act: async (page) => page.getByText('tiles').click() },
  applications: { place: '#/map' },
  timeline: { place: '#/timeline' },
  insights: { place: '#/insights' },
  clusters: { place: '#/installation/clusters' },
  environments: { place: '#/installation/environments' },
  deliveries: { place: '#/installation/deliveries' },
  objects: { place: 'TARGET/objects' },
  object: { place: 'TARGET/objects', act: openObject },
  live: { place: 'TARGET/objects', act: openLive },
  map: { place: 'TARGET/map' },
  'map-live': { place: 'TARGET/map', act: compareWithLive },
  drift: { place: 'TARGET/drift', act: openFirst },
  runs: { place: 'TARGET/runs', act: openFirst },
  'target-timeline': { place: 'TARGET/timeline' },
  at: { place: 'TARGET/then' },
  suspend: {
    place: 'TARGET/objects',
    act: async (page) => page.getByRole('button', { name: 'Suspend' }).click(),
  },
};

async function openFirst(page: Page): Promise<void> {
  const first = page.locator('.mantine-Accordion-control').first();
  await settled(page);
  if ((await first.count()) > 0) await first.click();
}

async function openObject(page: Page): Promise<void> {
  const workload = page.locator('tbody button', { hasText: /^Deployment/ }).first();
  await ((await workload.count()) > 0 ? workload : page.locator('tbody button').first()).click();
  await page.getByRole('tab', { name: 'Side by side' }).click();
}

/** Where the server looks at no cluster, the object as it is recorded. */
async function openLive(page: Page): Promise<void> {
  await openObject(page);
  const live = page.getByRole('tab', { name: 'Live' });
  if ((await live.count()) > 0) await live.click();
}

async function compareWithLive(page: Page): Promise<void> {
  await page.getByRole('combobox', { name: 'compare from' }).click();
  await page.getByRole('option').first().click();
  const pods = page.getByRole('switch', { name: 'Pods' });
  if ((await pods.count()) === 0) return;
  await pods.click({ force: true });
  const pod = page.getByRole('button', { name: /^Pod / }).first();
  // A workload may have none.
  await pod.waitFor({ timeout: 5_000 }).catch(() => undefined);
}

/** Nothing was asked for half a second: pictures, chunks and answers are there. */
async function settled(page: Page): Promise<void> {
  await page.waitForTimeout(800);
  await page.waitForLoadState('networkidle');
  await page
    .locator('[role=status]', { hasText: /^(?:Looking…)?$/ })
    .first()
    .waitFor({ state: 'detached' });
}

await mkdir(folder, { recursive: true });
const browser = await openBrowser(chromium);
try {
  for (const [size, viewport] of Object.entries(widths)) {
    for (const colorScheme of schemes) {
      await picture(browser, { size, viewport, colorScheme, address, folder });
    }
  }
} finally {
  await browser.close();
}
