// SPDX-License-Identifier: MIT
/**
 * The page in a browser: on a phone, on a desk, on paper, by keyboard, and by the rules for screen readers.
 * VMALOCKTOP_SCREENSHOTS=DIR keeps pictures of what was tested, for eyes.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { load } from '../../cli/common/load.js';
import { compare } from '../../src/core/diff/compare.js';
import { StackSamples } from '../../src/core/present/stack-samples.js';
import { openFile } from '../../src/recording/read/file.js';
import { reportPage } from '../../src/report/page.js';
import { synthesize } from '../core/synthetic.js';
import { runOf, workloadSession } from '../diff/workload.js';
import { GUEST_RECORDING, STACK_RECORDING, sourceOf } from '../export/support.js';
import { longOnly } from '../long.js';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);
const SHOTS = process.env.VMALOCKTOP_SCREENSHOTS;

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string }[];
}

const SCREENS: readonly (readonly [name: string, options: BrowserContextOptions])[] = [
  ['phone', { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2 }],
  ['desktop', { viewport: { width: 1280, height: 900 } }],
  ['dark', { viewport: { width: 1280, height: 900 }, colorScheme: 'dark' }],
];

const skip = CHROMIUM === undefined ? 'no Chromium here: see make setup' : false;

describe('in a browser', { skip }, () => {
  let dir = '';
  let browser: Browser;
  let axe = '';
  const pages = new Map<string, string>();

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'vmalocktop-browser-'));
    axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    const guest = await load(await openFile(GUEST_RECORDING));
    const stacked = await load(await openFile(STACK_RECORDING), {
      samples: ({ session }) => new StackSamples(session.arch),
    });
    const made = await load(sourceOf(synthesize(3000, 3, { dropRate: 0.01 })));
    const [zram, disk] = await Promise.all(
      (['zram', 'disk'] as const).map((swap) =>
        load(
          sourceOf(runOf({ seconds: 8, rate: 120, swap, folioNs: swap === 'disk' ? 3e6 : 3e4 }, 4), workloadSession()),
        ),
      ),
    );
    assert.ok(zram && disk);
    const inputs = {
      stacks: { name: 'mixed-7.3.vmlt', snapshot: stacked.snapshot, truncated: null, stacks: stacked.samples },
      guest: { name: 'swap-7.3.vmlt', snapshot: guest.snapshot, truncated: null },
      synthetic: { name: 'synthetic.vmlt', snapshot: made.snapshot, truncated: 'the recorder was stopped' },
      against: {
        name: 'disk.vmlt',
        snapshot: disk.snapshot,
        truncated: null,
        against: { name: 'zram.vmlt', diff: compare(zram, disk) },
      },
    };
    for (const [name, input] of Object.entries(inputs)) {
      const path = join(dir, `${name}.html`);
      await writeFile(path, reportPage(input));
      pages.set(name, `file://${path}`);
    }
    browser = await chromium.launch({ executablePath: CHROMIUM ?? '', args: ['--no-sandbox'] });
  });
  after(async () => {
    await browser?.close();
    await rm(dir, { recursive: true });
  });

  /** A page with what its console said. */
  async function open(name: string, options: BrowserContextOptions): Promise<{ page: Page; said: string[] }> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const said: string[] = [];
    page.on('console', (message) => said.push(message.text()));
    page.on('pageerror', (error) => said.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith('file:')) said.push(`request of ${request.url()}`);
    });
    await page.goto(pages.get(name) ?? '');
    return { page, said };
  }

  for (const [screen, options] of SCREENS) {
    for (const name of ['guest', 'synthetic', 'against', 'stacks']) {
      const seldom = name !== 'guest' && screen !== 'phone' ? longOnly : false;
      test(`${name}, ${screen}: no error, nothing wider than the screen, no rule of accessibility broken`, {
        skip: seldom,
      }, async () => {
        const { page, said } = await open(name, options);
        const wide = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
        assert.equal(wide, 0);
        if (screen === 'phone') {
          const screens = await page.evaluate('document.documentElement.scrollHeight / window.innerHeight');
          assert.ok(Number(screens) < 6, `folded, it is ${screens} screens long`);
        }
        await page.evaluate("for (const part of document.querySelectorAll('details.part')) part.open = true");
        // Charts have a size to be seen at; frames of a flame graph are pictures within one.
        for (const figure of await page.locator('figure svg:not(svg.flame svg)').all()) {
          const box = await figure.boundingBox();
          assert.ok(box && box.width > 200 && box.height > 50, JSON.stringify(box));
        }
        if (SHOTS !== undefined) await page.screenshot({ path: join(SHOTS, `${name}-${screen}.png`), fullPage: true });
        assert.deepEqual(said, []);
        await page.evaluate(axe);
        const violations = (await page.evaluate(
          'axe.run().then((result) => result.violations)',
        )) as readonly Violation[];
        assert.deepEqual(
          violations.map(({ id, nodes }) => [id, nodes[0]?.html]),
          [],
        );
        await page.context().close();
      });
    }
  }

  test('by keyboard: the first stop skips to the report, tables that scroll and details are reached and opened', async () => {
    const { page } = await open('guest', { viewport: { width: 360, height: 740 } });
    const focused = (of: string): Promise<unknown> => page.evaluate(`document.activeElement.${of}`);
    await page.keyboard.press('Tab');
    assert.equal(await focused('textContent'), 'Skip to the report');
    await page.keyboard.press('Enter');
    assert.equal(await focused('id'), 'main');
    const seen = new Set<unknown>();
    for (let stop = 0; stop < 60; stop++) {
      await page.keyboard.press('Tab');
      const tag = await focused('tagName');
      seen.add(tag);
      if (tag !== 'SUMMARY') continue;
      assert.equal(await focused('parentElement.open'), false);
      await page.keyboard.press('Enter');
      assert.equal(await focused('parentElement.open'), true);
      break;
    }
    assert.ok(seen.has('SUMMARY'));
    await page.locator('section[aria-labelledby=causes] summary').first().press('Enter');
    await page.locator('section[aria-labelledby=causes] div.scroll').first().focus();
    assert.equal(await focused('className'), 'scroll');
    await page.context().close();
  });

  test('to a screen reader: headings in order, each section and table named, each chart told in words', async () => {
    const { page } = await open('guest', { viewport: { width: 1280, height: 900 } });
    const levels = (await page.evaluate(
      `[...document.querySelectorAll('h1,h2,h3')].map((it) => Number(it.tagName[1]))`,
    )) as number[];
    assert.equal(levels[0], 1);
    for (const [i, level] of levels.entries()) if (i > 0) assert.ok(level >= 2 && level <= (levels[i - 1] ?? 0) + 1);
    const charts = await page.getByRole('img').all();
    assert.ok(charts.length >= 3);
    for (const chart of charts) assert.ok(((await chart.getAttribute('aria-label')) ?? '').length > 40);
    assert.equal(await page.getByRole('region', { name: 'Waits by kind', exact: true }).count(), 1);
    const captions = await page.locator('table > caption').count();
    assert.equal(captions, await page.locator('table').count());
    await page.context().close();
  });

  test('a flame graph: a frame is reached by keys, by a finger, and told in words; it fits a phone', async () => {
    const { page } = await open('stacks', { viewport: { width: 360, height: 740 }, hasTouch: true });
    await page.evaluate("for (const part of document.querySelectorAll('details.part')) part.open = true");
    const graph = page.getByRole('group', { name: /^Flame graph, / });
    const box = await graph.boundingBox();
    assert.ok(box !== null && box.width > 300 && box.width <= 360 && box.height > 100);
    const shown = page.locator('ol.frames li:visible');
    assert.equal(await shown.count(), 0);
    const frames = graph.getByRole('link');
    const names = (await page.evaluate(
      "[...document.querySelectorAll('svg.flame a')].map((link) => link.getAttribute('aria-label'))",
    )) as readonly string[];
    const walk = names.findIndex((name) => name.startsWith('walk [mixed]'));
    assert.ok(walk > 0);
    await frames.nth(walk).tap();
    assert.match((await shown.textContent()) ?? '', /^walk \[mixed\]: \d+\.\d%, .* in \d+$/);
    // Callers hold what they call.
    await frames.nth(0).focus();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    assert.match((await shown.textContent()) ?? '', /^RETRY: /);
    await page.context().close();
  });

  test('on paper: what is folded on the screen is printed, the navigation is not', async () => {
    const { page } = await open('guest', { viewport: { width: 794, height: 1123 } });
    const hooks = page.getByText('handle_mm_fault', { exact: true }).first();
    assert.equal(await hooks.isVisible(), false);
    await page.emulateMedia({ media: 'print' });
    assert.equal(await hooks.isVisible(), true);
    assert.equal(await page.locator('nav').isVisible(), false);
    const wide = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    assert.equal(wide, 0);
    const pdf = await page.pdf({ format: 'A4' });
    assert.equal(pdf.subarray(0, 5).toString(), '%PDF-');
    if (SHOTS !== undefined) await page.screenshot({ path: join(SHOTS, 'guest-print.png'), fullPage: true });
    await page.context().close();
  });
});
