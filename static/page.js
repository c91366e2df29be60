// What pages do beyond htmx: theme, copying, the editor, countdowns, and lighting up the jobs just touched (keys: keys.js).
// The same file serves both hosts; where the engine runs is none of its business.
"use strict";

const root = document.documentElement;
/** Where the site begins on its host: what goes before an address of ours. */
const BASE = root.dataset.base ?? "";
const $ = (/** @type {string} */ selector) => document.querySelector(selector);

/** @param {string} text Said to screen readers, politely. */
function announce(text) {
  const place = $("#announce");
  if (place) place.textContent = text;
}

let hide = 0;

/** @param {string} text Said to everyone, for a while. */
function warn(text) {
  const place = /** @type {HTMLElement | null} */ ($("#toast"));
  if (!place) return;
  place.textContent = text;
  place.hidden = false;
  clearTimeout(hide);
  hide = setTimeout(() => (place.hidden = true), 8000);
}

// Theme: system, light, dark.

const THEMES = ["system", "light", "dark"];

function showTheme() {
  const button = $("#theme");
  if (button) button.title = `Theme: ${root.dataset.theme ?? "system"}`;
}

function nextTheme() {
  const next = THEMES[(THEMES.indexOf(root.dataset.theme ?? "system") + 1) % THEMES.length];
  if (next === "system") delete root.dataset.theme;
  else root.dataset.theme = next;
  try {
    localStorage.setItem("theme", next);
  } catch {
    // Storage is blocked: the choice lasts as long as the page.
  }
  showTheme();
  announce(`Theme: ${next}`);
}

// Copying.

/** @param {HTMLElement} button Copies its data-copy, or the code beside it. */
async function copy(button) {
  const text = button.dataset.copy?.replaceAll("{origin}", location.origin) || button.parentElement?.querySelector("pre")?.textContent || "";
  try {
    await navigator.clipboard.writeText(text);
    button.dataset.done = "";
    announce("Copied");
    setTimeout(() => delete button.dataset.done, 1500);
  } catch {
    // No clipboard (plain http, or refused): select the text, so that the visitor's own copy key works.
    const source = button.parentElement?.querySelector("pre, code");
    if (source) getSelection()?.selectAllChildren(source);
    announce("Selected: press Ctrl+C to copy");
  }
}

// The editor.

/** @param {HTMLTextAreaElement} area @param {string} text Replaces everything, as one step that can be undone. */
function fill(area, text) {
  area.focus();
  area.select();
  if (!document.execCommand("insertText", false, text)) area.value = text;
  area.setSelectionRange(0, 0);
  area.scrollTop = 0;
}

/** Puts the caret where the server said that the JSON breaks. */
function showProblem() {
  const area = /** @type {HTMLTextAreaElement | null} */ ($("#job-body"));
  const problem = /** @type {HTMLElement | null} */ ($("#enqueued .problem"));
  if (!area) return;
  area.toggleAttribute("aria-invalid", Boolean(problem));
  if (!problem?.dataset.line) return;
  const lines = area.value.split("\n").slice(0, Number(problem.dataset.line) - 1);
  const place = lines.reduce((sum, line) => sum + line.length + 1, 0) + Number(problem.dataset.column) - 1;
  area.focus();
  area.setSelectionRange(place, Math.min(place + 1, area.value.length));
}

// What goes wrong where no part of the page waits for it.

const NOBODY = "The server does not answer, so nothing was done. Try again when it is back.";

/** @param {string} html @returns {string} The words of an answer's first paragraph. */
function plain(html) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  return (parsed.querySelector(".problem p") ?? parsed.querySelector(".problem") ?? parsed.body).textContent?.trim() ?? "";
}

document.addEventListener("htmx:error", (event) => {
  if (/** @type {any} */ (event).detail?.ctx?.status?.startsWith("error: TypeError")) warn(NOBODY);
});

document.addEventListener("htmx:response:error", (event) => {
  const { swap, text } = /** @type {any} */ (event).detail.ctx;
  if (String(swap).startsWith("none")) warn(plain(text));
});

document.addEventListener("htmx:before:request", () => $("#trial-problem")?.replaceChildren());

// A moment: shared as a link, opened from one, from a file or from pasted text. What others wrote is only text until the
// server has read it; what cannot be read is said, and can be taken away.

