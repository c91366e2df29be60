// The compose pane: the JSON text is what counts. The form beside it is read from the text and writes into it; problems
// come from the server, which judges with the engine's own readers. Without this module the pane is a plain form.

const CHECK = 250; // after the last key, milliseconds
const MAX_DRAFT = 200_000;
const DRAFT = "ojs-draft-compose";
const OWN = "ojs-own-compose";

/** The form's fields: where the value may stand, the place a new one gets last; how JSON becomes a field's text, and back. */
const FIELDS = {
  type: { paths: [["type"]], ...text() },
  queue: { paths: [["options", "queue"], ["queue"]], ...text() },
  args: { paths: [["args"]], ...raw() },
  priority: { paths: [["options", "priority"], ["priority"]], ...raw() },
  delay: { paths: [["options", "scheduled_at"], ["options", "delay_until"], ["scheduled_at"], ["delay_until"]], ...text() },
  attempts: { paths: policies("max_attempts"), ...raw() },
  wait: { paths: policies("initial_interval"), ...text() },
  unique: { paths: [["options", "unique", "keys"], ["unique", "keys"]], ...choice(), whole: 1 },
  conflict: { paths: [["options", "unique", "on_conflict"], ["unique", "on_conflict"]], ...choice() },
};

/** @param {string} name */
function policies(name) {
  return [["options", "retry", name], ["options", "retry_policy", name], ["retry", name], ["retry_policy", name]];
}

function text() {
  return {
    show: (/** @type {string} */ json) => (json.startsWith('"') ? JSON.parse(json) : json),
    write: (/** @type {string} */ typed) => JSON.stringify(typed),
  };
}

function raw() {
  return {
    show: (/** @type {string} */ json) => json.replace(/\s*\n\s*/g, " "),
    write: (/** @type {string} */ typed) => (JSON.parse(typed), typed),
  };
}

function choice() {
  return {
    show: (/** @type {string} */ json) => JSON.stringify(JSON.parse(json)),
    write: (/** @type {string} */ typed) => typed.replaceAll(",", ", "),
  };
}

/** What can be written as a form: one job, or the jobs of a batch, one at a time. */
const FORMED = ["job", "batch"];

const bytes = new TextEncoder();

/** @param {number} size */
function told(size) {
  if (size < 10_000) return `${size.toLocaleString("en")} bytes`;
  return size < 1 << 20 ? `${Math.round(size / 1024)} KiB` : `${(size / (1 << 20)).toFixed(1).replace(".0", "")} MiB`;
}

class Composer extends HTMLElement {
  connectedCallback() {
    this.past = new AbortController();
    document.addEventListener("ojs:desk", () => this.takeLinked(), { signal: this.past.signal });
    if (this.area) return; // moved, not made
    this.area = /** @type {HTMLTextAreaElement} */ (this.part("#job-body"));
    this.target = /** @type {HTMLSelectElement} */ (this.part("#target"));
    this.form = /** @type {HTMLFormElement} */ (this.part("#compose"));
    this.checks = 0;
    this.timer = 0;
    this.problems = [];
    this.area.addEventListener("input", () => this.changed());
    this.target.addEventListener("change", () => this.retargeted());
    this.addEventListener("click", (event) => this.clicked(event));
    this.addEventListener("input", (event) => this.typed(event));
    this.restore();
    this.takeLinked();
    this.retargeted();
    void this.begin();
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
    this.past.abort();
  }

  /** @param {string} selector @returns {HTMLElement} */
  part(selector) {
    return /** @type {HTMLElement} */ (this.querySelector(selector));
  }

  async begin() {
    this.json = await import(/** @type {string} */ (this.dataset.edit));
    this.fill();
    const [parts, fields] = await Promise.all([import(/** @type {string} */ (this.dataset.editor)), fetch(/** @type {string} */ (this.dataset.fields)).then((answer) => answer.json())]);
    if (this.isConnected) this.enrich(parts, fields);
  }

  // The text.

  get text() {
    return this.view ? this.view.state.doc.toString() : this.area.value;
  }

