// Handlers that the visitor writes. Each runs as an ordinary job worker: this file fetches a job over the binding, has
// the code run where it can do no harm (Python: a worker of its own; JavaScript: a worker in a sandboxed frame), and
// acknowledges. Nothing runs before a click. Whatever the code prints or raises is text, never markup.
"use strict";

(() => {
  const VISIBILITY = 10_000; // all in milliseconds
  const IDLE = 300;
  const AGAIN = 2_000;
  const PAUSED = 1_000;
  const BEAT = 3_000;
  const IDLE_BEAT = 10_000;
  const GRACE = 1_000;
  const BOOT = 60_000;
  const KEPT_LINES = 80; // a flood is drawn anew again and again: more would hold the page up
  const ROUTES = /^\/(ojs|v1)\//;
  const JSON_TYPE = { "Content-Type": "application/json" };

  /** @typedef {{postMessage: (message: any) => void, close: () => void}} Runtime */
  /** @typedef {{at: number, level: string, text: string, job: string}} Line */
  /** @typedef {{code: string, queue: string, types: string, limit: string, args: string}} Settings */

  const pane = () => /** @type {HTMLElement | null} */ (document.getElementById("handlers"));
  const pause = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const clock = () => document.getElementById("clock");
  const rate = () => Number(clock()?.dataset.rate ?? 1);
  const fits = (/** @type {string} */ types, /** @type {string} */ type) => types.split(/[\s,]+/).filter(Boolean).some((one) => one === type || (one.endsWith("*") && type.startsWith(one.slice(0, -1))));
  const seconds = (/** @type {number} */ ms) => `${ms / 1000} s`;

  /** @param {string} method @param {string} path @param {any} [body] @returns {Promise<any>} The answer's JSON, `status` beside it. */
  async function ask(method, path, body) {
    const answer = await fetch(`/ojs/v1${path}`, { method, headers: body ? JSON_TYPE : {}, body: body && JSON.stringify(body) });
    return { ...(await answer.json()), status: answer.status }; // some answers have a status of their own
  }

  /** One language's place on the page: its code, its state, its log, and the worker while it runs. */
  class Handler {
    /** @param {string} language */
    constructor(language) {
      this.language = language;
      this.state = "off";
      this.told = "Not started";
      this.starts = 0;
      this.id = "";
      this.known = false;
      this.limit = 0;
      this.queue = "";
      this.types = "";
      this.code = "";
      this.job = "";
      this.runs = 0;
      this.beaten = 0;
      /** @type {Line[]} */
      this.lines = [];
      this.drawn = 0; // lines on the page; less than none asks for an empty page first
      this.drawing = 0;
      this.deaf = 0;
      /** @type {Runtime | null} */
      this.runtime = null;
      /** @type {((message: any) => void) | null} */
      this.settle = null;
    }

    // What is on the page.

    get box() {
      return /** @type {HTMLElement | null} */ (document.getElementById(`handler-${this.language}`));
    }

    /** @param {string} name @returns {any} */
    field(name) {
      return this.box?.querySelector(`[name="${name}"]`);
    }

    /** @returns {Settings} */
    get settings() {
      return /** @type {any} */ (Object.fromEntries(["code", "queue", "types", "limit", "args"].map((name) => [name, this.field(name)?.value ?? ""])));
    }

    keep() {
      this.put(`ojs-handler-${this.language}`, this.settings);
    }

    /** Puts back what was kept, and shows the state, on a page that has just come. */
    bind() {
      const box = this.box;
      if (!box || box.dataset.bound) return;
      box.dataset.bound = "yes";
      try {
        for (const [name, value] of Object.entries(JSON.parse(sessionStorage.getItem(`ojs-handler-${this.language}`) ?? "{}"))) {
          if (this.field(name) && typeof value === "string") this.field(name).value = value;
        }
      } catch {
        // Nothing kept, or nothing that can be read.
      }
      this.drawn = 0;
      box.querySelector(".output")?.replaceChildren();
      this.takeLinked();
      this.draw();
    }

    // Code that a link has brought is shown in place of one's own, which waits. It runs by Start only.

    takeLinked() {
      if (!this.box) return;
      const linked = linkedFor(this.language);
      if (linked && linked.code !== this.settings.code) {
        if (!this.own()) this.put(`ojs-own-${this.language}`, this.settings);
        this.show(linked);
      }
      /** @type {HTMLElement} */ (this.box.querySelector(".from-link")).hidden = !this.own();
    }

    /** @returns {Settings | null} One's own code, while that of a link is shown. */
    own() {
      try {
        return JSON.parse(sessionStorage.getItem(`ojs-own-${this.language}`) ?? "null");
      } catch {
        return null;
      }
    }

    /** @param {boolean} back Whether one's own code comes back, or that of the link stays. */
    decide(back) {
      const own = this.own();
      if (back && own) this.show(own);
      this.put(`ojs-own-${this.language}`, null);
      this.takeLinked();
      this.field("code").focus();
    }

    /** @param {any} settings Text for the fields. */
    show(settings) {
      for (const [name, value] of Object.entries(settings)) if (this.field(name)) this.field(name).value = String(value);
      this.keep();
    }

    /** @param {string} key @param {Settings | null} settings Kept for this tab, or forgotten. */
    put(key, settings) {
      try {
        if (settings) sessionStorage.setItem(key, JSON.stringify(settings));
        else sessionStorage.removeItem(key);
      } catch {
        // Storage is blocked or full: the code lasts as long as the page.
      }
    }

    /** @param {string} state @param {string} told */
    turn(state, told) {
      if (state !== this.state && state !== "busy" && state !== "idle") announce(`${this.language === "python" ? "Python" : "JavaScript"}: ${told}`);
      this.state = state;
      this.told = told;
      this.draw();
    }

    /** @param {string} level @param {string} text @param {string} [job] */
    log(level, text, job = this.job) {
      this.lines.push({ at: typeof sessionNow === "function" ? sessionNow() : Date.now(), level, text, job });
      const gone = Math.max(0, this.lines.length - KEPT_LINES);
      this.lines.splice(0, gone);
      this.drawn = Math.max(0, this.drawn - gone);
      this.draw();
    }

    draw() {
      if (this.drawing) return;
      this.drawing = setTimeout(() => this.drawNow(), 50);
    }

    drawNow() {
      this.drawing = 0;
      const box = this.box;
      if (!box) return;
      const runs = !["off", "failed"].includes(this.state);
      const state = /** @type {HTMLElement} */ (box.querySelector(".runs"));
      state.textContent = state.title = this.told;
      state.dataset.state = this.state;
      for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (box.querySelectorAll("[data-act]"))) {
        const act = button.dataset.act;
        if (act === "start") button.textContent = runs ? "Start again" : "Start";
        if (act === "stop") button.disabled = !runs || this.state === "stopping";
        if (act === "kill") button.disabled = !runs;
        // What comes next stands out: once it waits for jobs, sending it one.
        if (act === "start") button.classList.toggle("primary", this.state !== "idle");
        if (act === "send") button.className = this.state === "idle" ? "primary" : "quiet";
      }
      const output = /** @type {HTMLElement} */ (box.querySelector(".output"));
      const scroller = /** @type {HTMLElement} */ (output.parentElement);
      /** @type {HTMLElement} */ (box.querySelector(".quiet-hint")).hidden = this.lines.length > 0;
      const below = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 30;
      if (this.drawn < 0) this.drawn = (output.replaceChildren(), 0);
      for (const line of this.lines.slice(this.drawn)) output.append(this.item(line));
      this.drawn = this.lines.length;
      while (output.children.length > KEPT_LINES) output.firstElementChild?.remove();
      if (below) scroller.scrollTop = scroller.scrollHeight;
    }

    /** @param {Line} line */
    item(line) {
      const item = document.createElement("li");
      item.className = line.level;
      const time = document.createElement("time");
      time.textContent = new Date(line.at).toISOString().slice(11, 23);
      const text = document.createElement("pre");
      text.textContent = line.text;
      item.append(time, text);
      if (line.job) {
        const link = document.createElement("a");
        link.className = "id";
        link.href = `${BASE}/play/jobs/${encodeURIComponent(line.job)}`;
        link.textContent = line.job.slice(-6);
        link.title = line.job;
        item.insertBefore(link, text);
      }
      return item;
    }

    // The worker.

    async start() {
      this.end();
      this.keep();
      const { code, queue, types, limit } = this.settings;
      this.limit = Math.min(3600, Math.max(0.1, Number(limit) || 5)) * 1000;
      this.queue = queue.trim() || this.language;
      this.types = types.trim() || "*";
      this.code = code;
      this.id = `${this.language}-${++this.starts}`;
      await this.boot();
    }

    /** Makes the place where the code runs, and runs the code's own statements there. */
    async boot() {
      const id = this.id;
      this.turn("starting", "Starts…");
      const answer = await this.within(BOOT, () => this.make(), "The runner did not start within a minute.");
      if (this.id !== id) return;
      if (answer.type !== "started") {
        this.log("bad", answer.text || "It was stopped at its deadline before it had started.", "");
        this.end();
        return this.turn("failed", "Could not start");
      }
      if (!answer.types.length) {
        this.turn("ran", "Ran; defines no handler, so it takes no jobs");
        this.deaf = setTimeout(() => this.id === id && this.state === "ran" && this.end(), 60_000); // what it left running may still print
        return;
      }
      if (this.state === "stopping") return this.leave();
      this.known = true;
      await ask("POST", "/workers/register", { worker_id: id, queues: [this.queue], concurrency: 1 }).catch(() => 0);
      void this.beats(id);
      void this.work(id);
    }

    /** @param {string} id Fetch, run, acknowledge, as long as this start lives. */
    async work(id) {
      while (this.id === id && this.state !== "stopping") {
        this.turn("idle", rate() ? `Waits for jobs in “${this.queue}”` : "Waits: time stands still");
        const job = await this.next().catch((error) => (this.log("bad", `The server does not answer: ${error.message}`, ""), AGAIN));
        if (this.id !== id) return;
        if (typeof job === "number") await pause(job);
        else await this.treat(id, job);
      }
      if (this.id === id) this.leave();
    }

    /** @returns {Promise<any>} A job, or how long to wait. Looking changes nothing, so an idle worker writes no history. */
    async next() {
      if (!rate()) return PAUSED;
      const queue = await ask("GET", `/queues/${encodeURIComponent(this.queue)}/stats`);
      if (queue.status === 404 || (queue.status < 400 && !queue.available)) return IDLE;
      const body = { queues: [this.queue], worker_id: this.id, visibility_timeout_ms: VISIBILITY };
      const answer = queue.status < 400 ? await ask("POST", "/workers/fetch", body) : queue;
      if (answer.status >= 400) this.log("bad", answer.error?.message ?? `The server answered ${answer.status}.`, "");
      return answer.job ?? AGAIN;
    }

    /** @param {string} id @param {any} job */
    async treat(id, job) {
      this.job = job.id;
      this.beaten = 0;
      this.turn("busy", `Attempt ${job.attempt} of ${String(job.type).slice(0, 60)}`);
      const limit = Math.min(this.limit, job.timeout_ms || Infinity);
      const run = ++this.runs;
      const late = this.language === "python" ? GRACE : 0; // Python interrupts itself; whoever swallows that is ended
      const deadline = { type: "failed", ended: true, error: { code: "handler_timeout", type: "Deadline", message: `The handler ran for more than ${seconds(limit)}.`, trace: "" } };
      const answer = fits(this.types, job.type)
        ? await this.within(limit + late, () => this.runtime?.postMessage({ type: "run", run, job, limit }), deadline)
        : { type: "failed", error: { code: "no_handler", type: "NoHandler", message: `This worker takes ${this.types}, and no jobs of type ${job.type}.` } };
      if (this.id !== id) return;
      if (answer.ended) this.endRuntime();
      const [what, body] = answer.type === "done" ? ["ack", { result: JSON.parse(answer.result) }] : ["nack", { error: failure(answer.error) }];
      if (what === "nack") this.log("bad", answer.error.trace || `${answer.error.type}: ${answer.error.message}`);
      const said = await ask("POST", `/workers/${what}`, { job_id: job.id, worker_id: id, ...body }).catch((error) => ({ status: 0, error }));
      if (this.id !== id) return;
      if (said.status >= 400 || !said.status) this.log("bad", `Its ${what} was refused: ${said.error?.message}`);
      else if (what === "ack") this.log("good", `completed on attempt ${job.attempt}: ${short(answer.result)}`);
      else this.log("told", `failed on attempt ${job.attempt} of ${job.max_attempts}; ${said.state === "retryable" ? `tried again in ${seconds(said.retry_delay_ms)}` : `now ${said.state}`}`);
      this.job = "";
      if (!answer.ended || this.state === "stopping") return;
      this.log("told", "Its worker was ended and is started again, as a supervisor would.", "");
      this.id = `${this.language}-${++this.starts}`;
      void this.forget(id);
      await this.boot();
    }

    /** @param {string} id Tells the server that it lives, and keeps its job reserved. */
    async beats(id) {
      while (this.id === id) {
        const speed = rate();
        const every = Math.max(250, (this.job ? BEAT : IDLE_BEAT) / Math.max(1, speed));
        if (speed && Date.now() - this.beaten >= every) {
          this.beaten = Date.now();
          const held = this.job ? [this.job] : [];
          const answer = await ask("POST", "/workers/heartbeat", { worker_id: id, active_jobs: held, visibility_timeout_ms: VISIBILITY }).catch(() => ({ state: "" }));
          if (this.id === id && answer.state === "terminate") this.stop();
        }
        await pause(250);
      }
    }

    /**
     * @param {number} limit Milliseconds.
     * @param {() => void} begin What the runtime will answer.
     * @param {any} otherwise The answer when it does not in time; a text means that it could not start.
     * @returns {Promise<any>}
     */
    within(limit, begin, otherwise) {
      return new Promise((resolve) => {
        let timer = setTimeout(() => resolve(typeof otherwise === "string" ? { type: "dead", text: otherwise } : otherwise), limit);
        this.settle = (message) => {
          clearTimeout(timer);
          // Once Python is there, the deadline counts for the code's own statements.
          if (message.type === "stage") timer = setTimeout(() => resolve({ type: "dead", text: "" }), message.text ? limit : this.limit + GRACE);
          else resolve(message);
        };
        begin();
      });
    }

    /** Whatever runs, ends; its job comes back by its reservation. */
    end() {
      clearTimeout(this.deaf);
      const id = this.id;
      this.id = "";
      this.job = "";
      this.endRuntime();
      if (this.known) void this.forget(id);
    }

    endRuntime() {
      this.runtime?.close();
      this.runtime = null;
      this.settle = null;
    }

    /** @param {string} id */
    forget(id) {
      this.known = false;
      return ask("DELETE", `/workers/${id}`).catch(() => 0);
    }

    leave() {
      this.end();
      this.turn("off", "Stopped");
    }

    stop() {
      if (this.state !== "ran" && (this.job || this.state === "starting")) this.turn("stopping", this.job ? "Finishes its job, then stops" : "Stops when it has started");
      else this.leave();
    }

    kill() {
      const job = this.job;
      // A crash says no goodbye: the server finds out by the reservation.
      this.id = "";
      this.job = "";
      this.known = false;
      this.endRuntime();
      if (job) this.log("bad", `Killed in the middle of its job, which comes back within ${seconds(VISIBILITY)}.`, job);
      this.turn("off", job ? "Killed; its job comes back" : "Killed");
    }

    // Where the code runs.

    make() {
      if (this.language === "python") this.makePython(boot);
      else void this.makeJavaScript(boot);
    }

    /** @param {any} facts */
    makePython(facts) {
      if (!facts.python) return void this.settle?.({ type: "dead", text: facts.without });
      const worker = new Worker(facts.worker, { type: "module" });
      worker.onmessage = ({ data }) => this.hear(data, worker);
      worker.onerror = (event) => {
        event.preventDefault();
        this.settle?.({ type: "dead", text: `The Python runner could not be loaded${event.message ? `: ${event.message}` : "; the network may be gone"}.` });
      };
      this.runtime = { postMessage: (message) => worker.postMessage(message), close: () => worker.terminate() };
      worker.postMessage({ type: "start", boot: facts, code: this.code, limit: this.limit });
    }

    /** @param {any} facts */
    async makeJavaScript(facts) {
      const { port1, port2 } = new MessageChannel();
      const { frame, ready } = spare ?? sandbox(facts);
      spare = null;
      let open = true;
      port1.onmessage = ({ data }) => this.hear(data, port1);
      this.runtime = { postMessage: (message) => port1.postMessage(message), close: () => ((open = false), port1.close(), frame.remove()) };
      await ready;
      if (!open) return;
      this.settle?.({ type: "stage", text: "" });
      frame.contentWindow?.postMessage({ code: this.code }, "*", [port2]); // its origin is opaque: it has no name
      spare = sandbox(facts);
    }

    /** @param {any} message From the code's side, which may say anything. @param {any} port Where answers go. */
    hear(message, port) {
      if (message?.type === "log" && Array.isArray(message.lines)) {
        for (const line of message.lines.slice(0, KEPT_LINES)) this.log(line.level === "bad" ? "bad" : "out", String(line.text).slice(0, 10_001));
        const more = Math.max(0, message.lines.length - KEPT_LINES) + Math.max(0, Number(message.dropped) || 0);
        if (more) this.log("told", `… and ${more.toLocaleString("en")} lines more.`);
      } else if (message?.type === "request") {
        void this.carry(message, port);
      } else if (message?.type === "stage") {
        if (this.state === "starting") this.turn("starting", message.text ? `${String(message.text).slice(0, 80)}…` : "Starts…");
        this.settle?.(message);
      } else if (["started", "broken", "dead"].includes(message?.type)) {
        if (this.state === "starting" || this.state === "stopping") this.settle?.(message);
      } else if (message?.run === this.runs && ["done", "failed"].includes(message?.type)) {
        this.settle?.(message);
      }
    }

    /** @param {any} request The code's own; only the server's routes are carried. @param {any} port */
    async carry({ id, method, url, headers, body }, port) {
      try {
        const path = new URL(String(url), location.origin);
        if (path.origin !== location.origin || !ROUTES.test(path.pathname)) throw new TypeError("Only the server's own routes can be reached from here: /ojs/v1/… and /v1/….");
        const sent = new Headers(headers);
        for (const name of ["cookie", "origin", "host"]) sent.delete(name);
        const bare = method === "GET" || method === "HEAD" || body === null;
        const answer = await fetch(path.pathname + path.search, { method: String(method), headers: sent, body: bare ? undefined : String(body) });
        if (answer.headers.get("content-type")?.startsWith("text/event-stream")) {
          await answer.body?.cancel();
          throw new TypeError("Streams cannot be followed from here; ask again instead.");
        }
        port.postMessage({ type: "response", id, status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() });
      } catch (error) {
        port.postMessage({ type: "refused", id, reason: error instanceof Error ? error.message : String(error) });
      }
    }

    // What one may press besides.

    /** Enqueues a job that this handler takes. */
    async send() {
      const { queue, types, args } = this.settings;
      const type = types.split(/[\s,]+/).filter(Boolean)[0] ?? "*";
      /** @type {any} */
      let list;
      try {
        list = JSON.parse(args.trim() || "[]");
      } catch (error) {
        return this.log("bad", `The arguments are no JSON: ${/** @type {Error} */ (error).message}`, "");
      }
      const job = { type: type.endsWith("*") ? `${type.slice(0, -1)}task`.replace(/^task$/, "my.task") : type, args: Array.isArray(list) ? list : [list], queue: queue.trim() || this.language };
      const answer = await ask("POST", "/jobs", job).catch((error) => ({ status: 0, error }));
      if (answer.job) this.log("told", `enqueued ${job.type}`, answer.job.id);
      else this.log("bad", `Not enqueued: ${answer.error?.message}`, "");
    }

    /** @param {HTMLElement} chip */
    example(chip) {
      const area = this.field("code");
      area.focus();
      area.select();
      if (!document.execCommand("insertText", false, chip.dataset.code ?? "")) area.value = chip.dataset.code;
      area.setSelectionRange(0, 0);
      area.scrollTop = 0;
      if (chip.dataset.limit) this.field("limit").value = chip.dataset.limit;
      this.keep();
    }

    /** @param {HTMLElement} button */
    press(button) {
      const act = button.dataset.act;
      if (act === "start") void this.start();
      else if (act === "stop") this.stop();
      else if (act === "kill") this.kill();
      else if (act === "send") void this.send();
      else if (act === "clear") this.lines = [];
      else if (act === "example") this.example(button);
      else if (act === "own" || act === "taken") this.decide(act === "own");
      if (act === "clear") this.drawn = -1;
      this.draw();
    }
  }

  /** @param {any} error As the binding wants it. */
  function failure(error) {
    const trace = String(error?.trace ?? "").slice(0, 20_000);
    return { code: String(error?.code ?? "handler_error").slice(0, 100), type: String(error?.type ?? "Error").slice(0, 100), message: String(error?.message ?? "").slice(0, 2000) || "It failed.", ...(trace && { details: { traceback: trace } }) };
  }

  /** @typedef {{frame: HTMLIFrameElement, ready: Promise<void>}} Sandbox */

  /** @param {any} facts @returns {Sandbox} A frame with an origin of its own, ready once it has said so. */
  function sandbox(facts) {
    const frame = document.createElement("iframe");
    frame.setAttribute("sandbox", "allow-scripts");
    frame.hidden = true;
    frame.title = "Sandbox of the JavaScript handler";
    frame.src = facts.sandbox;
    const ready = new Promise((resolve) => {
      const greet = (/** @type {MessageEvent} */ event) => {
        if (event.source !== frame.contentWindow || event.data !== "sandbox") return;
        removeEventListener("message", greet);
        resolve(undefined);
      };
      addEventListener("message", greet);
    });
    document.body.append(frame);
    return { frame, ready: /** @type {Promise<void>} */ (ready) };
  }

  const short = (/** @type {string} */ text) => (text.length > 300 ? `${text.slice(0, 300)}…` : text);

  /** @type {any} Where the code can run, as the pane says. */
  let boot = null;
  /** @type {Sandbox | null} The next start's, there already: it is quick, and does not need the network then. */
  let spare = null;
  const handlers = Object.fromEntries(["python", "javascript"].map((language) => [language, new Handler(language)]));
  const owner = (/** @type {EventTarget | null} */ target) => handlers[/** @type {HTMLElement | null} */ (/** @type {Element} */ (target).closest?.("[data-language]"))?.dataset.language ?? ""];

  document.addEventListener("click", (event) => {
    const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("#handlers [data-act]"));
    if (button) owner(button)?.press(button);
  });
  document.addEventListener("input", (event) => owner(event.target)?.keep());
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !target.matches("#handlers textarea")) return;
    event.preventDefault();
    void owner(target)?.start();
  });

  function bind() {
    const place = pane();
    if (!place) return;
    if (!boot) {
      boot = JSON.parse(place.dataset.runner ?? "{}");
      spare = sandbox(boot);
      if (boot.python) for (const url of [boot.worker, boot.runner, boot.loop ?? boot.runner]) void fetch(url).catch(() => 0); // the browser keeps them
    }
    for (const handler of Object.values(handlers)) handler.bind();
  }

  document.addEventListener("ojs:desk", () => Object.values(handlers).forEach((handler) => handler.takeLinked()));
  document.addEventListener("htmx:after:swap", bind);
  bind();
})();
