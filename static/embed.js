// <ojs-try>: a widget for any page, over a code block that the page has already. It loads nothing but itself until it is
// touched; then a frame of the playground's own origin runs what it shows. The messages and events: docs/embed.md.
"use strict";

(() => {
  const VERSION = 1;
  const script = /** @type {HTMLScriptElement | null} */ (document.currentScript);
  const HOME = new URL(".", script?.src || location.href);
  const QUICK = 4_000;
  const PATIENT = 20_000;
  /** Firm, since pages have rules for frames. */
  const FRAME = "position: absolute; inset: 0; width: 100%; height: 100%; max-width: none; margin: 0; border: 0; visibility: hidden".replaceAll(";", " !important;");

  const earlier = /** @type {any} */ (customElements.get("ojs-try"));
  if (earlier) {
    const same = earlier.version === VERSION && earlier.home === HOME.href;
    if (!same) console.warn(`ojs-try: this page has two versions of embed.js; that of ${earlier.home} is used, that of ${HOME.href} is not.`);
    return;
  }

  const SHEET = new CSSStyleSheet();
  SHEET.replaceSync(`
    :host { display: block; box-sizing: border-box; position: relative; color-scheme: inherit; contain: layout; container-type: inline-size; overflow: hidden !important; padding: 0 !important;
      --_paper: var(--ojs-paper, light-dark(#fff, #1a1d24)); --_ink: var(--ojs-ink, light-dark(#1b1e27, #e7e9ee)); --_soft: var(--ojs-soft, light-dark(#555b69, #a4abba));
      --_rule: var(--ojs-rule, light-dark(#d9d9d2, #3a4150)); --_accent: var(--ojs-accent, light-dark(#3050c8, #4561d8)); --_bad: light-dark(#b3241d, #ff8f85); }
    :host([hidden]) { display: none; }
    .box { box-sizing: border-box; height: 100%; display: flex; flex-direction: column; overflow: hidden; border-radius: var(--ojs-radius, 10px); }
    .box::after { content: ""; position: absolute; inset: 0; z-index: 2; border: 1px solid var(--_rule); border-radius: inherit; pointer-events: none; }
    .bar, .line { background: var(--_paper); color: var(--_ink); font: 0.875rem/1.4 var(--ojs-font, system-ui, sans-serif); }
    /* The page keeps 44 pixels and the text's own 12 free for it, so nothing moves when it comes: docs/embed.md. */
    .bar { box-sizing: border-box; flex: none; height: 44px; display: flex; align-items: center; gap: 8px; padding: 0 8px; border-bottom: 1px solid var(--_rule); }
    .title { flex: 1 1 5rem; padding-inline-start: 4px; font-weight: 600; font-size: 0.875rem; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    button, a { box-sizing: border-box; font: 600 0.8125rem/1.2 var(--ojs-font, system-ui, sans-serif); min-height: 32px; flex: none; white-space: nowrap; display: inline-flex; align-items: center; padding: 0.3rem 0.7rem; border: 1px solid var(--_rule); border-radius: 8px; background: none; color: inherit; cursor: pointer; text-decoration: none; }
    .run { min-width: 4.2rem; justify-content: center; background: var(--_accent); border-color: transparent; color: var(--ojs-on-accent, #fff); }
    button:hover, a:hover { border-color: var(--_soft); }
    button:disabled { opacity: 0.6; cursor: progress; }
    :focus-visible { outline: 2px solid var(--_accent); outline-offset: 2px; }
    @container (width < 26rem) { .word { position: absolute; clip-path: inset(50%); } }
    [hidden] { display: none !important; }
    .line { position: absolute; inset: auto 0 0; z-index: 1; margin: 0; padding: 8px 12px; border-top: 1px solid var(--_rule); color: var(--_soft); overflow-wrap: anywhere; }
    .line.wrong { color: var(--_bad); }
    .stage { position: relative; flex: 1 1 auto; min-height: 0; }
    .text { box-sizing: border-box; height: 100%; overflow: auto; padding: 12px; }
    .text.away { visibility: hidden; }
  `);

  /** @param {string} tag @param {Record<string, any>} facts @param {...(Node | string)} inner @returns {any} */
  function make(tag, facts, ...inner) {
    const { part, ...others } = facts;
    const element = Object.assign(document.createElement(tag), others);
    if (part) element.setAttribute("part", part);
    element.append(...inner);
    return element;
  }

  class OjsTry extends HTMLElement {
    static version = VERSION;
    static home = HOME.href;
    static observedAttributes = ["height", "theme"];

    #state = "idle";
    /** @type {HTMLIFrameElement | null} */
    #frame = null;
    #heard = false;
    #want = "";
    #patience = 0;
    #text = "";
    /** @type {AbortController | null} */
    #watch = null;
    /** @type {any} */
    #parts = null;

    /** Where it is: idle, starting, ready, playing, paused, ended, editing or failed. */
    get state() {
      return this.#state;
    }

    connectedCallback() {
      this.#parts ??= this.#build();
      this.#size();
      const watch = (this.#watch = new AbortController());
      addEventListener("message", (event) => this.#hear(event), { signal: watch.signal });
      document.addEventListener("securitypolicyviolation", (event) => {
        if (this.#frame && !this.#heard && /^(frame|child|default)-src/.test(event.effectiveDirective) && event.blockedURI.startsWith(HOME.origin)) {
          this.#fail(`This page's content security policy lets no frame of ${HOME.origin} in; it wants frame-src ${HOME.origin}.`);
        }
      }, { signal: watch.signal });
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#dress(), { signal: watch.signal });
      const looks = new MutationObserver(() => this.#dress());
      for (const place of [document.documentElement, document.body]) if (place) looks.observe(place, { attributes: true });
      watch.signal.addEventListener("abort", () => looks.disconnect());
      this.#dress();
    }

    disconnectedCallback() {
      this.#watch?.abort();
      clearTimeout(this.#patience);
      this.#frame?.remove(); // a frame that is moved begins anew, so the widget does too
      this.#frame = null;
      this.#heard = false;
      if (this.#state !== "idle") this.#enter("idle");
    }

    /** @param {string} name */
    attributeChangedCallback(name) {
      if (!this.#parts) return;
      if (name === "theme") this.#dress();
      else this.#size();
    }

    /** Runs what it shows, from the beginning. */
    run() {
      this.#touch("run");
    }

    /** Opens the editor. */
    edit() {
      this.#touch("edit");
    }

    /** Goes back to what the page has. */
    reset() {
      if (this.#heard) this.#send("reset");
    }

    #build() {
      const button = (/** @type {string} */ label, /** @type {string} */ name, /** @type {() => void} */ does) => make("button", { type: "button", className: name, part: `button ${name}`, onclick: does }, label);
      const title = this.getAttribute("label") ?? "Open Job Spec";
      const parts = {
        run: button("Run", "run", () => this.run()),
        edit: button("Edit", "edit", () => this.edit()),
        reset: button("Reset", "reset", () => this.reset()),
        open: make("a", { className: "open", part: "button open", target: "_blank", rel: "noopener", title: "Open in the playground" }, make("span", { className: "word" }, "Playground\u00a0"), "↗"),
        line: make("p", { className: "line", part: "line", hidden: true, role: "status" }),
        text: make("div", { className: "text", part: "text" }, make("slot", {})),
        stage: make("div", { className: "stage", part: "stage" }, make("slot", { name: "frame" })),
        bar: make("div", { className: "bar", part: "bar" }, make("span", { className: "title", part: "title" }, title)),
        box: make("div", { className: "box", part: "box" }),
      };
      parts.edit.hidden = this.hasAttribute("requirement");
      parts.reset.hidden = true;
      parts.open.hidden = !this.#address();
      if (!parts.open.hidden) parts.open.href = this.#address();
      parts.bar.append(parts.open, parts.reset, parts.edit, parts.run); // what comes and goes stands left of what stays
      parts.stage.append(parts.text, parts.line);
      parts.box.append(parts.bar, parts.stage);
      const root = this.attachShadow({ mode: "open" });
      root.adoptedStyleSheets = [SHEET];
      root.append(parts.box);
      return parts;
    }

    /** Where the playground shows the same: said by the page, or by the link in its text. */
    #address() {
      const link = /** @type {HTMLAnchorElement | null} */ (this.querySelector("a[data-ojs-open]"));
      return this.getAttribute("open") ?? link?.href ?? "";
    }

    #size() {
      const height = this.getAttribute("height");
      if (height && height !== "auto") this.style.height = /^\d+$/.test(height) ? `${height}px` : height;
    }

    #code() {
      const place = this.getAttribute("for");
      const block = place ? document.querySelector(place) : this.querySelector("pre, textarea, script[type='application/json']");
      const text = block instanceof HTMLTextAreaElement ? block.value : block instanceof HTMLElement ? block.innerText || block.textContent : "";
      return (text ?? "").replaceAll("\u00a0", " ").trim();
    }

    /** @param {string} want */
    #touch(want) {
      if (this.#heard) return this.#send(want);
      this.#want = want;
      if (this.#frame) return;
      this.#text ||= this.#code();
      if (!this.#text && !this.hasAttribute("scenario") && !this.hasAttribute("requirement")) {
        return this.#fail("This widget names no scenario and no requirement, and has no code block.");
      }
      const box = this.getBoundingClientRect();
      if (!this.style.height && box.height < 300) this.style.height = `max(var(--ojs-height, 26rem), ${Math.ceil(box.height)}px)`; // once, when it is touched
      this.#enter("starting", { says: "Loading …" });
      const frame = (this.#frame = make("iframe", { title: `${this.getAttribute("label") ?? "Open Job Spec"}: a run in the OJS Playground`, slot: "frame" }));
      frame.style.cssText = FRAME;
      frame.setAttribute("allow", "clipboard-write");
      frame.src = `${HOME}embed/frame/#host=${encodeURIComponent(location.origin)}`;
      const lost = () => this.#fail(`The playground at ${HOME.host} cannot be reached, or may not be framed here.`);
      this.#patience = setTimeout(lost, PATIENT);
      frame.addEventListener("load", () => {
        clearTimeout(this.#patience);
        if (!this.#heard) this.#patience = setTimeout(lost, QUICK); // an error page loads, too, and says nothing
      });
      this.append(frame); // among the page's own elements, where the frames find each other, and so their engine
    }

    /** @param {string} type @param {any} [more] */
    #send(type, more) {
      this.#frame?.contentWindow?.postMessage({ ojs: VERSION, type, ...more }, HOME.origin);
    }

    /** @param {MessageEvent} event */
    #hear(event) {
      const { data, origin, source } = event;
      if (!this.#frame || source !== this.#frame.contentWindow || origin !== HOME.origin || typeof data?.type !== "string") return;
      if (data.ojs !== VERSION) return this.#fail(`The playground at ${HOME.host} speaks version ${String(data.ojs).slice(0, 9)} of the widget's messages, this page's embed.js version ${VERSION}.`);
      if (data.type === "hello") this.#greet();
      else if (data.type === "state") this.#follow(data);
      else if (data.type === "event") this.#emit("event", data.event);
      else if (data.type === "run") this.#emit("run");
      else if (data.type === "resize" && Number.isFinite(data.height)) {
        const whole = Math.min(2000, data.height + this.#parts.bar.offsetHeight + 2);
        if (this.getAttribute("height") === "auto") this.style.height = `${whole}px`;
        this.#emit("resize", { height: whole });
      }
    }

    #greet() {
      this.#heard = true;
      clearTimeout(this.#patience);
      const named = Object.fromEntries(["scenario", "requirement"].map((name) => [name, this.getAttribute(name) ?? undefined]));
      const workers = this.getAttribute("workers");
      this.#send("load", {
        ...named,
        text: named.scenario || named.requirement ? undefined : this.#text,
        views: this.getAttribute("views")?.split(/[\s,]+/),
        workers: workers === null ? undefined : Number(workers),
        ...this.#look(),
      });
      this.#send(this.#want);
    }

    /** @param {any} told */
    #follow({ state, reason, says, ...more }) {
      const { text, line, reset } = this.#parts;
      if (state === "failed") return this.#fail(reason);
      if (state === "starting" && this.#state === "failed") this.#show(false);
      this.#enter(state, { says: state === "starting" ? says ?? line.textContent : "", ...more });
      if (state === "starting") return;
      reset.hidden = state === "editing" && reset.hidden;
      if (!text.classList.contains("away")) {
        this.#show(true);
        this.#emit("ready");
      }
    }

    /** @param {boolean} on Whether the frame is seen, and the page's own text is not. */
    #show(on) {
      this.#frame?.style.setProperty("visibility", on ? "visible" : "hidden", "important");
      this.#parts.text.classList.toggle("away", on);
      this.#parts.text.inert = on;
    }

    /** @param {string} reason One line; the page's text and what it recorded stay. */
    #fail(reason) {
      clearTimeout(this.#patience);
      this.#show(false);
      if (!this.#heard) {
        this.#frame?.remove();
        this.#frame = null;
      }
      this.#enter("failed", { says: reason, reason });
    }

    /** @param {string} state @param {any} [more] */
    #enter(state, { says = "", ...more } = {}) {
      const { line, run, open } = this.#parts;
      open.hidden = !open.getAttribute("href") || !["idle", "starting", "failed"].includes(state); // the frame has one of its own
      this.#state = state;
      this.dataset.state = state;
      line.hidden = !says;
      line.textContent = says;
      line.classList.toggle("wrong", state === "failed");
      run.disabled = state === "starting";
      run.textContent = state === "failed" ? "Retry" : "Run";
      this.#emit("state", { state, ...more });
    }

    /** @param {string} name @param {any} [detail] */
    #emit(name, detail) {
      this.dispatchEvent(new CustomEvent(`ojs:${name}`, { bubbles: true, composed: true, detail }));
    }

    #dress() {
      this.#parts.box.style.colorScheme = this.#theme();
      if (this.#heard) this.#send("theme", this.#look());
    }

    #look() {
      const style = getComputedStyle(this);
      const names = ["accent", "paper", "panel", "sunk", "ink", "soft", "rule"];
      return { theme: this.#theme(), vars: Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--ojs-${name}`).trim()])) };
    }

    /** Light or dark: as the widget says, else the page's color-scheme, else what it is painted on, else the system's. */
    #theme() {
      const asked = this.getAttribute("theme");
      if (asked === "light" || asked === "dark") return asked;
      const schemes = getComputedStyle(this).colorScheme.split(" ").filter((word) => word === "light" || word === "dark");
      if (schemes.length === 1) return schemes[0];
      for (let place = this.parentElement; place; place = place.parentElement) {
        const [red, green, blue, opacity = 1] = getComputedStyle(place).backgroundColor.match(/[\d.]+/g)?.map(Number) ?? [];
        if (opacity > 0.5 && blue !== undefined) return 0.3 * red + 0.6 * green + 0.1 * blue < 110 ? "dark" : "light";
      }
      return schemes.length === 2 && matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    }
  }

  customElements.define("ojs-try", OjsTry);
})();