/** @param {HTMLElement} button @param {string} [fragment] @param {string} [page] Copies a link to this page, or to its data-copy-page, at a moment. */
async function copyLink(button, fragment = button.dataset.copyLink, page = button.dataset.copyPage ?? location.pathname + location.search) {
  button.dataset.copy = `${location.origin}${page}#${fragment}`;
  await copy(button);
}

/** @param {string} text @param {string} reason Safe HTML, or words of our own. @param {boolean} html */
function refuse(text, reason, html) {
  const dialog = /** @type {HTMLDialogElement} */ ($("#moment"));
  const place = /** @type {HTMLElement} */ ($("#moment-problem"));
  if (html) place.innerHTML = reason;
  else place.replaceChildren(Object.assign(document.createElement("p"), { className: "problem", textContent: reason }));
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet small";
  button.textContent = "Download the text that was refused";
  button.addEventListener("click", () => save(new Blob([text], { type: "text/plain" }), "refused.txt"));
  place.append(button);
  if (!dialog.open) dialog.showModal();
}

/** @param {string} text */
async function openText(text) {
  const answer = await fetch("/ui/moment", { method: "POST", body: text, headers: { "HX-Request": "true", "Content-Type": "text/plain" } }).catch(() => null);
  if (!answer) return warn(NOBODY);
  if (!answer.ok) return refuse(text, await answer.text(), true);
  $("#moment-problem")?.replaceChildren();
  /** @type {HTMLDialogElement} */ ($("#moment")).close();
  if (answer.headers.get("Content-Type") === "application/json") lay((await answer.json()).desk);
  if (answer.headers.has("HX-Redirect")) return location.reload(); // from now on this page is of the sandbox
  if (answer.status === 204) announce("Opened; your session waits");
}

const DESK = "ojs-linked";

/** @param {any} desk What a link brings for the editors: the panes show it. Nothing of it runs, or is sent, by itself. */
function lay(desk) {
  try {
    sessionStorage.setItem(DESK, JSON.stringify(desk));
  } catch {
    return warn("The link brings code, but this browser keeps nothing for this page: it cannot be shown.");
  }
  document.dispatchEvent(new CustomEvent("ojs:desk"));
  const pane = desk.python || desk.javascript ? "handlers" : "compose";
  const place = `/play?do=${pane}&see=jobs`;
  if (!location.pathname.startsWith(`${BASE}/play`) || new URLSearchParams(location.search).get("do") !== pane) {
    /** @type {any} */ (window).htmx.ajax("GET", place, { target: "#page", select: "#page", swap: "outerHTML", push: BASE + place });
  }
}

/** @param {string} editor @returns {any} What a link has brought for an editor, once. */
function linkedFor(editor) {
  try {
    const { [editor]: found, ...others } = JSON.parse(sessionStorage.getItem(DESK) ?? "{}");
    if (found) sessionStorage.setItem(DESK, JSON.stringify(others));
    return found;
  } catch {
    return undefined; // nothing is kept, so nothing was brought
  }
}

function openLink() {
  if (!location.hash.startsWith("#s=")) return;
  const text = location.hash;
  history.replaceState(history.state, "", location.pathname + location.search);
  void openText(text);
}

addEventListener("hashchange", openLink);
document.addEventListener("ojs:ready", openLink, { once: true });
document.addEventListener("ojs:damaged", (event) => {
  const { reason, text } = /** @type {CustomEvent} */ (event).detail;
  refuse(text, `The session of this tab could not be brought back, so a new one has begun. ${reason}`, false);
});

document.addEventListener("submit", (event) => {
  if (/** @type {Element} */ (event.target).id !== "moment-open") return;
  event.preventDefault();
  event.stopImmediatePropagation();
  void openText(/** @type {HTMLTextAreaElement} */ ($("#moment-text")).value);
}, { capture: true });

// What this tab keeps: its session comes from the engine (tab.js); how far time had gone when the page was left, from here.

addEventListener("pagehide", () => {
  if (root.dataset.host !== "tab" || root.dataset.engine !== "ready") return;
  try {
    sessionStorage.setItem("ojs-now", String(sessionNow()));
  } catch {
    // Said already: nothing is kept here.
  }
});

function showStorage() {
  const note = /** @type {HTMLElement | null} */ ($("#unkept"));
  if (!note) return;
  note.hidden = !root.dataset.storage;
  if (root.dataset.storage === "full") note.textContent = "This session is larger than the browser keeps: it ends with the tab, or with a reload. “Moment” saves it as a file.";
}

