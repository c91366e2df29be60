// The engine's worker: loads Python and the application, then answers the page's requests from it.
// Only plain values cross between JavaScript and Python, so nothing has to be released by hand.

const LOCK = (/** @type {any} */ boot) => ({
  info: { abi_version: boot.abi, arch: "wasm32", platform: boot.platform, python: boot.python, version: boot.version },
  packages: {},
});

/** How long after the start its memory is kept for the next, milliseconds: the visitor's own work goes first. */
const SOON = 2_000;

/** @type {any} */
let tab;
let keeping = 0;
let timer = 0;
let loaded = 0;
let stage = "download";
let total = 0;

let told = 0;
let restored = false;
/** @type {AbortController | null} While a file comes that nobody waits for. */
let quiet = null;

function tell() {
  told = loaded;
  postMessage({ type: "progress", progress: { stage, loaded, total } });
}

/** @param {string} name */
function enter(name) {
  stage = name;
  tell();
}

/**
 * Fetches one of the engine's files and counts its bytes. A host that does not compress has the same file
 * as .gz beside it, which is unpacked here; on loopback bytes cost nothing and the plain file is faster.
 * @param {typeof fetch} network @param {string} url @param {string} type @param {boolean} whole Counted only when it is there.
 */
async function counted(network, url, type, whole = false) {
  let response = await network(url);
  let body = response.body;
  let packed = false;
  const local = /^(localhost|127\.0\.0\.1|\[::1\])$/.test(location.hostname);
  if (response.ok && !local && !response.headers.get("content-encoding")) {
    const small = await network(`${url}.gz`);
    if (small.ok && small.body && !/html/.test(small.headers.get("content-type") ?? "")) {
      await body?.cancel();
      body = small.headers.get("content-encoding") ? small.body : small.body.pipeThrough(new DecompressionStream("gzip"));
      response = small;
      packed = true;
    }
  }
  const name = url.split("/").pop();
  if (!response.ok) throw new Error(`The server answered ${response.status} for ${name}.`);
  if (/html/.test(response.headers.get("content-type") ?? "")) throw new Error(`The server sent a web page in place of ${name}; the site is not deployed completely.`);
  // The program itself goes to the compiler untouched: only so does the browser keep what it compiled for the next visit.
  // And the application is wanted early: the browser collects it by itself, while this thread is busy.
  if (whole) return packed ? new Response(body, { headers: { "Content-Type": type } }) : response;
  /** @type {Uint8Array[]} */
  const chunks = [];
  let size = 0;
  for (const reader = /** @type {ReadableStream} */ (body).getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) return new Response(joined(chunks, size), { headers: { "Content-Type": type } });
    chunks.push(value);
    size += value.byteLength;
    loaded += value.byteLength;
    if (loaded - told > 500_000) tell();
  }
}

/** @param {Uint8Array[]} chunks @param {number} size Of them all. A Blob would do the same by way of another process. */
function joined(chunks, size) {
  const whole = new Uint8Array(size);
  let place = 0;
  for (const chunk of chunks) {
    whole.set(chunk, place);
    place += chunk.byteLength;
  }
  return whole;
}

/**
 * Ends the start: the page takes it from here. A start from a memory that was kept is tried again without it.
 * @param {unknown} error
 */
function giveUp(error) {
  if (restored) postMessage({ type: "again" });
  else postMessage({ type: "failed", reason: `The engine did not start (${stage}): ${lastLine(error)}` });
}

/**
 * @param {any} boot @param {{text: string, now: number} | undefined} kept The session before a reload.
 * @param {boolean} plain Without a memory kept by an earlier visit.
 */
async function start(boot, kept, plain) {
  total = boot.bytes;
  tell();
  const network = self.fetch.bind(self);
  const keeper = import(`./${boot.assets["snapshot.mjs"]}`).catch(() => null); // a start can do without
  const memory = keeper.then((found) => (plain || !found ? null : found.read(found.keyOf(boot))));
  const wasm = `${boot.pyodide}pyodide.asm.wasm`;
  // Everything starts at once, long before Pyodide would ask for it: first what takes longest from its arrival on.
  const script = import(`${boot.pyodide}pyodide.asm.mjs`);
  const loader = import(`${boot.pyodide}pyodide.mjs`);
  // The program is compiled as it arrives; and since Pyodide waits for ever when that fails, the failure is caught here.
  const application = counted(network, boot.app, "application/zip", true).then((response) => response.arrayBuffer());
  const program = WebAssembly.compileStreaming(counted(network, wasm, "application/wasm", true));
  const library = counted(network, boot.stdlib, "application/zip");
  for (const part of [script, program, library, application]) part.catch(giveUp);
  const { loadPyodide } = await loader;
  self.fetch = (/** @type {any} */ input, /** @type {any} */ init) => {
    const url = String(input instanceof Request ? input.url : input);
    if (url.endsWith(".wasm")) return Promise.resolve(new Response()); // its program is on the way already
    return url.endsWith(".zip") ? library : network(input, init);
  };
  WebAssembly.instantiateStreaming = async (_, imports) => {
    const module = await program;
    return { module, instance: await WebAssembly.instantiate(module, imports) };
  };
  const snapshot = await memory;
  restored = snapshot !== null;
  const python = await loadPyodide({
    indexURL: boot.pyodide,
    stdLibURL: boot.stdlib,
    lockFileContents: LOCK(boot),
    packageBaseUrl: boot.pyodide,
    ...(snapshot ? { _loadSnapshot: snapshot } : { _makeSnapshot: true }),
    env: { PYTHONPATH: "/app.zip", HOME: "/home/pyodide" },
    fsInit: async (/** @type {any} */ FS) => {
      const content = new Uint8Array(await application);
      loaded += boot.program + content.length;
      enter("python");
      FS.writeFile("/app.zip", content, { canOwn: true });
    },
  });
  self.fetch = network;
  enter("engine");
  tab = python.pyimport("playground.hosts.tab");
  const made = restored ? null : (await keeper)?.take(python);
  const damaged = tab.start(JSON.stringify(boot), kept?.text ?? "", kept?.now ?? 0, fetchNow);
  if (damaged) postMessage({ type: "damaged", reason: damaged });
  enter("first view");
  tab.warm();
  loaded = total;
  tell();
  if (restored) postMessage({ type: "memory", state: "restored" });
  postMessage({ type: "ready" });
  arm();
  restored = false; // what fails from now on is no fault of the start
  bring(python.FS, network, boot.more).catch(() => {}); // tried again, and said, when a page needs it
  if (made) setTimeout(() => remember(boot, keeper, made), SOON);
}

