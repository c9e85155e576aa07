// Every page of the learning path: the chapters read so far, kept in this browser, and the address of these pages.

const KEY = "doodle-chapters-read";

/** @returns {string[]} */
function chaptersRead() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept) ? kept.map(String) : [];
  } catch {
    return []; // no storage, or not ours
  }
}

/** @param {string} name */
function remember(name) {
  try {
    localStorage.setItem(KEY, JSON.stringify([...new Set([...chaptersRead(), name])]));
  } catch {
    // A browser without storage shows no progress.
  }
}

function showProgress() {
  const read = new Set(chaptersRead());
  for (const link of document.querySelectorAll(".chapters a")) {
    if (!read.has(link.getAttribute("href") ?? "") || link.querySelector(".read")) continue;
    const mark = document.createElement("span");
    mark.className = "read";
    mark.textContent = " ✓";
    mark.setAttribute("aria-label", "read");
    mark.setAttribute("role", "img");
    link.append(mark);
  }
}

for (const link of document.querySelectorAll("a.address")) link.textContent = new URL("./", location.href).href;

const here = document.querySelector('.chapters [aria-current="page"]')?.getAttribute("href");
const end = document.querySelector("footer");
if (here && end) {
  // A chapter counts as read once its end has been on the screen.
  new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    remember(here);
    showProgress();
  }).observe(end);
}
showProgress();