  /** @param {{from: number, to: number, insert: string}} change One step that can be undone. */
  edit(change) {
    if (this.view) {
      this.view.dispatch({ changes: change, userEvent: "input" });
    } else {
      const place = this.area.selectionStart;
      this.area.focus();
      this.area.setSelectionRange(change.from, change.to);
      if (!document.execCommand("insertText", false, change.insert)) this.area.setRangeText(change.insert, change.from, change.to, "end");
      this.area.setSelectionRange(Math.min(place, this.area.value.length), Math.min(place, this.area.value.length));
      this.changed();
    }
  }

  changed() {
    if (this.view) this.area.value = this.view.state.doc.toString(); // what is sent is what is seen
    this.measure();
    this.fill();
    this.checkSoon();
    for (const link of this.querySelectorAll("[data-template][aria-current]")) {
      if (/** @type {HTMLElement} */ (link).dataset.template !== this.text) link.removeAttribute("aria-current");
    }
    this.keep();
  }

  keep() {
    try {
      if (this.text.length <= MAX_DRAFT) sessionStorage.setItem(DRAFT, JSON.stringify([this.target.value, this.text]));
    } catch {
      // Storage is blocked: the draft lasts as long as the pane.
    }
  }

  /** The draft comes back unless the address, or an answer of the server, says what to begin with. */
  restore() {
    if (/[?&](template|sample)=/.test(location.search) || this.part("#composed").children.length) return;
    try {
      const [target, text] = JSON.parse(sessionStorage.getItem(DRAFT) ?? "[]");
      if (typeof text !== "string" || text === this.area.value) return;
      this.target.value = target;
      this.area.value = text;
      for (const link of this.querySelectorAll("[data-template][aria-current]")) link.removeAttribute("aria-current");
    } catch {
      // Storage is blocked, or holds something else.
    }
  }

  // What a link has brought is shown in place of one's own, which waits. It is sent by Run only.

  takeLinked() {
    const linked = linkedFor("compose");
    if (linked && linked.text !== this.text) {
      this.own ||= [this.target.value, this.text];
      this.lay(linked.target, linked.text);
    }
    this.part("#compose-linked").hidden = !this.own;
  }

  /** @returns {string[] | null} One's own target and text, while those of a link are shown. */
  get own() {
    try {
      return JSON.parse(sessionStorage.getItem(OWN) ?? "null");
    } catch {
      return null;
    }
  }

  set own(own) {
    try {
      if (own) sessionStorage.setItem(OWN, JSON.stringify(own));
      else sessionStorage.removeItem(OWN);
    } catch {
      // Storage is blocked or full: there is no way back to it.
    }
  }

  /** @param {boolean} back Whether one's own text comes back, or that of the link stays. */
  decide(back) {
    if (back && this.own) this.lay(this.own[0], this.own[1]);
    this.own = null;
    this.takeLinked();
  }

  /** @param {string} target @param {string} text */
  lay(target, text) {
    this.target.value = target;
    this.retargeted();
    if (this.view) return this.replace(text);
    this.area.value = text;
    this.changed();
  }

  retargeted() {
    const path = this.target.selectedOptions[0]?.dataset.path ?? "";
    this.part("#target-path").textContent = `POST ${path}`;
    this.measure();
    this.fill();
    this.checkSoon(0);
  }

  measure() {
    const limit = Number(this.dataset.limit);
    const size = bytes.encode(this.text).length;
    const place = this.part("#size");
    place.textContent = `${told(size)} of ${told(limit)}`;
    place.toggleAttribute("data-over", size > limit);
  }

  // The form beside it.

  /** @returns {any} The job that the form is about: the whole text, or the chosen one of a batch; null for none. */
  formed() {
    const batch = this.target.value === "batch";
    this.part("#form-which").hidden = !batch;
    if (this.text.length > MAX_DRAFT || !FORMED.includes(this.target.value)) return null;
    const whole = this.json.read(this.text);
    if (!batch) return whole;
    const jobs = (whole && this.json.find(whole, ["jobs"])?.items) ?? [];
    const number = /** @type {HTMLInputElement} */ (this.part("#form-number"));
    number.max = String(Math.max(1, jobs.length));
    this.part("#form-count").textContent = `of ${jobs.length}`;
    return jobs[Math.min(Math.max(1, Number(number.value) || 1), jobs.length) - 1] ?? null;
  }