// Files: a report taken away, cases brought in.

/** @param {HTMLElement} button Saves what its data-download answers. */
async function download(button) {
  const answer = await fetch(button.dataset.download ?? "", { headers: { "HX-Request": "true" } }).catch(() => null);
  if (!answer?.ok) return warn(answer ? plain(await answer.text()) : NOBODY);
  save(await answer.blob(), button.dataset.name ?? "download");
}

/** @param {Blob} content @param {string} name */
function save(content, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** @param {File[]} files One zip, or the JSON files of a folder. */
async function bringCases(files) {
  const zip = files.find((file) => file.name.endsWith(".zip"));
  const cases = files.filter((file) => file.name.endsWith(".json"));
  const name = zip?.name ?? cases[0]?.webkitRelativePath.split("/")[0] ?? cases[0]?.name ?? "these files";
  const texts = await Promise.all(cases.map(async (file) => [file.webkitRelativePath || file.name, await file.text()]));
  if (!zip && !cases.length) return warn("There is no .json or .zip file among these; conformance cases are JSON files.");
  const body = zip ?? JSON.stringify(Object.fromEntries(texts));
  const place = `/ui/conformance/cases?name=${encodeURIComponent(name || "these files")}`;
  const answer = await fetch(place, { method: "POST", body, headers: { "HX-Request": "true" } }).catch(() => null);
  if (!answer) return warn(NOBODY);
  const problem = $("#trial-problem");
  // The server escapes what it says; an answer without content means that all went well.
  if (problem) problem.innerHTML = answer.status === 204 ? "" : await answer.text();
  announce(answer.status === 204 ? `Cases of ${name} are here` : "These cases cannot be read");
}

/** @param {File[]} files A zip, or the markdown files of a checkout of the specification. */
async function bringDocuments(files) {
  const zip = files.find((file) => file.name.endsWith(".zip"));
  const documents = files.filter((file) => file.name.endsWith(".md"));
  if (!zip && !documents.length) return warn("There is no .md or .zip file among these; the specification's documents are ojs-*.md.");
  const name = zip?.name ?? documents[0].webkitRelativePath.split("/")[0] ?? "these files";
  const texts = zip ? [] : await Promise.all(documents.map(async (file) => [file.webkitRelativePath || file.name, await file.text()]));
  const place = `/ui/published?name=${encodeURIComponent(name || "these files")}`;
  const answer = await fetch(place, { method: "POST", body: zip ?? JSON.stringify(Object.fromEntries(texts)), headers: { "HX-Request": "true" } }).catch(() => null);
  if (!answer) return warn(NOBODY);
  if (!answer.ok) return warn(plain(await answer.text()));
  showShelf();
}

function showShelf() {
  document.dispatchEvent(new CustomEvent("ojs:shelf")); // the search has other documents to find now
  /** @type {any} */ (window).htmx.ajax("GET", "/spec/published", { target: "#page", select: "#page", swap: "outerHTML" });
}

/** @param {DataTransfer} dropped @returns {Promise<File[]>} Every file dropped, those of folders too. */
async function droppedFiles(dropped) {
  const entries = [...dropped.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  /** @type {File[]} */
  const files = [];
  /** @param {any} entry */
  async function walk(entry) {
    if (entry.isFile) {
      const file = /** @type {File} */ (await new Promise((resolve, reject) => entry.file(resolve, reject)));
      Object.defineProperty(file, "webkitRelativePath", { value: entry.fullPath.slice(1) });
      files.push(file);
      return;
    }
    const reader = entry.createReader();
    for (let some; (some = /** @type {any[]} */ (await new Promise((resolve, reject) => reader.readEntries(resolve, reject)))).length; ) {
      for (const one of some) await walk(one);
    }
  }
  for (const entry of entries) await walk(entry);
  return files;
}

document.addEventListener("change", (event) => {
  const input = /** @type {HTMLInputElement} */ (event.target);
  if (input.matches?.("[data-scenario]") && input.files?.length) void input.files[0].text().then(openText).finally(() => (input.value = ""));
  if (input.matches?.("[data-documents]") && input.files?.length) void bringDocuments([...input.files]).finally(() => (input.value = ""));
  if (input.matches?.("[data-cases]") && input.files?.length) void bringCases([...input.files]).finally(() => (input.value = ""));
});

document.addEventListener("dragover", (event) => {
  if (!$("#drop") || !event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  document.body.classList.add("dropping");
});

document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("dropping");
});

document.addEventListener("drop", (event) => {
  if (!$("#drop") || !event.dataTransfer) return;
  event.preventDefault();
  document.body.classList.remove("dropping");
  void droppedFiles(event.dataTransfer).then($("[data-documents]") ? bringDocuments : bringCases);
});

// Time: the session's clock, countdowns and the bars of running jobs. The bar says what the clock showed and how fast it
// runs; until it says so again, the page counts on by itself.

let shown = "";
let heardAt = 0;
let said = { now: 0, rate: 1 };

function listenToClock() {
  const clock = $("#clock");
  if (!(clock instanceof HTMLElement)) return;
  const told = `${clock.dataset.now} ${clock.dataset.rate}`;
  if (told === shown) return;
  shown = told;
  heardAt = Date.now();
  said = { now: Number(clock.dataset.now), rate: Number(clock.dataset.rate) };
}

function sessionNow() {
  return Math.floor(said.now + (Date.now() - heardAt) * said.rate);
}

/** @param {number} ms @returns {string} As long as it still takes, in the largest units that say enough. */
function ahead(ms) {
  if (ms < 60000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.ceil(ms / 60000);
  if (minutes < 60) return `${minutes} min`;
  const [hours, left] = minutes < 1440 ? [Math.floor(minutes / 60), minutes % 60] : [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60)];
  const [large, small] = minutes < 1440 ? ["h", "min"] : ["d", "h"];
  return `${hours} ${large}${left ? ` ${left} ${small}` : ""}`;
}

function showTimes() {
  const now = sessionNow();
  const text = $("#clock-text");
  const iso = new Date(now).toISOString();
  if (text && text.textContent !== iso.slice(11, 23)) text.textContent = iso.slice(11, 23);
  for (const place of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("time.due"))) {
    const left = Number(place.dataset.due) - now;
    const text = left <= 0 ? "now" : `in ${ahead(left)}`;
    if (place.textContent !== text) place.textContent = text;
  }
  for (const bar of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".track .run"))) {
    const [from, to] = [Number(bar.dataset.from), Number(bar.dataset.to)];
    bar.style.setProperty("--done", String(Math.min(1, Math.max(0, (now - from) / (to - from)))));
  }
}

