// Files of the page: every script and style sheet exists, is linked and preloaded.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const frontend = new URL("../../services/frontend/", import.meta.url);
const read = (path) => readFileSync(new URL(path, frontend), "utf8");
const html = read("index.html");
const styles = readdirSync(frontend).filter((name) => name.endsWith(".css"));
const scripts = readdirSync(new URL("js/", frontend)).map((name) => `js/${name}`);

test("every linked file exists, and every style sheet is linked", () => {
  const named = [...html.matchAll(/(?:src|href)="([^"]+\.(?:js|css|svg))"/g)].map((match) => match[1]);
  for (const path of named) assert.ok(read(path).length > 0, path);
  assert.deepEqual(styles.filter((name) => !named.includes(name)), []);
});

test("every module is preloaded", () => {
  const needed = new Set(["js/main.js"]);
  for (const path of needed) {
    for (const [, name] of read(path).matchAll(/^import [^;]*?from "\.\/([\w-]+\.js)"/gm)) needed.add(`js/${name}`);
  }
  needed.delete("js/main.js"); // the script itself
  const preloaded = [...html.matchAll(/<link rel="modulepreload" href="([^"]+)">/g)].map((match) => match[1]);
  assert.deepEqual(preloaded.toSorted(), [...needed].toSorted());
});
