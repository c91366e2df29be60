// Inside a widget's frame: finds the engine that all widgets of the host page share, or starts it; plays what the widget
// shows; speaks with the host page by the messages of docs/embed.md, version 1, and with nobody else.
"use strict";

(() => {
  const VERSION = 1;
  const STAGES = ["download", "python", "engine", "first view"];
  const PACE = 450;
  const script = /** @type {HTMLScriptElement} */ (document.currentScript);
  const boot = JSON.parse(script.dataset.boot ?? "null");
  const told = new URLSearchParams(location.hash.slice(1));
  const $ = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));

  // The engine: one for all frames of this origin on the host page, which can see each other as windows.

  class Engine {
    state = "starting";
    reason = "";
    progress = { stage: STAGES[0], loaded: 0, total: 1 };
    gone = false;
    /** @type {Set<() => void>} */
    listeners = new Set();
    /** @type {Map<number, {resolve: (value: any) => void, reject: (reason: any) => void, message: any}>} */
    waiting = new Map();
    calls = 0;

    constructor() {
      const absolute = (/** @type {any} */ value) => (typeof value === "string" && /^(\/|\.\.?\/)/.test(value) ? new URL(value, document.baseURI).href : value);
      this.boot = { ...Object.fromEntries(Object.entries(boot).map(([name, value]) => [name, name === "base" ? value : absolute(value)])), embed: true };
      if (typeof WebAssembly !== "object" || typeof Worker !== "function") this.fail("This browser has no WebAssembly, so nothing can run here.");
      else this.start(false);
    }

    /** @param {boolean} plain Without a memory kept from an earlier visit. */
    start(plain) {
      this.worker = new Worker(this.boot.worker, { type: "module" });
      this.worker.onmessage = ({ data }) => this.hear(data);
      this.worker.onerror = (event) => {
        event.preventDefault();
        this.fail("The engine's program could not be loaded; the network may be gone.");
      };
      this.worker.postMessage({ type: "boot", boot: this.boot, plain });
    }

    /** @param {any} message */
    hear(message) {
      if (message.type === "progress") this.progress = message.progress;
      else if (message.type === "failed") this.fail(message.reason);
      else if (message.type === "again") {
        this.worker?.terminate();
        this.start(true);
      } else if (message.type === "ready") {
        this.state = "ready";
        for (const call of this.waiting.values()) this.worker?.postMessage(call.message);
      } else if (message.type === "response") {
        this.waiting.get(message.id)?.resolve({ status: message.status, text: new TextDecoder().decode(message.body) });
        this.waiting.delete(message.id);
        return;
      }
      for (const tell of this.listeners) tell();
    }

    /** @param {string} reason */
    fail(reason) {
      this.state = "failed";
      this.reason = reason;
      this.worker?.terminate();
      this.end(reason);
      for (const tell of this.listeners) tell();
    }

    /** @param {string} reason */
    end(reason) {
      for (const { reject } of this.waiting.values()) reject(reason);
      this.waiting.clear();
      this.gone = true;
    }

    /** @param {string} url @param {string} body @returns {Promise<{status: number, text: string}>} */
    ask(url, body) {
      if (this.gone) return Promise.reject(this.reason);
      const id = ++this.calls;
      const headers = { "content-type": "application/json" };
      const message = { type: "request", id, method: "POST", url, headers, body: new TextEncoder().encode(body) };
      return new Promise((resolve, reject) => {
        this.waiting.set(id, { resolve, reject, message });
        if (this.state === "ready") this.worker?.postMessage(message);
      });
    }
  }

  /** The server of this page, where the engine is no tab's. */
  const server = {
    state: "ready",
    reason: "",
    progress: { stage: "", loaded: 0, total: 1 },
    gone: false,
    listeners: new Set(),
    ask: async (/** @type {string} */ url, /** @type {string} */ body) => {
      const response = await fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body });
      return { status: response.status, text: await response.text() };
    },
  };

  /** @type {any} */
  let engine = null;

  function shared() {
    if (!boot) return server;
    for (let index = 0; index < parent.frames.length; index++) {
      try {
        const other = /** @type {any} */ (parent.frames[index]).ojsEngine; // throws for a frame of another origin
        if (other && !other.gone) return other;
      } catch {
        // not one of ours
      }
    }
    const own = new Engine();
    /** @type {any} */ (window).ojsEngine = own;
    addEventListener("pagehide", () => own.end("The widget that ran the engine has left the page."));
    return own;
  }

  function listen() {
    if (engine && !engine.gone) return;
    engine = shared();
    engine.listeners.add(showStart);
    addEventListener("pagehide", () => engine.listeners.delete(showStart));
    showStart();
  }

  // The host page.

  const host = told.get("host");

  /** @param {string} type @param {any} [more] */
  function tell(type, more) {
    if (host && parent !== window) parent.postMessage({ ojs: VERSION, type, ...more }, host === "null" ? "*" : host);
  }

  /** @param {string} state @param {any} [more] */
  function say(state, more) {
    document.documentElement.dataset.state = state;
    tell("state", { state, ...more });
  }

  addEventListener("message", (event) => {
    if (!host || event.source !== parent || event.origin !== host || event.data?.ojs === undefined) return;
    const { type, ojs, ...more } = event.data;
    if (ojs !== VERSION) return say("failed", { reason: `The page speaks version ${String(ojs).slice(0, 9)} of the widget's messages, this playground version ${VERSION}; load embed.js from the playground itself.` });
    if (type === "load") load(more);
    else if (type === "run") void run(true);
    else if (type === "edit") edit(more.text);
    else if (type === "reset") reset();
    else if (type === "theme") dress(more);
  });

  // What the widget shows.

  const views = Array.from(document.querySelectorAll("[role=tab]"), (tab) => /** @type {HTMLElement} */ (tab).dataset.view ?? "");
  /** @type {{text?: string, scenario?: string, requirement?: string, workers?: number}} */
  let content = {};
  let original = "";
  let chosen = views;
  let shown = views[0];
  let playing = 0;
  let running = false;
  /** @type {any} */
  let facts = null;
  const room = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const wide = matchMedia("(min-width: 40rem)");
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  /** @param {any} asked */
  function load(asked) {
    dress(asked);
    const { text, scenario, requirement, workers } = asked;
    content = JSON.parse(JSON.stringify({ text, scenario, requirement, workers }));
    original = text ?? "";
    chosen = (asked.views ?? []).filter((/** @type {string} */ view) => views.includes(view));
    if (!chosen.length) chosen = views;
    shown = chosen[0];
    $("title").textContent = scenario ?? requirement ?? "Open Job Spec";
    $("plain").firstChild.textContent = original || `${scenario ? "Scenario" : "Requirement"} ${scenario ?? requirement}`;
    $("edit").hidden = Boolean(requirement);
    lay();
  }

  /** @param {{theme?: string, vars?: Record<string, string>}} asked Light or dark, and colours of the host page's. */
  function dress({ theme, vars }) {
    const root = document.documentElement;
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    for (const name of ["accent", "paper", "panel", "sunk", "ink", "soft", "rule"]) {
      const value = vars?.[name];
      if (value && CSS.supports("color", value)) root.style.setProperty(`--${name}`, value);
    }
  }

  /** @param {string} move @param {any} [more] @returns {Promise<any>} Facts, or a problem. */
  async function ask(move, more) {
    const body = JSON.stringify({ views: onScreen(), language: $("language")?.value, ...more });
    for (let tries = 0; ; tries++) {
      listen();
      try {
        const answer = await engine.ask(`/ui/embed/${room}/${move}`, body);
        return JSON.parse(answer.text);
      } catch (error) {
        if (tries || engine.state === "failed") return { problem: engine.reason || "The playground does not answer." };
        if (move !== "load") await ask("load", content); // the engine is another one, which knows nothing of this run
      }
    }
  }

  const pinned = () => wide.matches && chosen.length > 1 && chosen.includes("request");

  function onScreen() {
    return pinned() ? [...new Set(["request", shown === "request" ? chosen.find((view) => view !== "request") : shown])] : [shown];
  }

  function lay() {
    const [first, second] = onScreen();
    $("panes").classList.toggle("two", pinned());
    for (const view of views) {
      const tab = $(`tab-${view}`);
      tab.hidden = !chosen.includes(view) || (pinned() && view === "request");
      const current = view === (second ?? first);
      tab.setAttribute("aria-selected", String(current));
      tab.tabIndex = current ? 0 : -1;
      if (current) $("view").setAttribute("aria-labelledby", tab.id);
    }
    $("tabs").hidden = chosen.length < 2;
  }

  /** @param {any} found */
  function show(found) {
    if (found.problem !== undefined) return refuse(found.problem);
    facts = found;
    $("status").hidden = true;
    $("plain").hidden = true;
    $("panes").hidden = $("bar").hidden = false;
    const [first, second] = onScreen();
    $("pinned").hidden = !second;
    if (second) put($("pinned"), found.html[first]);
    put($("view"), found.html[second ?? first]);
    const seconds = found.ms < 60_000 ? `${(found.ms / 1000).toFixed(1)} s` : `${Math.round(found.ms / 60_000)} min`;
    $("where").textContent = `${found.done} of ${found.total} events · ${seconds}`;
    if (script.dataset.playground) {
      $("open").hidden = false;
      $("open").href = `${script.dataset.playground}play?do=workers&see=jobs`;
    }
    fit();
  }

  /** @param {HTMLElement} place @param {string | undefined} html Ours: made by the engine, which escapes what anybody wrote. */
  function put(place, html) {
    const top = place.scrollTop;
    if (html !== undefined) place.innerHTML = html;
    place.scrollTop = top;
  }

  /** @param {string} problem */
  function refuse(problem) {
    stop();
    running = false;
    $("status").hidden = false;
    $("status").className = "wrong";
    $("status").textContent = problem;
    say(...(/** @type {[string, any]} */ ($("editor").hidden ? ["failed", { reason: problem }] : ["editing", { problem }]))); // who edits goes on
    fit();
  }

  /** @param {boolean} [from] Whether from the beginning, with what the editor holds. */
  async function run(from = true) {
    if (running) return;
    running = true;
    stop();
    if (from && !$("editor").hidden && content.requirement === undefined) content = { text: $("text").value, workers: content.workers };
    tell("run");
    say("starting");
    const found = await ask("load", content);
    running = false;
    if (found.problem !== undefined) return refuse(found.problem);
    show(found);
    $("reset").hidden = false;
    say("ready", { title: found.title });
    if (still.matches) await step("finish");
    else play();
  }

  function play() {
    stop();
    setPlaying(true);
    say("playing");
    const on = async () => {
      await step("next");
      if (playing && facts && !facts.ended) playing = setTimeout(on, PACE);
    };
    playing = setTimeout(on, PACE / 2);
  }

  /** @param {boolean} on */
  function setPlaying(on) {
    $("play").title = $("play").lastChild.textContent = on ? "Pause" : "Play";
    $("play").querySelector("use").setAttribute("href", on ? "#g-pause" : "#g-play");
  }

  function stop() {
    clearTimeout(playing);
    playing = 0;
    setPlaying(false);
  }

  /** @param {string} move @param {any} [more] */
  async function step(move, more) {
    const before = facts?.done ?? 0;
    const found = await ask(move, more);
    show(found);
    if (found.problem !== undefined) return;
    if (found.done > before && found.event) tell("event", { event: found.event });
    if (found.ended) {
      stop();
      say("ended", { states: found.states, done: found.done });
    }
  }

  /** @param {string} [text] */
  async function edit(text) {
    if (content.requirement !== undefined) return;
    stop();
    if (!$("editor").hidden) return;
    if (content.text === undefined) {
      const found = await ask("load", content);
      if (found.problem !== undefined) return refuse(found.problem);
      original = text = found.text;
    }
    $("text").value = text ?? content.text ?? original;
    $("editor").hidden = false;
    $("plain").hidden = true;
    say("editing");
    $("text").focus({ preventScroll: true });
    fit();
  }

  function reset() {
    stop();
    if (!$("editor").hidden) $("text").value = original;
    if (content.scenario === undefined && content.requirement === undefined) content.text = original;
    $("status").hidden = true;
    if (facts) void ask("load", content).then((found) => { show(found); say("ready"); });
  }

  function showStart() {
    if (!engine || engine.state === "ready") return;
    if (engine.state === "failed") return refuse(engine.reason);
    const { stage, loaded, total } = engine.progress;
    const line = `A real OJS server starts in this page: ${stage} (${STAGES.indexOf(stage) + 1} of ${STAGES.length}), ${(Math.min(loaded, total) / 1e6).toFixed(1)} of ${(total / 1e6).toFixed(1)} MB.`;
    if (!facts) {
      $("status").hidden = false;
      $("status").className = "";
      $("status").textContent = line;
    }
    tell("state", { state: "starting", stage, says: line });
  }

  let height = 0;

  function fit() {
    const main = /** @type {HTMLElement} */ (document.querySelector("main"));
    const inner = Math.max(0, ...[$("view"), $("pinned")].map((place) => place.scrollHeight - place.clientHeight));
    const needed = Math.ceil(main.scrollHeight + inner);
    if (needed === height) return;
    height = needed;
    tell("resize", { height });
  }

  // What the visitor does.

  const act = (/** @type {string} */ id, /** @type {() => void} */ does) => $(id).addEventListener("click", does);
  act("run", () => void run());
  act("edit", () => void edit());
  act("reset", reset);
  act("cancel", () => { $("editor").hidden = true; $("plain").hidden = facts !== null; fit(); });
  act("rewind", () => { stop(); void step("rewind"); });
  act("next", () => { stop(); void step("next"); });
  act("finish", () => { stop(); void step("finish"); });
  act("play", () => {
    if (playing) { stop(); say("paused"); }
    else if (facts?.ended) void step("rewind").then(play);
    else play();
  });
  $("editor").addEventListener("submit", (/** @type {Event} */ event) => { event.preventDefault(); void run(); });
  $("text").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void run();
  });
  $("tabs").addEventListener("click", (/** @type {any} */ event) => turn(event.target.closest("[role=tab]")?.dataset.view));
  $("tabs").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const there = views.filter((view) => !$(`tab-${view}`).hidden);
    if (!way) return;
    event.preventDefault();
    const view = there[(there.indexOf(onScreen().at(-1) ?? "") + way + there.length) % there.length];
    turn(view);
    $(`tab-${view}`).focus();
  });

  /** @param {string | undefined} view */
  function turn(view) {
    if (!view) return;
    shown = view;
    lay();
    if (facts) void ask("show").then(show);
  }

  addEventListener("change", (/** @type {any} */ event) => {
    if (event.target.id === "language") void ask("show").then(show);
  });
  wide.addEventListener("change", () => { lay(); if (facts) void ask("show").then(show); });
  addEventListener("submit", (event) => event.preventDefault());

  document.addEventListener("click", (event) => {
    const target = /** @type {Element} */ (event.target);
    const moment = target.closest("[hx-vals]");
    const link = target.closest("a[href]");
    if (moment) {
      stop();
      void step("go", JSON.parse(moment.getAttribute("hx-vals") ?? "{}"));
    } else if (link) {
      event.preventDefault(); // what it leads to is of this run, which the playground must be given
      if (script.dataset.playground) void ask("show", { link: true }).then((found) => {
        const path = (link.getAttribute("href") ?? "").replace(/^\/(?!\/)/, script.dataset.playground ?? "/");
        window.open(`${path}#${found.fragment}`, "_blank", "noopener");
      });
    }
  });

  // Alone, for a page that allows no script, the frame's address says what it shows.

  const named = Object.fromEntries(["text", "scenario", "requirement", "theme"].map((name) => [name, told.get(name) ?? undefined]));
  const workers = told.get("workers");
  load({ ...named, views: told.get("views")?.split(/[ ,]+/), workers: workers === null ? undefined : Number(workers) });
  if (!host) {
    $("own").hidden = $("plain").hidden = false;
    document.documentElement.dataset.state = "idle";
  } else {
    tell("hello");
  }
})();