// What is fixed to the bottom of the window stands on the bar.

const bar = $("#view-time");
if (bar) new ResizeObserver(() => root.style.setProperty("--bar", `${bar.clientHeight}px`)).observe(bar);

// The slider and the rate follow the session, but never a hand that holds them.

let held = false;
addEventListener("pointerdown", (event) => (held = /** @type {Element} */ (event.target).matches?.(".timebar input") ?? false));
addEventListener("pointerup", () => (held = false));

let touchedSliders = 0;

function followSliders() {
  const rest = touchedSliders + 400 - Date.now();
  if (rest > 0) return void setTimeout(followSliders, rest); // a key or a wheel has just moved one
  if (held) return;
  for (const slider of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll(".timebar input[type=range]"))) {
    slider.value = slider.getAttribute("value") ?? "0";
  }
}

document.addEventListener("input", (event) => {
  const speed = /** @type {HTMLInputElement} */ (event.target);
  if (speed.matches?.(".timebar input")) touchedSliders = Date.now();
  const text = $("#speed-text");
  if (speed.name === "speed" && text) text.textContent = Number((speed.dataset.rates ?? "").split(" ")[Number(speed.value)]).toLocaleString("en");
});

// Which jobs were just touched, wherever they are shown.

let touched = "";
let dim = 0;

function light() {
  for (const place of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-job], [data-lit]"))) {
    place.toggleAttribute("data-lit", touched !== "" && place.dataset.job === touched);
  }
}

/** @param {string} job */
function touch(job) {
  touched = job;
  light();
  clearTimeout(dim);
  dim = setTimeout(() => { touched = ""; light(); }, 6000);
}

// Pages.

function showSection() {
  for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll(".bar nav a"))) {
    const here = location.pathname.startsWith(BASE + (link.dataset.section ?? "/"));
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

// Evidence: the badges beside the text follow the live view, and are shown when the reader wants them.

function showEvidence() {
  for (const told of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-badge]"))) {
    const badge = /** @type {HTMLElement | null} */ (document.querySelector(`[data-requirement="${CSS.escape(told.dataset.badge ?? "")}"]`));
    if (!badge || badge.textContent === told.textContent) continue;
    badge.textContent = told.textContent;
    badge.dataset.verdict = told.dataset.verdict;
  }
  let wanted = false;
  try {
    wanted = localStorage.getItem("evidence") === "on";
  } catch {
    wanted = root.hasAttribute("data-evidence");
  }
  root.toggleAttribute("data-evidence", wanted);
  $("#show-evidence")?.setAttribute("aria-pressed", String(wanted));
}

