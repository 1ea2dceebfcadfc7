import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { startUi } from '../../cli/ui.ts';
import { everywhere } from '../../core/api/person.ts';
import { tokenHeader } from '../../core/contract/site-headers.ts';
import { keys, prefixes } from '../../core/contract/keys.ts';
import { desiredPointerSchema } from '../../core/model/desired.ts';
import { inventorySchema } from '../../core/model/inventory.ts';
import { runRecordSchema } from '../../core/model/run.ts';
import { targetKey } from '../../core/model/target.ts';
import { readDocument } from '../../core/documents.ts';
import { buildSite } from '../../web/build.ts';
import { findChromium, openBrowser } from './open-browser.ts';
import { seriousFindings } from './serious-findings.ts';
import { multiplied, simulatedFleet, type SimulatedFleet } from './simulated-fleet.ts';

const chromium = findChromium();
const admin = everywhere('ada', 'admin');
const viewer = everywhere('vic', 'viewer');
const mostFirstBytes = 200 * 1024;

const everyShape = [
  '#/',
  '#/map',
  '#/timeline',
  '#/insights',
  'TARGET/objects',
  'TARGET/map',
  'TARGET/drift',
  'TARGET/runs',
  'TARGET/timeline',
] as const;

test('the first view is small', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'trueup-site-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const { first, later } = await buildSite(folder);
  const sizeOf = async (names: readonly string[]): Promise<number> => {
    const sizes = names.map(async (name) => gzipSync(await readFile(join(folder, name))).length);
    return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  };
  const [atOnce, rest] = [await sizeOf(first), await sizeOf(later)];
  t.diagnostic(`first view ${atOnce} bytes gzip in ${first.length} files; later ${rest} in ${later.length}`);
  assert.ok(atOnce <= mostFirstBytes, `${atOnce} bytes`);
});

