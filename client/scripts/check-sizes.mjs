// Fails when a built page is heavier than its budget (frontend design, section 1.2), or the lock names a host.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';

const KB = 1000;
const PLANNER = 'apps/planner/index.html';
const MANAGER = 'apps/manager/index.html';
const BUDGET_KB = {
  'map entry': 165,
  'first load, scripts': 345,
  'first load, styles': 20,
  'data desk, first screen': 110,
  'data desk, styles': 20,
  'data desk, all screens': 345,
};

const dist = pathToFileURL(`${resolve(process.argv[2] ?? 'dist')}/`);
const manifest = JSON.parse(readFileSync(new URL('manifest.json', dist), 'utf8'));

/** All chunks that a chunk loads, itself included. */
function reach(key, follow, seen = new Set()) {
  if (seen.has(key)) return seen;
  seen.add(key);
  for (const next of follow(manifest[key])) reach(next, follow, seen);
  return seen;
}

function gzipped(files) {
  return files.reduce((sum, file) => sum + gzipSync(readFileSync(new URL(file, dist)), { level: 6 }).length, 0);
}

const entry = (page) => [...reach(page, (chunk) => chunk.imports ?? [])];
const all = (page) => [...reach(page, (chunk) => [...(chunk.imports ?? []), ...(chunk.dynamicImports ?? [])])];
const scripts = (chunks) => gzipped(chunks.map((key) => manifest[key].file));
const styles = (chunks) => gzipped([...new Set(chunks.flatMap((key) => manifest[key].css ?? []))]);
const sizes = {
  'map entry': scripts(entry(PLANNER)),
  'first load, scripts': scripts(all(PLANNER)),
  'first load, styles': styles(all(PLANNER)),
  'data desk, first screen': scripts(entry(MANAGER)),
  'data desk, styles': styles(all(MANAGER)),
  'data desk, all screens': scripts(all(MANAGER)),
};

const failures = [];
for (const [name, bytes] of Object.entries(sizes)) {
  const line = `${name}: ${(bytes / KB).toFixed(1)} kB of ${BUDGET_KB[name]} kB`;
  process.stdout.write(`${line}\n`);
  if (bytes > BUDGET_KB[name] * KB) failures.push(line);
}
if (/"resolved": "http/.test(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'))) {
  failures.push('package-lock.json names a host: install with client/.npmrc in force');
}
if (failures.length) {
  process.stderr.write(`over budget or not portable:\n${failures.join('\n')}\n`);
  process.exitCode = 1;
}
