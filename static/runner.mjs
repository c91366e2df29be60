// A disposable worker with a Python of its own, for what the visitor wrote; the engine's worker never runs such code.
// It hears {start, run, response, refused} and tells {stage, started, broken, done, failed, log, request}, as the
// sandbox of JavaScript does. A deadline interrupts busy code; the page ends the whole worker where that is not enough.

const LINES = 200;
const LONGEST = 10_000;
const MOST_REQUESTS = 100;

/** @type {any} */
let runner;
let deadline = Infinity;
let calls = 0;
/** @type {Map<number, {resolve: (value: any) => void, reject: (reason: any) => void}>} */
const waiting = new Map();

// Output goes in batches, so that a loop that prints cannot flood the page.

/** @type {{level: string, text: string}[]} */
let lines = [];
let dropped = 0;
let sent = 0;
let timer = 0;

function flush() {
  clearTimeout(timer);
  timer = 0;
  if (!lines.length && !dropped) return;
  sent = performance.now();
  postMessage({ type: "log", lines, dropped });
  lines = [];
  dropped = 0;
}

/** @param {string} level @param {string} text */
function log(level, text) {
  if (lines.length < LINES) lines.push({ level, text: text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text });
  else dropped++;
  if (performance.now() - sent > 150) flush();
  else timer ||= setTimeout(flush, 150);
}

/** @param {string} method @param {string} url @param {any} headers @param {string | null} body */
function ask(method, url, headers, body) {
  if (waiting.size >= MOST_REQUESTS) return Promise.reject(new TypeError(`More than ${MOST_REQUESTS} requests wait for their answers; await some of them first.`));
  const id = ++calls;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    postMessage({ type: "request", id, method, url, headers, body });
  });
}

const KEPT = "ojs-runner";

/** @param {RequestInfo | URL} input @param {RequestInit} [init] Without a network, what an earlier start has kept. */
async function network(input, init) {
  try {
    return await outside(input, init);
  } catch (error) {
    const copy = await caches.open(KEPT).then((cache) => cache.match(input)).catch(() => null);
    if (copy) return copy;
    postMessage({ type: "dead", text: "Python did not start: its files are not here, and the network does not answer." });
    throw error;
  }
}

/**
 * A private window forgets large files at once, so the next start would need the network again: they are kept for it.
 * @param {string[]} urls
 */
async function keep(urls) {
  try {
    const cache = await caches.open(KEPT);
    for (const { url } of await cache.keys()) if (!urls.some((one) => url.endsWith(one))) await cache.delete(url); // of another release
    for (const url of urls) if (!(await cache.match(url))) await cache.add(url);
  } catch {
    // Storage is blocked or full, or the network has gone: the next start needs it.
  }
}

const outside = self.fetch.bind(self);

// The server's routes are the page's to answer: in a tab there is no such server on the network.
self.fetch = async (input, init) => {
  const request = new Request(input, init);
  const url = new URL(request.url);
  if (url.origin !== location.origin || !/^\/(ojs|v1)\//.test(url.pathname)) return runner ? outside(input, init) : network(input, init);
  const body = request.method === "GET" || request.method === "HEAD" ? null : await request.text();
  const answer = await ask(request.method, url.pathname + url.search, Object.fromEntries(request.headers), body);
  return new Response(answer.body || null, { status: answer.status, headers: answer.headers });
};

/** @param {any} boot Where Python is. @param {string} code What the visitor wrote. @param {number} limit Milliseconds. */
async function start(boot, code, limit) {
  postMessage({ type: "stage", text: "Python starts" });
  const [{ loadPyodide }, source, loop, rest] = await Promise.all([
    import(`${boot.pyodide}pyodide.mjs`),
    network(boot.runner).then((answer) => answer.text()),
    boot.loop ? network(boot.loop).then((answer) => answer.arrayBuffer()) : null,
    // Without a network, and never started before: what is rarely imported is missing, the rest works.
    boot.rest ? outside(boot.rest).catch(() => caches.match(boot.rest)).then((answer) => answer?.arrayBuffer() ?? null).catch(() => null) : null,
  ]);
  const python = await loadPyodide({
    indexURL: boot.pyodide,
    stdLibURL: boot.stdlib,
    lockFileContents: { info: { abi_version: boot.abi, arch: "wasm32", platform: boot.platform, python: boot.python, version: boot.version }, packages: {} },
    packageBaseUrl: boot.pyodide,
    // The engine's library and this are what a Python with an event loop needs.
    env: loop ? { PYTHONPATH: "/loop.zip" } : {},
    fsInit: async (/** @type {any} */ FS) => loop && FS.writeFile("/loop.zip", new Uint8Array(loop)),
    stdout: (/** @type {string} */ text) => log("out", text),
    stderr: (/** @type {string} */ text) => log("bad", text),
  });
  if (rest) {
    python.FS.writeFile("/rest.zip", new Uint8Array(rest));
    python.runPython("import sys; sys.path.append('/rest.zip')");
  }
  // Pyodide looks at its first element now and then; this one says SIGINT as soon as the time is over.
  python.setInterruptBuffer({
    get 0() {
      if (performance.now() < deadline) return 0;
      deadline = Infinity;
      return 2;
    },
    set 0(_) {},
  });
  const module = python.toPy({ __name__: "runner" });
  python.runPython(source, { globals: module, filename: "runner.py" });
  const send = async (/** @type {string} */ method, /** @type {string} */ path, /** @type {string | undefined} */ body) => {
    const answer = await ask(method, path, body ? { "Content-Type": "application/json" } : {}, body ?? null);
    return [answer.status, answer.body];
  };
  runner = module.get("Runner")(send);
  postMessage({ type: "stage", text: "" });
  deadline = performance.now() + limit;
  const answer = JSON.parse(await runner.start(code));
  deadline = Infinity;
  flush();
  postMessage({ type: answer.types ? "started" : "broken", ...answer });
  void keep([boot.runner, boot.stdlib, `${boot.pyodide}pyodide.asm.wasm`, ...(boot.rest ? [boot.rest] : [])]);
}

/** @param {{run: number, job: any, limit: number}} work */
async function run({ run, job, limit }) {
  deadline = performance.now() + limit;
  const answer = JSON.parse(await runner.run(JSON.stringify(job), limit / 1000));
  deadline = Infinity;
  flush();
  if (answer.error) postMessage({ type: "failed", run, error: answer.error });
  else postMessage({ type: "done", run, result: JSON.stringify(answer.result) });
}

/** @param {any} error What this file's own Python raised ends in its message. */
const lastLine = (error) => String(error?.message ?? error).trim().split("\n").pop() ?? "";

addEventListener("message", ({ data }) => {
  if (data.type === "start") start(data.boot, data.code, data.limit).catch((error) => postMessage({ type: "dead", text: `Python did not start: ${lastLine(error)}` }));
  else if (data.type === "run") run(data).catch((error) => postMessage({ type: "failed", run: data.run, error: { code: "handler_error", type: "Error", message: lastLine(error), trace: "" } }));
  else if (data.type === "response") waiting.get(data.id)?.resolve(data);
  else if (data.type === "refused") waiting.get(data.id)?.reject(new TypeError(data.reason));
  if (data.id) waiting.delete(data.id);
});
