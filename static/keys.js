// Hands: one table of commands with their keys. The handler, the help (?) and the palette (Ctrl/Cmd+K) all read it.
// Nothing is taken from where somebody types but Ctrl/Cmd+Enter, Ctrl/Cmd+K and Esc. Here too: what happens, said politely.
"use strict";

(() => {
  /**
   * @typedef {object} Command
   * @property {string} label What it does.
   * @property {string} [keys] Its keys: names of KeyboardEvent.key, a sequence separated by spaces; "Space" is the space bar.
   * @property {string} [press] The button that it presses, as a selector.
   * @property {string} [to] The page that it goes to.
   * @property {() => void} [run] What it does otherwise.
   * @property {boolean} [typing] Whether it works where somebody types; such keys come with Ctrl or Cmd.
   * @property {boolean} [alone] Whether the palette has nothing to do with it.
   */

  /** @typedef {{kind: string, label: string, hint: string, to: string, run?: () => void, keys?: string}} Item */

  /** @type {Command[]} */
  const COMMANDS = [
    { label: "Find a command", keys: "Ctrl+K", typing: true, alone: true, run: () => openPalette("command") },
    { label: "Search requirements, terms, errors, endpoints, everything", keys: "/", run: () => openPalette("search") },
    { label: "All keys", keys: "?", run: () => dialog("help").showModal() },
    { label: "Enqueue the job in the editor", keys: "Ctrl+Enter", typing: true, run: enqueue },
    { label: "New job: go to the editor", keys: "n", run: newJob },
    { label: "Start a worker", keys: "w", run: () => void post("/ui/workers", "A worker starts") },
    { label: "Play or pause time", keys: "Space", press: '.timebar [data-key=" "]' },
    { label: "Do one thing", keys: ".", press: '.timebar [data-key="."]' },
    { label: "Run to the next event", keys: "]", press: '.timebar [data-key="]"]' },
    { label: "Back to the event before", keys: "[", press: '.timebar [data-key="["]' },
    { label: "Undo", keys: "u", press: '.timebar [formaction="/ui/time/undo"]' },
    { label: "Redo", keys: "U", press: '.timebar [formaction="/ui/time/redo"]' },
    { label: "Share, save or open a moment", keys: "m", press: '.timebar [data-dialog="moment"]' },
    { label: "Pin or unpin what you read", keys: "p", press: "#pin-here" },
    { label: "Show the pins", keys: "P", press: "#pins-open" },
    { label: "Back to the last target of a link", keys: "b", press: "#last-target" },
    { label: "Light, dark or the system’s theme", keys: "t", press: "#theme" },
    { label: "Start over: forget every job and event", run: startOver },
    { label: "Go to Play", keys: "g p", to: "/play" },
    { label: "Go to the tutorial", keys: "g l", to: "/learn" },
    { label: "Go to the scenarios", keys: "g x", to: "/scenarios" },
    { label: "Go to the reference", keys: "g s", to: "/spec" },
    { label: "Go to Conformance", keys: "g c", to: "/conformance" },
    { label: "Go to the home page", keys: "g h", to: "/" },
    { label: "Close what is open", keys: "Esc", typing: true, alone: true },
  ];

  const SHOWN = 60; // most that the palette lists
  const SEQUENCE = 1500; // longest pause within a sequence of keys, milliseconds
  const SAID = 2000; // shortest pause between two announcements, milliseconds

  /** @param {string} id */
  const dialog = (id) => /** @type {HTMLDialogElement} */ (document.getElementById(id));
  /** @param {string} selector @returns {HTMLElement | null} */
  const find = (selector) => document.querySelector(selector);

  // What commands do.

  /** @param {string} url Goes there as a click on a link would: within the page where that is possible. */
  function go(url) {
    const link = document.createElement("a");
    link.href = `${BASE}${url}`;
    link.hidden = true;
    document.body.append(link);
    /** @type {any} */ (window).htmx?.process(link);
    link.click();
    setTimeout(() => link.remove(), 5000);
  }

  /** @param {string} url @param {string} said */
  async function post(url, said) {
    const answer = await fetch(url, { method: "POST", headers: { "HX-Request": "true" } }).catch(() => null);
    if (answer?.ok) return announce(said);
    warn(answer ? plain(await answer.text()) : NOBODY);
  }

  function enqueue() {
    const form = /** @type {HTMLFormElement | null} */ (find("#compose"));
    if (form) form.requestSubmit();
    else newJob();
  }

  function newJob() {
    const plain = find("#job-body");
    if (!plain) return go("/play?do=compose");
    // Where the rich editor stands, the plain field is there but not seen.
    const area = /** @type {HTMLElement | null | undefined} */ (find("#rich:not([hidden])")?.shadowRoot?.querySelector(".cm-content")) ?? plain;
    area.focus();
    area.scrollIntoView({ block: "center" });
  }

  function startOver() {
    if (confirm("Forget every job and event?")) void post("/ui/reset", "Everything is forgotten");
  }

  /** @param {Command} command */
  function carryOut(command) {
    if (command.run) return command.run();
    if (command.to) return go(command.to);
    const button = /** @type {HTMLButtonElement | null} */ (find(command.press ?? ""));
    if (!button && command.press?.startsWith(".timebar")) warn("Time cannot be moved here: this is a real server. It has a sandbox, in the bar below.");
    else if (!button || button.disabled) announce(`${command.label}: not possible now`);
    else button.click();
  }

  // Keys.

  /** @param {Element} target A field of a dialog just closed has the focus for a moment longer: nothing is typed into it. */
  const typed = (target) => !target.closest("dialog:not([open])") && target.closest("input:not([type=range], [type=checkbox], [type=radio], [type=button]), textarea, select, [contenteditable]");

  /** @type {string[]} */
  let begun = [];
  let lapse = 0;

  document.addEventListener("keydown", (event) => {
    // What is typed into, also inside the editor's shadow root, whose events come from its host.
    const target = /** @type {Element} */ (event.composedPath()[0] ?? event.target);
    if (event.defaultPrevented || event.isComposing || event.altKey) return;
    const held = event.ctrlKey || event.metaKey;
    const key = event.key === " " ? "Space" : event.key;
    if (held) {
      const command = COMMANDS.find((one) => one.typing && one.keys === `Ctrl+${key.length === 1 ? key.toUpperCase() : key}`);
      if (!command?.run || (command.run === enqueue && target.closest(".cm-editor"))) return;
      if (command.run === enqueue && target.id !== "job-body" && (typed(target) || openDialog())) return;
      event.preventDefault();
      return command.run();
    }
    if (key === "Escape") return shut(event);
    if (typed(target) || openDialog() || event.repeat && key !== "]" && key !== "[" && key !== ".") return;
    if (key === "Space" && target.closest("button, a, summary, input, [role=button]")) return;
    if (key === "Shift") return;
    clearTimeout(lapse);
    lapse = setTimeout(() => (begun = []), SEQUENCE);
    const now = [...begun, key].join(" ");
    const command = COMMANDS.find((one) => one.keys === now) ?? COMMANDS.find((one) => one.keys === key);
    begun = COMMANDS.some((one) => one.keys?.startsWith(`${now} `)) ? [...begun, key] : [];
    if (!command) return;
    begun = [];
    event.preventDefault();
    carryOut(command);
  });

  /** @param {KeyboardEvent} event Closes palette or help at once; the browser closes any other dialog, when it comes to it. */
  function shut(event) {
    const sheet = /** @type {HTMLDialogElement | null} */ (find("#palette[open], #help[open]"));
    if (!sheet) return;
    event.preventDefault();
    sheet.close();
  }

  const openDialog = () => find("dialog[open]");

  /** @param {string} keys @returns {HTMLElement[]} */
  function caps(keys) {
    const mac = /Mac|iPhone|iPad/.test(navigator.platform);
    const parts = keys.split(" ").flatMap((part) => part.split(/\+(?=.)/));
    return parts.map((part) => Object.assign(document.createElement("kbd"), { textContent: part === "Ctrl" && mac ? "⌘" : part }));
  }

  function fillHelp() {
    find("#help-keys")?.replaceChildren(...COMMANDS.filter((one) => one.keys).map((one) => {
      const row = document.createElement("div");
      const [name, keys] = [document.createElement("dt"), document.createElement("dd")];
      name.textContent = one.label;
      keys.append(...caps(one.keys ?? ""));
      row.append(name, keys);
      return row;
    }));
  }

  // The palette: commands first, or, for a search, what can be read first.

  /** @type {Item[]} */
  let index = [];
  /** @type {Item[]} */
  let found = [];
  let chosen = 0;
  let mode = "command";
  let early = false; // a choice was made before the index was here: it is carried out when it is

  const input = () => /** @type {HTMLInputElement} */ (find("#palette-text"));
  const list = () => /** @type {HTMLElement} */ (find("#palette-list"));

  /** @param {string} how */
  function openPalette(how) {
    const sheet = dialog("palette");
    if (sheet.open) return sheet.close();
    for (const other of /** @type {NodeListOf<HTMLDialogElement>} */ (document.querySelectorAll("dialog[open]"))) other.close();
    mode = how;
    early = false;
    input().value = "";
    input().placeholder = how === "search" ? "Search requirements, terms, errors, endpoints, everything" : "A command, a page, a pane, a scenario";
    showFound();
    sheet.showModal();
    input().focus();
    requestAnimationFrame(() => sheet.open && input().focus()); // a closing dialog gives its focus back, and may be late
    if (!index.length) void readIndex();
  }

  /** @type {(text: string) => Item[]} */
  let search = () => [];

  async function readIndex() {
    // The static site has it ready; the engine, once it runs, knows the documents on the shelf too.
    const answer = await fetch("/spec/search.json", { headers: { "HX-Request": "true" } }).catch(() => null);
    if (!answer?.ok) return;
    const { search: module = "", library = "" } = dialog("palette").dataset;
    const items = (await answer.json()).map((/** @type {string[]} */ [kind, label, hint, to]) => ({ kind, label, hint, to }));
    const made = await import(module).then((one) => one.make(library, items)).catch(() => null);
    if (!made) return;
    [index, search] = [items, made];
    showFound();
    if (early && dialog("palette").open) choose();
  }

  document.addEventListener("ojs:shelf", () => (index = [])); // read again when somebody searches

  const READING = new Set(["Reference", "Ruling", "Step", "Scenario", "Endpoint"]);

  /** @returns {Item[]} */
  function commands() {
    return COMMANDS.filter((one) => !one.alone).map((one) => ({ kind: "Command", label: one.label, hint: "", to: "", keys: one.keys, run: () => carryOut(one) }));
  }

  /** @param {Item} item @param {string[]} words @returns {boolean} Whether each word begins a word of its label. */
  const fits = (item, words) => words.every((word) => ` ${item.label.toLowerCase()}`.includes(` ${word}`));

  /** @returns {Item[]} */
  function fitting() {
    const text = input().value.toLowerCase();
    const words = text.split(/\s+/).filter(Boolean);
    if (!words.length) return [...commands(), ...index].filter((one) => READING.has(one.kind) === (mode === "search"));
    const [ours, found] = [commands().filter((one) => fits(one, words)), search(text)];
    return mode === "search" ? [...found, ...ours] : [...ours, ...found];
  }

  function showFound() {
    const all = fitting();
    const id = input().value.trim();
    if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) all.unshift({ kind: "Job", label: id, hint: "", to: `/play/jobs/${id}` });
    found = all.slice(0, SHOWN);
    chosen = 0;
    list().replaceChildren(...found.map((item, place) => {
      const row = document.createElement("li");
      row.id = `found-${place}`;
      row.setAttribute("role", "option");
      row.dataset.place = String(place);
      const [name, hint] = [document.createElement("span"), document.createElement("span")];
      name.textContent = item.label;
      hint.className = "of";
      hint.textContent = item.kind === "Command" ? "" : [item.kind, item.hint].filter(Boolean).join(" · ");
      row.append(name, hint);
      if (item.keys) hint.append(...caps(item.keys));
      return row;
    }));
    const said = find("#palette-said");
    if (said) said.textContent = found.length ? (all.length > SHOWN ? `${SHOWN} of ${all.length}` : "") : index.length ? "Nothing is called that." : "The index is not here yet.";
    mark();
  }

  function mark() {
    for (const row of list().children) row.setAttribute("aria-selected", String(Number(/** @type {HTMLElement} */ (row).dataset.place) === chosen));
    const row = find(`#found-${chosen}`);
    if (row) input().setAttribute("aria-activedescendant", row.id);
    else input().removeAttribute("aria-activedescendant");
    row?.scrollIntoView({ block: "nearest" });
  }

  function choose() {
    const item = found[chosen];
    early = !index.length && (mode === "search" || !item);
    if (early || !item) return;
    dialog("palette").close();
    if (item.run) item.run();
    else if (item.to) go(item.to);
    else void navigator.clipboard?.writeText(item.label).then(() => announce("Copied"), () => {});
  }

  document.addEventListener("input", (event) => {
    if (event.target === input()) showFound();
  });

  document.addEventListener("keydown", (event) => {
    if (event.target !== input() || event.ctrlKey || event.metaKey || event.isComposing) return;
    const steps = /** @type {Record<string, number>} */ ({ ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 });
    if (event.key === "Enter") choose();
    else if (event.key in steps && found.length) {
      const next = chosen + steps[event.key];
      chosen = Math.abs(steps[event.key]) === 1 ? (next + found.length) % found.length : Math.min(Math.max(next, 0), found.length - 1);
      mark();
    } else return;
    event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    const target = /** @type {Element} */ (event.target);
    if (target.closest("[data-palette]")) openPalette("command");
    const row = /** @type {HTMLElement | null} */ (target.closest("#palette-list [role=option]"));
    if (row) {
      chosen = Number(row.dataset.place);
      choose();
    }
    if (target instanceof HTMLDialogElement && target.matches("#palette, #help")) target.close(); // the backdrop
  });

  // What happens to jobs, for those who do not see it: gathered, and at most one sentence in two seconds.

  const seen = { id: "" };
  let spoken = 0;
  let waiting = 0;
  /** @type {string[]} */
  let news = [];

  function listen() {
    // The log on the home page, elsewhere the news, which nobody sees: an event's number is its id in both.
    const lines = [...document.querySelectorAll(find("#view-news") ? "#view-news p" : "#view-log li[id^=event-]:not(.ahead, #event-cursor)")];
    const number = (/** @type {Element | undefined} */ line) => line?.id.replace(/^\D+/, "") ?? "";
    const newest = number(lines[0]);
    if (newest === seen.id) return;
    const before = lines.findIndex((line) => number(line) === seen.id);
    const fresh = seen.id ? lines.slice(0, before < 0 ? 1 : before) : [];
    seen.id = newest;
    if (!/** @type {HTMLInputElement | null} */ (find("#say"))?.checked) return;
    news.push(...fresh.reverse().map((line) => line.matches("p") ? line.textContent ?? "" : `${line.querySelector(".event")?.textContent ?? ""} ${line.querySelector(".id")?.textContent ?? ""}`.trim()));
    if (news.length && !waiting) waiting = setTimeout(speak, Math.max(0, spoken + SAID - Date.now()));
  }

  function speak() {
    waiting = 0;
    spoken = Date.now();
    const last = news.slice(-3).join(", ");
    announce(news.length > 3 ? `Several events, then ${last}` : last);
    news = [];
  }

  document.addEventListener("htmx:after:swap", listen);

  const say = /** @type {HTMLInputElement | null} */ (find("#say"));
  try {
    if (say) say.checked = localStorage.getItem("say") !== "no";
  } catch {
    // Storage is blocked: it is said.
  }
  say?.addEventListener("change", () => {
    news = [];
    clearTimeout(waiting);
    waiting = 0;
    try {
      localStorage.setItem("say", say.checked ? "yes" : "no");
    } catch {
      // The choice lasts as long as the page.
    }
  });

  fillHelp();
  listen();
})();