function toggleEvidence() {
  const on = !root.hasAttribute("data-evidence");
  root.toggleAttribute("data-evidence", on);
  try {
    localStorage.setItem("evidence", on ? "on" : "off");
  } catch {
    // Storage is blocked: the choice lasts as long as the page.
  }
  showEvidence();
}

// htmx looks at every element of a page in one go, which on a long text would keep a first click waiting. Such a text
// is given to it piece by piece, and the piece in which something happens before all others.

/** @type {Element[]} */
let pieces = [];

document.addEventListener("htmx:before:process", (event) => {
  const whole = /** @type {Element} */ (event.target);
  const text = whole.querySelector("#main[data-pieces]");
  if (!text) return;
  event.preventDefault();
  const { htmx } = /** @type {any} */ (window);
  for (let place = text; place !== whole; place = /** @type {Element} */ (place.parentElement)) {
    for (const beside of place.parentElement?.children ?? []) if (beside !== place) htmx.process(beside);
  }
  pieces = [...text.children].flatMap((one) => (one.matches("section.prose") ? [...one.children] : [one]));
  setTimeout(nextPieces);
});

function nextPieces() {
  const end = performance.now() + 5;
  while (pieces.length && performance.now() < end) /** @type {any} */ (window).htmx.process(pieces.shift());
  if (pieces.length) setTimeout(nextPieces);
}

for (const kind of ["click", "submit", "change"]) {
  addEventListener(kind, (event) => {
    const wanted = pieces.find((one) => one.contains(/** @type {Element} */ (event.target)));
    if (wanted) /** @type {any} */ (window).htmx.process(wanted);
  }, { capture: true });
}

/** The second style sheet came with a part of the page, and would go with it. */
function keepSheets() {
  for (const link of /** @type {NodeListOf<HTMLLinkElement>} */ (document.querySelectorAll("#page > link[rel=stylesheet]"))) {
    if (!document.head.querySelector(`link[rel=stylesheet][href="${link.getAttribute("href")}"]`)) document.head.append(link.cloneNode());
  }
}

/** @param {HTMLElement} badge Opens the cases behind it. */
function openEvidence(badge) {
  const name = /** @type {HTMLElement | null} */ (badge.closest("[data-document]"))?.dataset.document;
  $("#evidence-body")?.replaceChildren(Object.assign(document.createElement("p"), { className: "of", textContent: "Looking it up …" }));
  /** @type {HTMLDialogElement} */ ($("#evidence")).showModal();
  /** @type {any} */ (window).htmx.ajax("GET", `/ui/evidence/${name}/${badge.dataset.requirement}`, { target: "#evidence-body", swap: "innerHTML" });
}

/** Modules that a part of the page asks for, once each: a script element that is swapped in would not run. */
function loadModules() {
  for (const place of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-module]"))) {
    import(/** @type {string} */ (place.dataset.module)).catch(() => {}); // the part works without it
  }
}

// A part of the page that needs a script of its own names it: one that came with a swap would not run.

const scripts = new Set();

function loadScripts() {
  for (const place of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-script]"))) {
    const src = place.dataset.script ?? "";
    if (scripts.has(src)) continue;
    scripts.add(src);
    document.head.append(Object.assign(document.createElement("script"), { src }));
  }
}

function afterSwap() {
  keepSheets();
  loadModules();
  loadScripts();
  listenToClock();
  followSliders();
  showSection();
  showTimes();
  showEvidence();
  light();
}

