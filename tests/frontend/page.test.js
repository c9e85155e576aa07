// The page as a file: what a strict Content-Security-Policy forbids, and what the scripts rely on.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const frontend = new URL("../../services/frontend/", import.meta.url);
const read = (path) => readFileSync(new URL(path, frontend), "utf8");
const html = read("index.html");
const styles = readdirSync(frontend).filter((name) => name.endsWith(".css"));
const scripts = readdirSync(new URL("js/", frontend)).map((name) => `js/${name}`);

test("every element that the scripts look for is on the page, once", () => {
  const looking = ["main", "inside", "timeline"].map((name) => read(`js/${name}.js`)).join("");
  const wanted = [...looking.matchAll(/(?:element|canvas|input)\("([^"]+)"\)/g)].map((match) => match[1]);
  assert.ok(wanted.length >= 60);
  for (const id of wanted) assert.equal(html.split(`id="${id}"`).length - 1, 1, id);
});

test("nothing is inline: no script, style or event handler in the HTML", () => {
  assert.doesNotMatch(html, /<script(?![^>]*\ssrc=)/);
  assert.doesNotMatch(html, /<style|\sstyle=|\son\w+=/);
});

test("nothing is loaded from another site", () => {
  for (const path of ["index.html", ...styles, ...scripts]) {
    assert.doesNotMatch(read(path), /(?:src|href)="(?:https?:)?\/\/|url\(|@import|import\(?\s*"https?:/, path);
  }
});

test("every script and style sheet named on the page exists, and every style sheet is named", () => {
  const named = [...html.matchAll(/(?:src|href)="([^"]+\.(?:js|css|svg))"/g)].map((match) => match[1]);
  for (const path of named) assert.ok(read(path).length > 0, path);
  assert.deepEqual(styles.filter((name) => !named.includes(name)), []);
});

test("every module is preloaded, so that none waits for the module that imports it", () => {
  const needed = new Set(["js/main.js"]);
  for (const path of needed) {
    for (const [, name] of read(path).matchAll(/^import [^;]*?from "\.\/([\w-]+\.js)"/gm)) needed.add(`js/${name}`);
  }
  needed.delete("js/main.js"); // the script itself
  const preloaded = [...html.matchAll(/<link rel="modulepreload" href="([^"]+)">/g)].map((match) => match[1]);
  assert.deepEqual(preloaded.toSorted(), [...needed].toSorted());
});

test("addresses are relative, so that the page works below any path", () => {
  assert.doesNotMatch(html, /(?:src|href)="\//);
});

test("only the modules for the page itself touch the document", () => {
  const forPage = ["drawing-board", "drawing-tools", "early-ink", "element", "feedback-view", "inside-view", "keyboard-input", "layer-figures", "lesson-view", "main", "map-view", "pointer-input", "probability-bars", "result-view", "table-cell", "timeline-view", "unit-dock", "unit-view"].map((name) => `js/${name}.js`);
  for (const path of scripts.filter((path) => !forPage.includes(path))) {
    assert.doesNotMatch(read(path), /\b(?:document|window|localStorage|navigator)\./, path);
  }
});

test("on the learning path only the pictures and what they are made of touch the document", () => {
  const modules = readdirSync(new URL("learn/js/", frontend)).filter((name) => name !== "elements.js" && !name.endsWith("-picture.js"));
  assert.ok(modules.length > 0);
  for (const name of modules) assert.doesNotMatch(read(`learn/js/${name}`), /\b(?:document|window|localStorage|navigator)\./, name);
});

test("results are announced politely, errors at once", () => {
  assert.match(html, /id="result"[^>]*aria-live="polite"/);
  assert.match(html, /id="error"[^>]*role="alert"/);
});
