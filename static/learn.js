// The tutorial's progress: which steps are done, kept in this browser. Names of steps never change, so a new version of the
// tutorial finds what was done in an old one. What is kept and cannot be read is set aside, and said.
"use strict";

(() => {
  const KEY = "ojs-learn";
  const ASIDE = "ojs-learn-damaged";
  const VERSION = 1;

  /** @typedef {{version: number, done: Record<string, string>, last: string}} Store */

  /** @returns {Store} */
  const empty = () => ({ version: VERSION, done: {}, last: "" });
  let store = empty();
  let said = "";

  /** @param {unknown} value @returns {value is Store} */
  function sound(value) {
    const told = /** @type {any} */ (value);
    return told?.version === VERSION && typeof told.last === "string" && typeof told.done === "object" && told.done !== null
      && Object.values(told.done).every((at) => typeof at === "string");
  }

  function read() {
    try {
      const text = localStorage.getItem(KEY);
      if (!text) return void (store = empty());
      let value = null;
      try { value = JSON.parse(text); } catch { /* told below */ }
      if (sound(value)) return void (store = value);
      localStorage.setItem(ASIDE, text);
      localStorage.removeItem(KEY);
      store = empty();
      said = `Your progress could not be read${value?.version > VERSION ? ", for a newer version of this page wrote it" : ""}; it is set aside in this browser’s storage as “${ASIDE}”, and a new one begins.`;
    } catch {
      said = "This browser keeps nothing for this page: your progress lasts as long as the page.";
    }
  }

  function write() {
    try {
      localStorage.setItem(KEY, JSON.stringify(store));
    } catch {
      said = "This browser keeps nothing for this page: your progress lasts as long as the page.";
    }
  }

  /** @param {string} name */
  function done(name) {
    if (store.done[name]) return;
    store.done[name] = new Date().toISOString();
    write();
  }

  /** @param {string[]} names */
  function forget(names) {
    for (const name of names) delete store.done[name];
    if (!Object.keys(store.done).length) store.last = "";
    write();
    show();
  }

  /** @param {Element} place @returns {string[]} Steps listed in it. */
  const listed = (place) => [.../** @type {NodeListOf<HTMLElement>} */ (place.querySelectorAll("[data-of]"))].map((one) => one.dataset.of ?? "");

  /** @param {HTMLElement} course */
  function showCourse(course) {
    for (const item of /** @type {NodeListOf<HTMLElement>} */ (course.querySelectorAll("[data-of]"))) {
      const is = Boolean(store.done[item.dataset.of ?? ""]);
      item.toggleAttribute("data-done", is);
      const link = item.querySelector("a");
      if (link && is) link.setAttribute("aria-label", `${link.textContent}, done`);
      else link?.removeAttribute("aria-label");
    }
    for (const chapter of course.querySelectorAll("[data-chapter]")) {
      const names = listed(chapter);
      const count = names.filter((name) => store.done[name]).length;
      const place = chapter.querySelector("[data-count]");
      if (place) place.textContent = `${count} of ${names.length} done`;
      /** @type {HTMLElement} */ (chapter.querySelector("[data-forget]")).hidden = !count;
    }
    const all = /** @type {HTMLElement | null} */ (course.querySelector('[data-forget=""]'));
    if (all) all.hidden = !Object.keys(store.done).length;
    const open = [...course.querySelectorAll("[data-chapter] [data-of]:not([data-done]) a")];
    const next = open.find((link) => link.getAttribute("href")?.endsWith(`/${store.last}`)) ?? open[0];
    const on = /** @type {HTMLAnchorElement | null} */ (course.querySelector("#go-on"));
    if (!on) return;
    on.hidden = !next || !Object.keys(store.done).length;
    if (next) [on.href, on.textContent] = [/** @type {HTMLAnchorElement} */ (next).href, `Go on: ${next.textContent}`];
  }

  let shown = "";

  function show() {
    const note = document.getElementById("unlearnt");
    if (note) [note.hidden, note.textContent] = [!said, said];
    const course = /** @type {HTMLElement | null} */ (document.querySelector("[data-course]"));
    if (course) showCourse(course);
    const page = /** @type {HTMLElement | null} */ (document.querySelector("main[data-step]"));
    const name = page?.dataset.step ?? "";
    if (!page) return void (shown = name);
    if (document.querySelector(`[data-passed="${CSS.escape(name)}"]`)) done(name);
    page.toggleAttribute("data-done", Boolean(store.done[name]));
    if (shown === name) return;
    if (shown) {
      scrollTo(0, 0);
      /** @type {HTMLElement} */ (page.querySelector("h1")).focus({ preventScroll: true });
    }
    shown = name;
    if (store.last === name) return;
    store.last = name;
    write();
  }

  document.addEventListener("click", (event) => {
    const target = /** @type {Element} */ (event.target);
    const mark = /** @type {HTMLElement | null} */ (target.closest("[data-mark]"));
    if (mark) {
      done(mark.dataset.mark ?? "");
      mark.replaceWith("Noted: done, on your word.");
      return show();
    }
    const button = /** @type {HTMLElement | null} */ (target.closest("[data-forget]"));
    if (!button) return;
    const chapter = button.dataset.forget && button.closest("[data-chapter]");
    const what = chapter ? `“${chapter.querySelector("h2")?.textContent}”` : "the whole tutorial";
    if (confirm(`Forget what you have done in ${what}? The steps can be done again.`)) forget(chapter ? listed(chapter) : Object.keys(store.done));
  });

  addEventListener("storage", (event) => {
    if (event.key === KEY) { read(); show(); }
  });
  document.addEventListener("htmx:after:swap", show);
  read();
  show();
})();
