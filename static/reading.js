// Reading tools of the reference: the panel of a term, pins, the last target. Loaded by pages that name it in data-script.
// Without it every term is a plain link to its entry.
"use strict";

(() => {
  /** @param {string} id */
  const element = (id) => document.getElementById(id);

  /** @param {string} id @param {string} title @returns {HTMLDialogElement} A sheet of that name, made when it is first wanted. */
  function sheet(id, title) {
    const known = /** @type {HTMLDialogElement | null} */ (element(id));
    if (known) return known;
    const made = document.createElement("dialog");
    made.className = "sheet";
    made.id = id;
    made.setAttribute("aria-labelledby", `h-${id}`);
    made.innerHTML = '<div class="head"><h2></h2><form method="dialog"><button class="quiet">Close</button></form></div><div class="sheet-body"></div>';
    const heading = /** @type {HTMLElement} */ (made.querySelector("h2"));
    heading.id = `h-${id}`;
    heading.textContent = title;
    made.addEventListener("click", (event) => {
      const target = /** @type {Element} */ (event.target);
      const leaves = target.closest("a") && !target.closest("a.term");
      if (target === made || leaves) made.close();
    });
    document.body.append(made);
    return made;
  }

  /** @param {HTMLDialogElement} dialog */
  const body = (dialog) => /** @type {HTMLElement} */ (dialog.querySelector(".sheet-body"));

  // Terms: the entry is taken from its page, which the static site has ready and the engine makes once it runs.

  /** @type {Map<string, Promise<Document>>} */
  const pages = new Map();

  /** @param {string} path @returns {Promise<Document>} */
  function page(path) {
    const known = pages.get(path);
    if (known) return known;
    const asked = fetch(path, { headers: { "HX-Request": "true" } }).then(async (answer) => {
      if (!answer.ok) throw new Error(String(answer.status));
      return new DOMParser().parseFromString(await answer.text(), "text/html");
    });
    pages.set(path, asked);
    asked.catch(() => pages.delete(path));
    return asked;
  }

  /** @param {HTMLAnchorElement} link Shows the entry that it leads to, or goes there. */
  async function openTerm(link) {
    const dialog = sheet("term", link.textContent ?? "");
    /** @type {HTMLElement} */ (dialog.querySelector("h2")).textContent = link.textContent;
    body(dialog).replaceChildren(Object.assign(document.createElement("p"), { className: "of", textContent: "Looking it up …" }));
    if (!dialog.open) dialog.showModal();
    const wanted = link.href;
    dialog.dataset.wanted = wanted;
    try {
      const found = (await page(link.pathname)).getElementById(decodeURIComponent(link.hash.slice(1)));
      if (dialog.dataset.wanted !== wanted || !dialog.open) return;
      if (!found) throw new Error("no entry");
      const entry = /** @type {HTMLElement} */ (document.importNode(found, true));
      entry.removeAttribute("id");
      entry.className = "entry";
      const whole = document.createElement("p");
      const more = Object.assign(document.createElement("a"), { href: wanted, textContent: "Among its kind" });
      whole.append(more);
      body(dialog).replaceChildren(entry, whole);
      /** @type {any} */ (window).htmx?.process(body(dialog));
    } catch {
      dialog.close();
      location.assign(wanted);
    }
  }

  // Pins: kept in the browser where it allows that, else as long as the page.

  /** @typedef {{to: string, label: string}} Pin */

  /** @type {Pin[]} */
  let pins = [];
  let kept = true;

  function readPins() {
    try {
      const read = JSON.parse(localStorage.getItem("pins") ?? "[]");
      if (Array.isArray(read)) pins = read.filter((one) => typeof one?.to === "string" && one.to.startsWith(`${BASE}/spec`) && typeof one.label === "string");
    } catch (error) {
      kept = error instanceof SyntaxError; // what stands there is no list of pins: it is replaced by the next one
    }
  }

  function writePins() {
    try {
      localStorage.setItem("pins", JSON.stringify(pins));
    } catch {
      kept = false;
    }
    showPins();
  }

  /** @param {Element} place @returns {Pin} A requirement by its id and words, a section by its heading. */
  function pinOf(place) {
    const words = place.matches(".req") ? `${place.id} ${place.querySelector(".req-text")?.textContent ?? ""}` : place.querySelector(".anchor")?.textContent ?? "";
    const title = document.querySelector("h1")?.textContent ?? "";
    return { to: `${location.pathname}#${place.id}`, label: `${title}: ${words.replace(/\s+/g, " ").trim()}`.slice(0, 200) };
  }

  /** @param {Element} place */
  function togglePin(place) {
    const pin = pinOf(place);
    const known = pins.some((one) => one.to === pin.to);
    pins = known ? pins.filter((one) => one.to !== pin.to) : [...pins, pin];
    writePins();
    announce(known ? `Unpinned ${place.id}` : `Pinned ${place.id}`);
  }

  /** @returns {Element | undefined} The last requirement or section that begins above the upper third of the window. */
  function here() {
    const places = [...document.querySelectorAll("#main .req, #main h2[id]")];
    const target = location.hash ? element(decodeURIComponent(location.hash.slice(1))) : null;
    const box = target?.getBoundingClientRect();
    if (target && places.includes(target) && box && box.bottom > 0 && box.top < innerHeight) return target;
    return places.findLast((one) => one.getBoundingClientRect().top < innerHeight / 3) ?? places[0];
  }

  function showPins() {
    const count = element("pins-count");
    if (count) count.textContent = pins.length ? ` (${pins.length})` : "";
    const pinned = new Set(pins.map((one) => one.to));
    for (const button of document.querySelectorAll("[data-pin]")) {
      button.setAttribute("aria-pressed", String(pinned.has(`${location.pathname}#${/** @type {HTMLElement} */ (button).dataset.pin}`)));
    }
    const dialog = element("pins");
    if (dialog) listPins(/** @type {HTMLDialogElement} */ (dialog));
  }

  /** @param {HTMLDialogElement} dialog */
  function listPins(dialog) {
    const list = document.createElement("ul");
    list.className = "pin-list";
    list.append(...pins.map((pin) => {
      const row = document.createElement("li");
      const link = Object.assign(document.createElement("a"), { href: pin.to, textContent: pin.label });
      const button = Object.assign(document.createElement("button"), { type: "button", className: "quiet small", textContent: "Unpin" });
      button.setAttribute("aria-label", `Unpin ${pin.label}`);
      button.addEventListener("click", () => {
        pins = pins.filter((one) => one.to !== pin.to);
        writePins();
        /** @type {HTMLElement | null} */ (dialog.querySelector("button"))?.focus();
      });
      row.append(link, button);
      return row;
    }));
    const note = Object.assign(document.createElement("p"), { className: "of" });
    note.textContent = !pins.length ? "Nothing is pinned yet: press p, or the star beside a requirement." : kept ? "Kept in this browser." : "This browser keeps nothing: pins last as long as this page.";
    body(dialog).replaceChildren(list, note);
    /** @type {any} */ (window).htmx?.process(list);
  }

  // Targets: where links on this page have led, so that one finds back after looking around.

  /** @type {string[]} */
  let targets = [];

  function noteTarget() {
    if (location.hash.length < 2) return;
    const name = decodeURIComponent(location.hash.slice(1));
    const target = element(name);
    for (let fold = target?.closest("details:not([open])"); fold; fold = fold.parentElement?.closest("details:not([open])")) {
      fold.setAttribute("open", "");
      target?.scrollIntoView();
    }
    if (target && targets.at(-1) !== name) targets.push(name);
  }

  function lastTarget() {
    const last = targets.at(-1);
    const target = last === undefined ? null : element(last);
    if (!target) return announce("No link has led anywhere on this page yet");
    const top = target.getBoundingClientRect().top;
    if (top >= 0 && top < innerHeight / 2 && targets.length > 1) {
      targets.pop(); // it is before one's eyes: back to the one before
      return lastTarget();
    }
    target.scrollIntoView();
    announce(`Back at ${last}`);
  }

  // Clicks.

  document.addEventListener("click", (event) => {
    const target = /** @type {Element} */ (event.target);
    const link = /** @type {HTMLAnchorElement | null} */ (target.closest("a.term"));
    if (link && link.pathname !== location.pathname && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return void openTerm(link);
    }
    const star = /** @type {HTMLElement | null} */ (target.closest("[data-pin]"));
    const place = star ? element(star.dataset.pin ?? "") : target.closest("#pin-here") ? here() : null;
    if (place) return togglePin(place);
    if (target.closest("#last-target")) return lastTarget();
    if (target.closest("#pins-open")) {
      const dialog = sheet("pins", "Pins");
      listPins(dialog);
      dialog.showModal();
    }
  }, { capture: true });

  addEventListener("hashchange", noteTarget);
  addEventListener("storage", (event) => {
    if (event.key !== "pins") return;
    readPins();
    showPins();
  });
  document.addEventListener("htmx:after:swap", (event) => {
    if (/** @type {any} */ (event).detail?.ctx?.target?.id !== "page") return;
    targets = [];
    noteTarget();
    showPins();
  });

  readPins();
  noteTarget();
  showPins();
})();