document.addEventListener("click", (event) => {
  const target = /** @type {Element} */ (event.target);
  const button = /** @type {HTMLElement | null} */ (target.closest("[data-copy]"));
  if (button) return void copy(button);
  if (target.closest("#theme")) return nextTheme();
  if (target.closest("#show-evidence")) return toggleEvidence();
  const badge = /** @type {HTMLElement | null} */ (target.closest("a.evidence"));
  if (badge) {
    event.preventDefault();
    return openEvidence(badge);
  }
  const linked = /** @type {HTMLElement | null} */ (target.closest("[data-copy-link]"));
  if (linked) return void copyLink(linked);
  if (target.closest("[data-more]")) return void $("#view-time")?.toggleAttribute("data-open");
  if (target.closest("[data-close]")) /** @type {HTMLDialogElement | null} */ (target.closest("dialog"))?.close();
  const dialog = /** @type {HTMLElement | null} */ (target.closest("[data-dialog]"));
  if (dialog) /** @type {HTMLDialogElement} */ ($(`#${dialog.dataset.dialog}`)).showModal();
  const wanted = /** @type {HTMLElement | null} */ (target.closest("[data-download]"));
  if (wanted) return void download(wanted);
  const sample = /** @type {HTMLElement | null} */ (target.closest("a[data-sample]"));
  const area = /** @type {HTMLTextAreaElement | null} */ ($("#job-body"));
  if (sample && area && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    for (const other of document.querySelectorAll("a[data-sample]")) other.removeAttribute("aria-current");
    sample.setAttribute("aria-current", "true");
    fill(area, sample.dataset.sample ?? "");
  }
});

document.addEventListener("htmx:after:request", (event) => {
  if (/** @type {any} */ (event).detail.ctx.sourceElement?.matches?.("[data-clear]")) showShelf();
});

document.addEventListener("htmx:after:swap", (event) => {
  const target = /** @type {any} */ (event).detail?.ctx?.target;
  if (target?.id === "enqueued") showProblem();
  const news = /** @type {HTMLElement | null} */ (target?.querySelector?.("[data-touched]"));
  if (news?.dataset.touched) touch(news.dataset.touched);
  afterSwap();
});

// On a server the page is live as soon as it is there; a dropped stream is said, and mends itself.
if (root.dataset.host === "server") {
  const say = (/** @type {string} */ state, /** @type {string} */ text) => {
    root.dataset.engine = state;
    const place = $("#engine-text");
    if (place) place.textContent = text;
  };
  document.addEventListener("htmx:sse:error", (event) => {
    if (/** @type {any} */ (event).detail?.status === 401) {
      location.href = `/signin?next=${encodeURIComponent(location.pathname + location.search)}`;
    } else {
      say("failed", "server gone, trying again");
    }
  });
  document.addEventListener("htmx:sse:after:connection", () => say("ready", "live server"));
  document.addEventListener("DOMContentLoaded", () => document.dispatchEvent(new CustomEvent("ojs:ready")));
}

// The static site's pages are made without a query; with one, the engine makes them again once it runs. Until then the
// workbench shows which panes are meant, and none of another's content.
if (root.dataset.host === "tab" && location.search && root.dataset.engine !== "ready") waitForPanes();

function waitForPanes() {
  for (const tabs of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".play .tabs"))) {
    const mine = tabs.dataset.tabs ?? "";
    const wanted = new URLSearchParams(location.search).get(mine);
    const link = /** @type {HTMLAnchorElement | undefined} */ ([...tabs.querySelectorAll("a")].find((one) => wanted !== null && new URL(one.href).searchParams.get(mine) === wanted));
    if (!link || link.hasAttribute("aria-current")) continue;
    tabs.querySelector("[aria-current]")?.removeAttribute("aria-current");
    link.setAttribute("aria-current", "page");
    const note = Object.assign(document.createElement("p"), { className: "of", textContent: `${link.textContent}: here as soon as the engine runs.` });
    tabs.nextElementSibling?.classList.add("elsewhere"); // what lives in it stays, for its stream
    tabs.nextElementSibling?.prepend(note);
  }
}

document.addEventListener("ojs:ready", () => {
  if (root.dataset.host !== "tab" || !location.search || $("[data-shell]")) return;
  // An address that names panes only says nothing of what stands in them: what is typed meanwhile stays, with its history.
  const panes = [...new URLSearchParams(location.search).keys()].every((name) => name === "do" || name === "see");
  const how = panes ? { target: "#main", select: "#main", swap: "outerMorph" } : { target: "#page", select: "#page", swap: "outerHTML" };
  /** @type {any} */ (window).htmx.ajax("GET", location.pathname + location.search, how);
}, { once: true });

keepSheets();
showTheme();
loadModules();
showStorage();
showEvidence();
document.addEventListener("ojs:ready", showStorage);
document.addEventListener("ojs:storage", showStorage);
showSection();
loadScripts();
listenToClock();
showTimes();
setInterval(showTimes, 100);