  fill() {
    const form = /** @type {HTMLFieldSetElement} */ (this.part("#job-form"));
    const note = this.part("#form-note");
    if (!this.json) return;
    const kind = this.target.value;
    const whole = this.formed();
    const usable = whole?.kind === "object";
    form.disabled = !usable;
    form.hidden = !FORMED.includes(kind);
    for (const other of /** @type {NodeListOf<HTMLElement>} */ (this.querySelectorAll("[data-instead]"))) other.hidden = other.dataset.instead !== kind;
    note.textContent = usable || form.hidden ? "" : this.text.length > MAX_DRAFT ? "The text is too long for the form." : "The form follows again when the JSON is whole.";
    if (!usable) return;
    const focused = this.querySelector("[data-field]:focus");
    for (const input of /** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll("[data-field]"))) {
      const field = FIELDS[/** @type {keyof typeof FIELDS} */ (input.dataset.field)];
      const path = field.paths.find((one) => this.json.find(whole, one));
      const value = path && this.json.find(whole, path);
      if (input === focused && this.writing) continue;
      const shown = value ? field.show(this.text.slice(value.from, value.to)) : "";
      input.removeAttribute("aria-invalid");
      if (input.matches("select") && ![.../** @type {any} */ (input).options].some((one) => one.value === shown)) input.value = "other";
      else if (input.value !== shown) input.value = shown;
    }
  }

  /** @param {Event} event A key in the form: the text takes it at once, if it is something that JSON can hold. */
  typed(event) {
    const input = /** @type {HTMLInputElement} */ (event.target);
    if (input.id === "form-number" && this.json) return this.fill();
    if (!input.dataset?.field || !this.json) return;
    const field = FIELDS[/** @type {keyof typeof FIELDS} */ (input.dataset.field)];
    const whole = this.formed();
    if (!whole) return;
    const path = field.paths.find((one) => this.json.find(whole, one)) ?? this.place(whole, field.paths);
    let change = null;
    try {
      if (input.value.trim() || input.validity?.badInput) change = this.json.set(this.text, whole, path, field.write(input.value));
      else change = this.json.remove(this.text, whole, "whole" in field ? path.slice(0, -1) : path);
      input.toggleAttribute("aria-invalid", false);
    } catch {
      input.setAttribute("aria-invalid", "true"); // half typed: the text waits
      return;
    }
    if (!change) return;
    this.writing = true;
    try {
      this.edit(change);
      if (!this.view) input.focus();
    } finally {
      this.writing = false;
    }
  }

  /** @param {any} whole @param {string[][]} paths Where a new value goes: beside its like, else into the options. */
  place(whole, paths) {
    return paths.find((one) => one.length > 1 && this.json.find(whole, one.slice(0, -1)) && one.at(-2) !== "options") ?? paths[0];
  }

  // Problems.

  checkSoon(after = CHECK) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.check(), after);
  }

  async check() {
    const number = ++this.checks;
    const body = new URLSearchParams({ target: this.target.value, body: this.text });
    const answer = await fetch("/ui/compose/check", { method: "POST", body }).catch(() => null);
    if (!answer?.ok || number !== this.checks || !this.isConnected) return;
    const found = await answer.json();
    if (number === this.checks) this.showProblems(found.problems);
  }

  /** @param {any[]} problems */
  showProblems(problems) {
    this.problems = problems;
    const errors = problems.filter((one) => one.error).length;
    const notes = problems.length - errors;
    const words = [errors && `${errors} problem${errors > 1 ? "s" : ""}`, notes && `${notes} note${notes > 1 ? "s" : ""}`].filter(Boolean);
    const count = this.part("#problem-count");
    const say = words.join(", ") || "The server would take this.";
    if (count.textContent !== say) count.textContent = say;
    count.toggleAttribute("data-good", errors === 0);
    this.area.toggleAttribute("aria-invalid", errors > 0);
    this.part("#problems").replaceChildren(...problems.map((one, index) => this.line(one, index)));
    this.mark();
  }

  /** @param {any} problem @param {number} index */
  line(problem, index) {
    const item = document.createElement("li");
    item.className = problem.error ? "error" : "info";
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.problem = String(index);
    const where = document.createElement("span");
    where.className = "where";
    where.textContent = `${problem.line}:${problem.column}`;
    button.append(where, ` ${problem.message}`);
    item.append(button);
    if (problem.clause) {
      const clause = document.createElement("cite");
      clause.textContent = problem.clause;
      item.append(" ", clause);
    }
    return item;
  }

  mark() {
    if (!this.view) return;
    const length = this.view.state.doc.length;
    const marks = this.problems.map(({ start, end, error, message, clause }) => ({
      from: Math.min(start, length),
      to: Math.min(end, length),
      severity: error ? "error" : "info",
      message: clause ? `${message} (${clause})` : message,
    }));
    this.view.dispatch(this.parts.setDiagnostics(this.view.state, marks));
  }

  /** @param {number} index */
  goTo(index) {
    const { start, end } = this.problems[index];
    if (this.view) {
      const length = this.view.state.doc.length;
      this.view.dispatch({ selection: { anchor: Math.min(start, length), head: Math.min(end, length) }, scrollIntoView: true });
      this.view.focus();
    } else {
      this.area.focus();
      this.area.setSelectionRange(start, end);
    }
  }

  // Buttons.

  /** @param {Event} event */
  clicked(event) {
    const target = /** @type {Element} */ (event.target);
    const mouse = /** @type {MouseEvent} */ (event);
    const problem = /** @type {HTMLElement | null} */ (target.closest("[data-problem]"));
    if (problem) return this.goTo(Number(problem.dataset.problem));
    const template = /** @type {HTMLElement | null} */ (target.closest("[data-template]"));
    if (template && !mouse.ctrlKey && !mouse.metaKey && !mouse.shiftKey) {
      event.preventDefault();
      this.begins(template);
    }
    const action = /** @type {HTMLElement | null} */ (target.closest("[data-do]"))?.dataset.do;
    if (action === "format") return this.format();
    if (action === "own" || action === "taken") return this.decide(action === "own");
    if (action && this.view) this.parts[action](this.view);
    else if (action) document.execCommand(action);
  }

  /** @param {HTMLElement} template */
  begins(template) {
    this.target.value = template.dataset.target ?? "job";
    this.retargeted();
    this.replace(template.dataset.template ?? "");
    template.setAttribute("aria-current", "true");
    this.part("#composed").replaceChildren();
  }

  /** @param {string} text */
  replace(text) {
    if (this.text !== text) this.edit({ from: 0, to: this.text.length, insert: text });
  }

  format() {
    if (!this.json?.read(this.text) || this.text.length > MAX_DRAFT) return;
    // Long numbers and repeated names would not survive a reader: then the text stays.
    const formatted = JSON.stringify(JSON.parse(this.text), null, 2);
    const bare = (/** @type {string} */ text) => text.replace(/\s+/g, "");
    if (bare(formatted) === bare(this.text)) this.replace(formatted);
  }

  // The editor.

  /** @param {any} parts @param {any} fields */
  enrich(parts, fields) {
    const { EditorView, EditorState, keymap } = parts;
    const host = this.part("#rich");
    // Within a shadow root CodeMirror's styles are constructed sheets, which the page's policy has nothing against;
    // and a swap that morphs the page around it never sees the editor's own elements.
    const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
    root.addEventListener("keydown", (event) => {
      const key = /** @type {KeyboardEvent} */ (event);
      if (!key.ctrlKey && !key.metaKey && key.key !== "Escape") event.stopPropagation(); // no key of the page's
    });
    const focused = document.activeElement === this.area;
    this.parts = parts;
    this.fields = fields;
    const height = this.area.offsetHeight;
    const view = new EditorView({
      root,
      parent: root,
      state: EditorState.create({ doc: this.area.value, selection: { anchor: Math.min(this.area.selectionStart, this.area.value.length) }, extensions: this.extensions() }),
    });
    this.view = view;
    // As tall as the area whose place it takes; by a sheet, since htmx copies style attributes and the policy refuses that.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`:host { --least: ${height}px; }`);
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
    host.hidden = false;
    this.area.hidden = true;
    if (focused) view.focus();
    this.mark();
  }

  extensions() {
    const parts = this.parts;
    const { EditorView, keymap } = parts;
    const run = () => (this.form.requestSubmit(), true);
    return [
      parts.lineNumbers(),
      parts.highlightSpecialChars(),
      parts.history(),
      parts.drawSelection(),
      parts.indentUnit.of("  "),
      parts.indentOnInput(),
      parts.bracketMatching(),
      parts.closeBrackets(),
      parts.highlightActiveLine(),
      parts.json(),
      parts.syntaxHighlighting(parts.HighlightStyle.define(colours(parts.tags))),
      parts.lintGutter(),
      parts.autocompletion({ override: [(/** @type {any} */ context) => this.complete(context)], icons: false }),
      parts.hoverTooltip((/** @type {any} */ view, /** @type {number} */ at) => this.hover(view.state, at)),
      keymap.of([{ key: "Mod-Enter", run, preventDefault: true }, ...parts.closeBracketsKeymap, ...parts.defaultKeymap, ...parts.historyKeymap, ...parts.completionKeymap, ...parts.lintKeymap]),
      EditorView.contentAttributes.of({ "aria-label": "The request as JSON", tabindex: "0", spellcheck: "false", autocapitalize: "off" }),
      EditorView.updateListener.of((/** @type {any} */ update) => update.docChanged && this.changed()),
      EditorView.theme(THEME),
    ];
  }

  // What the standard says of the place in the text: completion and hover.

  /** @param {any} state @param {number} at @returns {{names: string[], node: any}} The objects around a place, the outermost first. */
  around(state, at, side = -1) {
    const node = this.parts.syntaxTree(state).resolveInner(at, side);
    const names = [];
    for (let one = node; one; one = one.parent) {
      if (one.name !== "Property") continue;
      const name = one.getChild("PropertyName");
      if (name && at > name.to) names.unshift(plainName(state, name));
    }
    return { names, node };
  }

  /** @param {string[]} names @returns {any[]} The fields that an object may have there. */
  known(names) {
    let context = this.target.value;
    for (const name of names) {
      const field = this.listed(context).find((one) => one.name === name);
      if (!field?.inside) return [];
      context = field.inside;
    }
    return this.listed(context);
  }

  /** @param {string} context @returns {any[]} */
  listed(context) {
    const { fields, also } = this.fields[context];
    return also ? [...fields, ...this.listed(also)] : fields;
  }

  /** @param {any} context */
  complete(context) {
    const { state, pos } = context;
    const { names, node } = this.around(state, pos);
    const property = climb(node, "Property");
    const name = property?.getChild("PropertyName");
    if (property && name && pos > name.to) return this.completeValue(context, names, property);
    const object = climb(node, "Object");
    if (!object || climb(node, "Array", object) || (node.name !== "PropertyName" && node.name !== "Object" && node.name !== "⚠")) return null;
    const word = context.matchBefore(/"?[\w]*/);
    if (!word || (word.from === word.to && !context.explicit)) return null;
    const there = new Set(object.getChildren("Property").map((/** @type {any} */ one) => one.getChild("PropertyName")).filter((/** @type {any} */ one) => one && one.to !== pos && !(one.from < pos && pos <= one.to)).map((/** @type {any} */ one) => plainName(state, one)));
    return {
      from: word.from,
      filter: false,
      options: this.known(names).filter((one) => !there.has(one.name) && one.name.startsWith(word.text.replace('"', ""))).map((one) => ({
        label: one.name,
        detail: one.type,
        info: () => described(one),
        apply: (/** @type {any} */ view, /** @type {any} */ _, /** @type {number} */ from, /** @type {number} */ to) => {
          const rest = view.state.sliceDoc(to, to + 40);
          const end = rest.startsWith('"') ? to + 1 : to;
          const follows = /^"?\s*:/.test(rest);
          const insert = follows ? JSON.stringify(one.name) : `${JSON.stringify(one.name)}: ${one.insert}`;
          view.dispatch({ changes: { from, to: end, insert }, selection: { anchor: from + insert.length }, userEvent: "input.complete" });
        },
      })),
    };
  }

  /** @param {any} context @param {string[]} names @param {any} property */
  completeValue(context, names, property) {
    const name = names.at(-1) ?? "";
    const field = this.known(names.slice(0, -1)).find((one) => one.name === name);
    if (!field?.values) return null;
    const value = property.lastChild;
    const word = context.matchBefore(/"?[\w.]*/);
    if (!word || climb(this.parts.syntaxTree(context.state).resolveInner(context.pos, -1), "Array", property)) return null;
    if (word.from === word.to && !context.explicit) return null;
    const to = value && value.name === "String" && value.from <= context.pos ? value.to : context.pos;
    return {
      from: word.from,
      to,
      filter: false,
      options: field.values.map((/** @type {any} */ one) => ({ label: JSON.stringify(one), apply: JSON.stringify(one), detail: name })),
    };
  }

  /** @param {any} state @param {number} at */
  hover(state, at) {
    const { names, node } = this.around(state, at, 1);
    if (node.name !== "PropertyName") return null;
    const field = this.known(names).find((one) => one.name === plainName(state, node));
    return field ? { pos: node.from, end: node.to, above: true, create: () => ({ dom: described(field) }) } : null;
  }
}

/** @param {any} state @param {any} node */
function plainName(state, node) {
  try {
    return JSON.parse(state.sliceDoc(node.from, node.to));
  } catch {
    return "";
  }
}

/** @param {any} node @param {string} name @param {any} [until] */
function climb(node, name, until) {
  for (let one = node; one; one = one.parent) {
    if (until && one.from === until.from && one.to === until.to) return null;
    if (one.name === name) return one;
  }
  return null;
}

/** @param {any} field */
function described(field) {
  const box = document.createElement("div");
  box.className = "described";
  const head = box.appendChild(document.createElement("p"));
  head.append(Object.assign(document.createElement("b"), { textContent: field.name }), ` ${field.type}`);
  box.append(Object.assign(document.createElement("p"), { textContent: field.text }), Object.assign(document.createElement("p"), { className: "clause", textContent: field.clause }));
  return box;
}

/** @param {any} tags */
function colours(tags) {
  return [
    { tag: tags.propertyName, color: "var(--accent)" },
    { tag: tags.string, color: "var(--completed)" },
    { tag: tags.number, color: "var(--retryable)" },
    { tag: [tags.bool, tags.null], color: "var(--scheduled)" },
    { tag: tags.separator, color: "var(--soft)" },
  ];
}

const THEME = {
  "&": { color: "var(--ink)", backgroundColor: "var(--sunk)", border: "1px solid var(--rule)", borderRadius: "8px", fontSize: "0.8125rem", minHeight: "var(--least)", maxHeight: "32rem" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "1px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55", overflow: "auto", minHeight: "var(--least)", borderRadius: "8px" },
  ".cm-content": { padding: "0.5rem 0", caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "color-mix(in srgb, var(--accent) 25%, transparent)" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--soft)", border: "0" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--ink) 4%, transparent)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--lit)", outline: "1px solid var(--rule)" },
  ".cm-tooltip": { backgroundColor: "var(--panel)", color: "var(--ink)", border: "1px solid var(--rule)", borderRadius: "8px", boxShadow: "0 6px 24px rgb(0 0 0 / 0.18)", maxWidth: "min(24rem, 80vw)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", maxHeight: "14rem" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent-fill)", color: "var(--on-accent)" },
  ".cm-completionDetail": { fontStyle: "normal", opacity: "0.8", fontFamily: "var(--sans)", fontSize: "0.75rem" },
  ".described": { padding: "0.4rem 0.6rem", fontFamily: "var(--sans)", fontSize: "0.8125rem", lineHeight: "1.4" },
  ".described p": { margin: "0 0 0.2rem" },
  ".described .clause": { color: "var(--soft)" },
  ".cm-diagnostic": { fontFamily: "var(--sans)", fontSize: "0.8125rem", padding: "0.3rem 0.6rem" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--bad)" },
  ".cm-diagnostic-info": { borderLeftColor: "var(--soft)" },
  ".cm-specialChar": { color: "var(--bad)" },
};

customElements.define("ojs-composer", Composer);
