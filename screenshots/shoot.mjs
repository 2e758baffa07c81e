// Draws dashboards to PNG files in headless Chromium: node shoot.mjs FOLDER OUT WIDTH
// draw.py writes one JSON file for each picture to FOLDER. This program writes a PNG file of the same name to OUT.

import { createReadStream, existsSync } from 'node:fs';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { basename, extname, join, normalize } from 'node:path';

import { chromium } from 'playwright-core';
import UPNG from 'upng-js';

const [folder, out, width] = process.argv.slice(2);
const here = import.meta.dirname;
const COLOURS = 256; // a quarter of the file size without a visible difference
const TYPES = { '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json', '.svg': 'image/svg+xml' };
const PAGE =
  '<!doctype html><meta charset="utf-8"><title>loading</title><link rel="stylesheet" href="/page.css">' +
  '<style>body{margin:0}*{animation:none!important;transition:none!important}</style>' +
  '<div id="dashboard"></div><script src="/page.js"></script>';

const server = createServer((request, response) => {
  const path = normalize(new URL(request.url, 'http://page').pathname);
  if (path === '/') {
    response.writeHead(200, { 'Content-Type': 'text/html' }).end(PAGE);
    return;
  }
  const icon = path.replace('/public/build/', '/public/');
  const places = [join(here, 'dist', path), join(folder, path), join(here, 'node_modules/@grafana/ui/dist', icon)];
  const file = places.find((place) => existsSync(place));
  if (!file) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream' });
  createReadStream(file).pipe(response);
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const origin = `http://127.0.0.1:${server.address().port}`;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--font-render-hinting=none',
    '--force-color-profile=srgb',
  ],
});
let failed = 0;
for (const name of (await readdir(folder)).filter((file) => file.endsWith('.json')).map((file) => basename(file, '.json')).sort()) {
  const page = await browser.newPage({ viewport: { width: Number(width), height: 600 }, timezoneId: 'UTC', locale: 'en-US' });
  await page.route('**/*', (route) => (route.request().url().startsWith(origin) ? route.continue() : route.abort()));
  // So that times are as long ago as they were.
  await page.clock.setFixedTime(JSON.parse(await readFile(join(folder, `${name}.json`), 'utf8')).to);
  const messages = [];
  page.on('console', (message) => message.type() === 'error' && messages.push(message.text()));
  page.on('pageerror', (error) => messages.push(String(error)));
  await page.goto(`${origin}/?dashboard=${name}`);
  let title = 'timed out';
  try {
    await page.waitForFunction(() => /^(drawn|failed)/.test(document.title), undefined, { timeout: 60_000 });
    title = await page.title();
  } catch {}
  if (title !== 'drawn') {
    failed += 1;
    console.error(`${name}: ${title}\n${messages.join('\n')}`);
  } else {
    // Tables outside of the viewport stay empty: enlarge it, and wait until everything is painted.
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    await page.setViewportSize({ width: Number(width), height });
    await page.waitForLoadState('networkidle');
    await page.evaluate(() => new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted))));
    const shot = UPNG.decode(await page.screenshot({ fullPage: true }));
    const small = Buffer.from(UPNG.encode([UPNG.toRGBA8(shot)[0]], shot.width, shot.height, COLOURS));
    await writeFile(join(out, `${name}.png`), small);
    console.log(`${name}.png: ${shot.width} x ${shot.height}, ${Math.round(small.length / 1024)} kB`);
    if (process.env.VERBOSE) {
      console.error(messages.join('\n'));
    }
  }
  await page.close();
}
await browser.close();
server.close();
process.exitCode = failed ? 1 : 0;
