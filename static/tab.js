// The browser host's page side: starts the engine's worker, and lets every request for the engine's routes reach
// it by replacing window.fetch (htmx, its streams and the page's own code all use that). Loaded before htmx.
// A page that is read comes first: there the start begins when it is painted and the browser idle, or with the visitor's
// first touch; where nothing live is in sight, some seconds later.
"use strict";

(() => {
  const script = /** @type {HTMLScriptElement} */ (document.currentScript);
  const boot = JSON.parse(script.dataset.boot ?? "{}");
  const root = document.documentElement;
  /** Where the site begins on its host; the engine knows addresses without it. */
  const BASE = boot.base ?? "";
  const ONLY_ENGINE = /^\/((ui|ojs|v1|play|conformance\/cases)\/|(health|ready|metrics)$)/;
  const PAGES = /^\/($|play\/?$|spec(\/|$)|(conformance|scenarios|learn)(\/|$)|embed\/?$)/;
  const STALL = 10_000;
  /** When the site is kept for use without a network, milliseconds after the start. */
  const LATER = 4_000;

  /** @type {Worker} */
  let worker;
  let started = 0;
  let heard = 0;
  let clock = 0;
  let calls = 0;
  let failure = "";
  /** @type {Map<number, {resolve: (response: Response) => void, stream?: ReadableStreamDefaultController}>} */
  const waiting = new Map();
  /** @type {Array<() => void>} */
  let queue = [];

  // Boot: stages, bytes, time; a stall and a failure are said, and can be tried again.

  const STAGES = ["download", "python", "engine", "first view"];
  /** @type {{stage: string, loaded: number, total: number}} */
  let progress = { stage: STAGES[0], loaded: 0, total: boot.bytes };

  const element = (/** @type {string} */ id) => document.getElementById(id);
  const megabytes = (/** @type {number} */ bytes) => (bytes / 1e6).toFixed(1);

  function show() {
    const text = element("boot-text");
    const state = element("engine-text");
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const step = STAGES.indexOf(progress.stage) + 1;
    if (root.dataset.engine !== "booting" || !text || !state) return;
    state.textContent = `${progress.stage} ${step}/${STAGES.length} · ${seconds} s`;
    const done = progress.loaded >= progress.total ? `${megabytes(progress.total)} MB here` : `${megabytes(progress.loaded)} of ${megabytes(progress.total)} MB`;
    const stalled = performance.now() - heard > STALL;
    text.textContent = stalled
      ? `No progress for ${Math.round((performance.now() - heard) / 1000)} s at “${progress.stage}” (${done}). The network may be slow or blocked; waiting is fine, and so is trying again.`
      : `The engine starts: a whole Python and an OJS server, in this tab (${done}). You can read and click already; clicks wait for it.`;
    const retry = element("boot-retry");
    if (retry) retry.hidden = !stalled;
    const bar = /** @type {HTMLProgressElement | null} */ (element("boot-bar"));
    if (bar) bar.value = Math.min(75, (75 * progress.loaded) / progress.total) + (step - 1) * 8;
  }

  let begun = false;

  /** Starts the engine, once. */
  function begin() {
    if (!begun) start();
  }

  const CALM = 3000; // how long a page that is read, with nothing live in sight, is left alone; milliseconds

  function beginWhenIdle() {
    const live = [...document.querySelectorAll(".side .view")].some((one) => one.checkVisibility?.() ?? true);
    if (!live) setTimeout(begin, CALM);
    else if (typeof requestIdleCallback === "function") requestIdleCallback(begin, { timeout: 2000 });
    else setTimeout(begin, 200); // Safari
  }

  /** @param {boolean} plain Without the memory that an earlier visit kept: after whatever went wrong. */
  function start(plain = false) {
    begun = true;
    started = heard = performance.now();
    root.dataset.engine = "booting";
    progress = { stage: STAGES[0], loaded: 0, total: boot.bytes };
    if (typeof WebAssembly !== "object" || typeof Worker !== "function") {
      return fail("This browser has no WebAssembly, so the engine cannot run here. Every page still reads well; a current Firefox, Chrome, Edge or Safari runs it.");
    }
    worker = new Worker(boot.worker, { type: "module" });
    worker.onmessage = (event) => hear(event.data);
    worker.onerror = (event) => {
      event.preventDefault();
      fail(`The engine's program could not be loaded${event.message ? `: ${event.message}` : "; the network may be gone"}.`);
    };
    worker.postMessage({ type: "boot", boot, kept, plain });
    clearInterval(clock);
    clock = setInterval(show, 250); // each change is painted, by the same processors that start the engine
    show();
  }

  // The session is kept where only this tab sees it, and outlives a reload there.

  /** @type {{text: string, now: number} | undefined} */
  let kept;
  try {
    const text = sessionStorage.getItem("ojs-session");
    if (text) kept = { text, now: Number(sessionStorage.getItem("ojs-now")) };
  } catch {
    root.dataset.storage = "none";
  }

  /** @param {string} text */
  function keep(text) {
    kept = text ? { text, now: 0 } : undefined;
    let storage = text ? "" : "full";
    try {
      if (text) sessionStorage.setItem("ojs-session", text);
      else sessionStorage.removeItem("ojs-session");
    } catch (error) {
      storage = /** @type {any} */ (error)?.name === "QuotaExceededError" ? "full" : "none";
    }
    if (storage === (root.dataset.storage ?? "")) return;
    if (storage) root.dataset.storage = storage;
    else delete root.dataset.storage;
    document.dispatchEvent(new CustomEvent("ojs:storage"));
  }

  /** What the page says once the start has ended, well or not; also for a page that was not there yet when it did. */
  function showEnd() {
    const [text, state, retry] = [element("boot-text"), element("engine-text"), element("boot-retry")];
    if (state && root.dataset.engine === "ready") state.textContent = "engine ready";
    if (root.dataset.engine !== "failed") return;
    if (text) text.textContent = failure;
    if (state) state.textContent = "engine failed";
    if (retry) retry.hidden = false;
  }

  /** @param {string} reason */
  function fail(reason) {
    clearInterval(clock);
    worker?.terminate();
    root.dataset.engine = "failed";
    failure = reason;
    showEnd();
    for (const { resolve, stream } of waiting.values()) {
      if (stream) stream.error(new Error(reason));
      else resolve(unavailable("text/html", reason));
    }
    waiting.clear();
    queue.splice(0).forEach((send) => send());
    document.dispatchEvent(new CustomEvent("ojs:failed", { detail: { reason } }));
  }

  function ready() {
    clearInterval(clock);
    root.dataset.engine = "ready";
    showEnd();
    queue.splice(0).forEach((send) => send());
    document.dispatchEvent(new CustomEvent("ojs:ready", { detail: { milliseconds: performance.now() - started } }));
    setTimeout(() => import(`${BASE}/static/${boot.assets["offline-page.mjs"]}`).then((site) => site.keepSite(boot.offline)).catch(() => 0), LATER);
  }

  /** @param {any} message From the worker. */
  function hear(message) {
    heard = performance.now();
    const call = waiting.get(message.id);
    if (message.type === "keep") {
      keep(message.text);
    } else if (message.type === "damaged") {
      document.dispatchEvent(new CustomEvent("ojs:damaged", { detail: { reason: message.reason, text: kept?.text } }));
    } else if (message.type === "progress") {
      progress = message.progress;
    } else if (message.type === "again") {
      worker.terminate();
      start(true);
    } else if (message.type === "ready") {
      ready();
    } else if (message.type === "memory") {
      root.dataset.memory = message.state;
    } else if (message.type === "failed") {
      fail(message.reason);
    } else if (message.type === "response" && call) {
      const empty = message.status === 204 || message.status === 304; // such a response may not even have an empty body
      const body = empty ? null : message.body ?? streamOf(message.id);
      call.resolve(new Response(body, { status: message.status, headers: message.headers }));
      if (message.body) waiting.delete(message.id);
    } else if (message.type === "chunk") {
      call?.stream?.enqueue(message.bytes);
    } else if (message.type === "end") {
      call?.stream?.close();
      waiting.delete(message.id);
    }
  }

  /** @param {number} id */
  function streamOf(id) {
    return new ReadableStream({
      start(controller) {
        const call = waiting.get(id);
        if (call) call.stream = controller;
      },
      cancel() {
        forget(id);
      },
    });
  }

  /** @param {number} id Tells the worker that nobody reads the answer any more. */
  function forget(id) {
    if (waiting.delete(id)) worker.postMessage({ type: "cancel", id });
  }

  /** @param {string} kind @param {string} reason */
  function unavailable(kind, reason) {
    const json = { error: { code: "backend_error", message: reason, retryable: true, type: "backend_error" } };
    const box = document.createElement("p");
    box.className = "problem";
    box.textContent = reason;
    const body = kind.includes("json") ? JSON.stringify(json) : box.outerHTML;
    return new Response(body, { status: 503, headers: { "Content-Type": kind } });
  }

  /** @param {Request} request @param {string} path @param {string} search @returns {Promise<Response>} */
  async function engineFetch(request, path, search) {
    const body = request.method === "GET" || request.method === "HEAD" ? null : new Uint8Array(await request.arrayBuffer());
    const headers = Object.fromEntries(request.headers);
    if (path !== "/ui/stream") begin(); // somebody waits; a live view has something to show meanwhile
    while (root.dataset.engine !== "ready") {
      // A stream waits as long as it takes, also for a retry after a failure: its reader would not ask again.
      if (root.dataset.engine === "failed" && path !== "/ui/stream") {
        return unavailable(/^\/(ojs|v1)\//.test(path) ? "application/openjobspec+json" : "text/html", failure);
      }
      await new Promise((resolve) => queue.push(() => resolve(undefined)));
      if (request.signal.aborted) throw request.signal.reason;
    }
    const id = ++calls;
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve });
      request.signal.addEventListener("abort", () => {
        waiting.get(id)?.stream?.error(request.signal.reason);
        forget(id);
        reject(request.signal.reason);
      });
      worker.postMessage({ type: "request", id, method: request.method, url: path + search, headers, body });
    });
  }

  const network = window.fetch.bind(window);

  window.fetch = (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input, location.href);
    if (url.origin !== location.origin) return network(input, init);
    // A page is made by the engine once it runs, as the session is; until then the ready-made one does as well, if it is one.
    const headers = new Headers(init?.headers);
    const asked = headers.has("HX-Request") || headers.has("HX-History-Restore-Request"); // Back names itself otherwise
    const here = root.dataset.engine === "ready" || (root.dataset.engine === "booting" && url.search); // ready-made pages know no query
    const inside = url.pathname.startsWith(`${BASE}/`);
    const path = inside ? url.pathname.slice(BASE.length) : url.pathname;
    const page = here && PAGES.test(path) && asked;
    if (page || ONLY_ENGINE.test(path)) return engineFetch(new Request(input, init), path, url.search);
    return inside ? network(input, init) : network(BASE + path + url.search, init);
  };

  document.addEventListener("DOMContentLoaded", showEnd); // what is shown may come after this script

  document.addEventListener("click", (event) => {
    if (/** @type {Element} */ (event.target).id !== "boot-retry") return;
    worker?.terminate();
    start(true);
  });

  for (const kind of ["pointerdown", "pointermove", "keydown"]) addEventListener(kind, begin, { capture: true, once: true });
  // Where the live views are what one came for, every moment counts; a text is painted and read first.
  if (root.dataset.reads !== "text") begin();
  else if (document.readyState === "complete") beginWhenIdle();
  else addEventListener("load", beginWhenIdle, { once: true });
})();