/** @param {any} boot @param {Promise<any>} keeper @param {Uint8Array} made The memory, for the next visit's start. */
async function remember(boot, keeper, made) {
  const { keyOf, write } = await keeper;
  if (await write(keyOf(boot), made)) postMessage({ type: "memory", state: "kept" });
}

/**
 * Fetches a file while everything waits, as neither an import nor a page can wait for a promise.
 * @param {string} url @returns {Uint8Array | string} What is in it, or why it cannot be had.
 */
function fetchNow(url) {
  const request = new XMLHttpRequest();
  // What is on its way to this thread cannot arrive while it waits, and would keep the cache's copy to itself.
  const busy = quiet && !quiet.signal.aborted;
  if (busy) quiet.abort();
  request.open("GET", busy ? `${url}?now` : url, false);
  request.responseType = "arraybuffer";
  try {
    request.send();
  } catch {
    return "the network may be gone";
  }
  return request.status === 200 ? new Uint8Array(request.response) : `the server answered ${request.status}`;
}

/**
 * What pages need comes after the start and before anybody asks for it: then all of them work without a network.
 * @param {any} FS @param {typeof fetch} network @param {string} url
 */
async function bring(FS, network, url) {
  quiet = new AbortController();
  const { signal } = quiet;
  const response = await counted((at) => network(at, { signal }), url, "application/zip", true);
  const content = await response.arrayBuffer();
  quiet = null;
  if (!FS.analyzePath("/more.zip").exists) FS.writeFile("/more.zip", new Uint8Array(content), { canOwn: true });
}

/** @param {string} method After what may have changed something, the page is given the session to keep. */
function keepSoon(method) {
  if (method === "GET" || keeping) return;
  keeping = setTimeout(() => {
    keeping = 0;
    const text = tab.keep();
    if (typeof text === "string") postMessage({ type: "keep", text });
    else keepSoon("");
  }, 150);
}

/** Wakes the application when it next has something to do. */
function arm() {
  clearTimeout(timer);
  const pause = tab.pause();
  if (pause >= 0) timer = setTimeout(tick, Math.min(pause, 2 ** 31 - 1));
}

function tick() {
  try {
    tab.tick();
    arm();
  } catch (error) {
    postMessage({ type: "failed", reason: `The engine stopped: ${lastLine(error)}` });
  }
}

/** @param {unknown} error The last line of a Python traceback is its message. */
function lastLine(error) {
  return String(error instanceof Error ? error.message : error).trim().split("\n").pop();
}

/** @param {any} request */
function answer({ id, method, url, headers, body }) {
  const respond = (/** @type {number} */ status, /** @type {string} */ head, /** @type {any} */ bytes) => {
    const content = bytes === undefined || bytes === null ? null : bytes.toJs ? bytes.toJs() : bytes;
    postMessage({ type: "response", id, status, headers: JSON.parse(head), body: content });
  };
  const chunk = (/** @type {any} */ bytes) => postMessage({ type: "chunk", id, bytes: bytes.toJs ? bytes.toJs() : bytes });
  const end = () => postMessage({ type: "end", id });
  try {
    tab.dispatch(id, method, url, JSON.stringify(headers), body ?? undefined, respond, chunk, end); // undefined is None, null is not
  } catch (error) {
    const text = `The engine failed while it answered: ${lastLine(error)}`;
    const json = JSON.stringify({ error: { code: "internal_error", message: text, retryable: false, type: "server_error" } });
    postMessage({ type: "response", id, status: 500, headers: { "Content-Type": "application/openjobspec+json" }, body: new TextEncoder().encode(json) });
  }
  keepSoon(method);
  arm();
}

addEventListener("message", ({ data }) => {
  if (data.type === "boot") {
    start(data.boot, data.kept, data.plain).catch(giveUp);
  } else if (data.type === "request") {
    answer(data);
  } else if (data.type === "cancel") {
    tab?.cancel(data.id);
  }
});