describe(
  'the dashboard in a browser',
  { skip: chromium === undefined ? 'there is no Chromium' : false },
  () => {
    let fleet: SimulatedFleet;
    let browser: Browser;
    const stops: (() => Promise<void>)[] = [];
    let asAdmin: string;
    let asViewer: string;

    before(async () => {
      fleet = await simulatedFleet();
      browser = await openBrowser(chromium ?? '');
      stops.push(async () => browser.close());
      const [one, other] = [
        await startUi(fleet.deps, admin, { port: 0 }),
        await startUi(fleet.deps, viewer, { port: 0 }),
      ];
      stops.push(one.stop, other.stop);
      [asAdmin, asViewer] = [one.url, other.url];
    });
    after(async () => {
      for (const stop of stops.toReversed()) await stop();
    });

    /** A page whose clock stands where that of the records does; anything that a browser complains of fails the test. */
    async function open(
      url: string,
      options: BrowserContextOptions = {},
    ): Promise<{ page: Page; complaints: string[] }> {
      const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, ...options });
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      await page.clock.install({ time: fleet.deps.clock.now() });
      await page.goto(url);
      await page.locator('a.fleet-row').first().waitFor();
      return { page, complaints };
    }

    async function show(page: Page, name: string): Promise<void> {
      const folder = process.env['TRUEUP_SCREENSHOTS'];
      if (folder === undefined) return;
      await mkdir(folder, { recursive: true });
      await page.screenshot({ path: join(folder, `${name}.png`) });
    }

    test('a person finds a target, sees its objects, runs and drift, and asks for a sync once', async () => {
      const { page, complaints } = await open(asAdmin);
      await page.keyboard.press('/');
      await page.keyboard.type('app');
      await page.keyboard.press('Escape');
      await page.locator('[data-search]').blur();
      await page.keyboard.press('j');
      await page.keyboard.press('Enter');
      await page.getByRole('tab', { name: /^Objects/ }).waitFor();
      await show(page, 'target');
      await page.locator('tbody button').first().click();
      await page
        .getByText(/^apiVersion: /)
        .first()
        .waitFor();
      await page.keyboard.press('Escape');
      for (const tab of ['Map', 'Drift', 'Runs', 'At a time']) {
        await page.getByRole('tab', { name: new RegExp(`^${tab}`) }).click();
        await page.getByRole('tabpanel').waitFor();
      }
      await page.getByRole('tab', { name: 'Runs' }).click();
      await page.locator('.mantine-Accordion-control').first().click();
      await page.getByText(/asked for by/).waitFor();
      await page.getByRole('button', { name: 'Sync' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Sync' }).click();
      await page.getByRole('status').waitFor();
      const [asked, ...more] = fleet.asked;
      assert.equal(more.length, 0);
      assert.equal(asked?.reason, 'sync');
      assert.match(asked.requestedBy, /^ada /);
      assert.deepEqual(complaints, []);
      await page.close();
    });

    test('who may only look is offered nothing, and refused when asking all the same', async () => {
      const { page } = await open(asViewer);
      await page.locator('a.fleet-row').first().click();
      await page.getByRole('tab', { name: /^Objects/ }).waitFor();
      assert.equal(await page.getByRole('button', { name: 'Sync' }).count(), 0);
      const target = new URL(page.url()).hash.slice(2).split('/').slice(0, 3).join('/');
      const token = asViewer.split('#token=')[1] ?? '';
      const { status } = await fetch(new URL(`api/v1/${target}/sync`, asViewer), {
        method: 'POST',
        body: '{}',
        headers: { [tokenHeader]: `Bearer ${token}` },
      });
      assert.equal(status, 403);
      await page.close();
    });

    test('an object is seen as Git has it, as it was applied and as it is, with its Pods and their logs', async () => {
      const { page, complaints } = await open(asAdmin);
      await page.evaluate(`location.hash = ${JSON.stringify(`#/targets/${await withDeployment(fleet)}`)}`);
      await page
        .locator('tbody button', { hasText: /^Deployment/ })
        .first()
        .click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('tab', { name: 'Side by side' }).click();
      await dialog.getByRole('region', { name: 'applied last beside Git says' }).waitFor();
      await dialog.getByText(/^kubectl .*logs deployments/).waitFor();
      await dialog.getByRole('tab', { name: 'Live' }).click();
      await dialog.getByText('<b>Back-off</b> restarting').waitFor();
      await dialog.getByRole('button', { name: 'main (Running)' }).click();
      await dialog.getByText('main says hello', { exact: true }).waitFor();
      await dialog.getByRole('switch', { name: 'before its last restart' }).click();
      await dialog.getByText('main says hello for the last time').waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('tab', { name: 'Map' }).click();
      await page.getByRole('switch', { name: 'Pods' }).click();
      await page.getByRole('button', { name: /^Pod 1\/1 pod-1, .*, Healthy$/ }).waitFor();
      assert.deepEqual(complaints, []);
      await page.close();
    });

    test('a rollback is asked for with a reason, shown as a pin, and lifted', async () => {
      const { page, complaints } = await open(asAdmin);
      const place = await withTwoSnapshots(fleet);
      await page.evaluate(`location.hash = ${JSON.stringify(`#/targets/${place}/runs`)}`);
      await page.getByRole('button', { name: 'Roll back' }).click();
      const dialog = page.getByRole('dialog');
      assert.ok(await dialog.getByRole('button', { name: 'Roll back' }).isDisabled());
      await dialog.getByLabel('Why').fill('the new one is slow');
      await dialog.getByRole('button', { name: 'Roll back' }).click();
      await dialog.getByRole('status').waitFor();
      await dialog.getByRole('button', { name: 'Close', exact: true }).last().click();
      await page.getByText('pinned', { exact: true }).waitFor();
      await page
        .getByText(/the new one is slow/)
        .first()
        .waitFor();
      await page.getByRole('button', { name: 'Lift rollback' }).click();
      await dialog.getByRole('button', { name: 'Lift rollback' }).click();
      await dialog.getByRole('status').waitFor();
      await page.getByText('pinned', { exact: true }).waitFor({ state: 'detached' });
      assert.deepEqual(complaints, []);
      await page.close();
    });

    test('a filter is in the address, a map leads on, a delivery is read again', async () => {
      const { page, complaints } = await open(asAdmin);
      await page.evaluate("location.hash = '#/?cluster=cluster-2&sync=Synced'");
      await page.locator('a.fleet-row', { hasText: 'cluster-1' }).first().waitFor({ state: 'detached' });
      await page.getByRole('button', { name: /Synced/, pressed: true }).click();
      await page.waitForURL(/#\/\?cluster=cluster-2$/);
      await page.keyboard.press('m');
      const node = page.getByRole('button', { name: /Application app-\d+, Healthy/ }).first();
      await node.focus();
      await page.keyboard.press('Enter');
      await page.getByRole('tab', { name: 'Map', selected: true }).waitFor();
      await page.evaluate("location.hash = '#/installation/deliveries'");
      await page
        .getByRole('button', { name: /^Read again: / })
        .first()
        .click();
      await page.getByRole('dialog').getByRole('button', { name: 'Read again' }).click();
      await page.getByRole('dialog').getByText(/ada/).waitFor();
      assert.deepEqual(complaints, []);
      await page.close();
    });

    test('axe finds nothing serious in any view, light and dark, wide and on a phone', async (t) => {
      const findings: string[] = [];
      let looked = 0;
      for (const [colorScheme, width, more] of [
        ['light', 1280, ['#/installation/clusters', '#/installation/deliveries']],
        ['dark', 390, ['#/installation/environments', 'TARGET/then']],
      ] as const) {
        const { page, complaints } = await open(asAdmin, { colorScheme, viewport: { width, height: 800 } });
        const href = (await page.locator('a.fleet-row').first().getAttribute('href')) ?? '';
        for (const place of [...everyShape, ...more].map((each) => each.replace('TARGET', href))) {
          await page.evaluate(`location.hash = ${JSON.stringify(place)}`);
          await page.getByRole('heading', { level: 1 }).waitFor();
          await page.waitForLoadState('networkidle');
          const wide = Number(await page.evaluate('document.documentElement.scrollWidth - innerWidth'));
          assert.ok(wide <= 0, `${place} is ${wide} px wider than a screen of ${width}`);
          for (const finding of await seriousFindings(page))
            findings.push(`${place} ${colorScheme}: ${finding}`);
          looked += 1;
          await show(page, `${colorScheme}-${width}-${place.replaceAll(/\W+/g, '-')}`);
        }
        assert.deepEqual(complaints, []);
        await page.close();
      }
      assert.deepEqual(findings, []);
      t.diagnostic(`${looked} looks, light at 1280 px and dark at 390 px: no serious finding`);
    });

    test('a page that nobody answers says how old it is, and goes on when somebody does; time goes on too', async () => {
      const { page } = await open(asAdmin);
      const ago = page.locator('a.fleet-row').first().locator('time');
      const first = await ago.textContent();
      const api = /\/api\/v1\//;
      await page.route(api, async (route) => route.abort());
      await page.clock.runFor(120_000);
      await page.getByText(/^What you see is as it was at/).waitFor();
      assert.notEqual(await ago.textContent(), first);
      await page.unroute(api);
      await page.clock.runFor(10_000);
      await page.getByText(/^What you see is as it was at/).waitFor({ state: 'detached' });
      await page.close();
    });

    test('what there is not, what one may not and what fails is told, each at once and with what to do', async () => {
      const { page } = await open(asAdmin);
      await page.evaluate("location.hash = '#/targets/nowhere/nothing'");
      await page.getByText('There is no target nowhere/nothing.').waitFor();
      for (const [status, title] of [
        [401, 'You are not signed in.'],
        [403, 'You may not.'],
        [500, 'Something failed here.'],
      ] as const) {
        const body = JSON.stringify({ type: 'about:blank', title, status, detail: 'do this' });
        const contentType = 'application/problem+json';
        await page.route(/\/insights/, async (route) => route.fulfill({ status, body, contentType }));
        await page.evaluate("location.hash = '#/insights'");
        await page.clock.runFor(10_000);
        await page.getByRole('alert').getByText(title).waitFor();
        await page.unroute(/\/insights/);
        await page.reload();
      }
      await page.close();
    });

    test('a dialog is entered, left by Escape, and gives the focus back', async () => {
      const { page } = await open(asAdmin);
      await page.evaluate(`location.hash = ${JSON.stringify(`#/targets/${await withDeployment(fleet)}`)}`);
      const button = page.getByRole('button', { name: 'Suspend' });
      await button.focus();
      await page.keyboard.press('Enter');
      const why = page.getByRole('dialog').getByLabel('Why');
      await why.waitFor();
      await page.locator('input[maxlength="300"]:focus').waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await page.locator('button:focus', { hasText: 'Suspend' }).waitFor();
      assert.match(await page.title(), / on .* · trueup$/);
      await page.close();
    });

    test('names and messages are text, whatever they hold', async () => {
      const { store } = fleet.deps;
      const [first = ''] = await Array.fromAsync(store.list('desired/', { limit: 1 }));
      const pointer = await readDocument(store, first, desiredPointerSchema);
      assert.ok(pointer !== undefined);
      const evil = '"><img src=x onerror="window.broken=1"><script>window.broken=1</script>';
      const commit = { ...pointer.value.commit, subject: evil };
      const failed = { sha: commit.sha, at: commit.author.at, faults: [{ subject: evil, message: evil }] };
      const target = {
        cluster: pointer.value.target.cluster,
        application: `evil<svg onload="window.broken=1">${'x'.repeat(220)}`,
      };
      await store.put(
        keys.desired(target),
        JSON.stringify({ ...pointer.value, target, commit, failed }),
        'any',
      );
      const { page, complaints } = await open(asAdmin);
      await page.locator('a.fleet-row', { hasText: 'evil' }).first().click();
      await page.getByRole('alert').waitFor();
      const wide = Number(await page.evaluate('document.documentElement.scrollWidth - innerWidth'));
      assert.ok(wide <= 0, `a long name makes the page ${wide} px wider than the screen`);
      await page.keyboard.press('m');
      await page.getByRole('button', { name: /evil<svg/ }).waitFor();
      const [saved] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: 'SVG', exact: true }).click(),
      ]);
      const picture = await readFile(await saved.path(), 'utf8');
      assert.match(picture, /evil&lt;svg/);
      assert.doesNotMatch(picture, /<svg onload|var\(--|<script/);
      const opened = await browser.newPage();
      await opened.setContent(picture);
      assert.equal(await opened.evaluate("'broken' in window"), false);
      assert.equal(await page.evaluate("'broken' in window"), false);
      assert.deepEqual(complaints, []);
      await opened.close();
      await page.close();
      await store.delete(keys.desired(target), 'any');
    });

    test('ten thousand targets: only what is in sight is in the page', async (t) => {
      await multiplied(fleet.deps.store, 10_000);
      const began = performance.now();
      const { page } = await open(asAdmin);
      const [first, again] = [performance.now() - began, performance.now()];
      await (await open(asAdmin)).page.close();
      t.diagnostic(
        `rows of 10,000 targets after ${Math.round(first)} ms where the server reads them first, then after ${Math.round(performance.now() - again)} ms`,
      );
      assert.match((await page.getByRole('heading', { level: 1 }).textContent()) ?? '', /^10,0\d\d targets/);
      await page.getByRole('list', { name: 'targets' }).evaluate((list) => {
        list.scrollTop = list.scrollHeight;
      });
      await page.locator('[aria-posinset="10000"] a').waitFor();
      const rows = await page.getByRole('listitem').count();
      assert.ok(rows < 100, `${rows} rows are in the page`);
      await page.getByText('tiles').click();
      await page.getByRole('listitem').first().waitFor();
      await show(page, 'tiles-of-10000');
      await page.close();
    });

    test('a stranger gets nothing: without the token, under another name, from another page', async () => {
      const { origin } = new URL(asAdmin);
      assert.equal((await fetch(`${origin}/api/v1/fleet`)).status, 401);
      const token = asAdmin.split('#token=')[1] ?? '';
      const signed = { [tokenHeader]: `Bearer ${token}` };
      assert.equal((await fetch(`${origin}/api/v1/fleet`, { headers: signed })).status, 200);
      const other = { ...signed, origin: 'https://evil.example' };
      assert.equal((await fetch(`${origin}/api/v1/fleet`, { headers: other })).status, 403);
    });
  },
);

/** `CLUSTER/APPLICATION` of a target that has one. */
async function withDeployment({ deps: { store } }: SimulatedFleet): Promise<string> {
  for await (const key of store.list(prefixes.inventory)) {
    const read = await readDocument(store, key, inventorySchema);
    const entries = Object.values(read?.value.entries ?? {});
    if (
      read !== undefined &&
      entries.some(({ ref, state }) => ref.kind === 'Deployment' && state === 'applied')
    )
      return targetKey(read.value.target);
  }
  return assert.fail('nothing runs');
}

/** `CLUSTER/APPLICATION` of a target that something else was applied to before. */
async function withTwoSnapshots({ deps: { store } }: SimulatedFleet): Promise<string> {
  const runs = await Array.fromAsync(store.list(prefixes.runs));
  const read = await Promise.all(runs.map(async (key) => readDocument(store, key, runRecordSchema)));
  const applied = read.flatMap((run) => (run?.value.outcome?.kind === 'applied' ? [run.value] : []));
  const byTarget = Map.groupBy(applied, ({ target }) => targetKey(target));
  const [place] = [...byTarget].find(([, of]) => new Set(of.map(({ snapshot }) => snapshot)).size > 1) ?? [];
  return place ?? assert.fail('nothing was applied twice');
}
