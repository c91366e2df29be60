// What comes before everything else: the theme, and on pages that are read, the other scripts once the text is painted.
"use strict";

// The theme that the visitor chose, if storage can be read; else the system's.
try {
  const chosen = localStorage.getItem("theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage is blocked: the system's theme it is.
}

// Scripts of the type "later" wait for the first paint, so that nothing on its way competes with the text. What is
// sent, pressed or typed before they are there is answered when they are: a form by itself would go to the network.
(() => {
  /** @type {Array<() => void>} */
  const early = [];
  let begun = false;

  /** @param {Event} event */
  function hold(event) {
    // Nobody else hears of it: who is there already would answer it twice.
    const target = /** @type {HTMLElement} */ (event.target);
    if (event instanceof KeyboardEvent) {
      if (event.metaKey || target.closest("a, button, input, textarea, summary")) return;
      early.push(() => void target.dispatchEvent(new KeyboardEvent(event.type, event)));
    } else if (event instanceof SubmitEvent) {
      const form = /** @type {HTMLFormElement} */ (target);
      if (form.method === "dialog") return;
      event.preventDefault();
      early.push(() => form.requestSubmit(event.submitter));
    } else {
      const button = /** @type {HTMLElement | null} */ (target.closest('button[type="button"]'));
      if (!button) return;
      early.push(() => button.click());
    }
    event.stopImmediatePropagation();
  }

  const KINDS = ["submit", "click", "keydown"];

  function release() {
    for (const kind of KINDS) removeEventListener(kind, hold, { capture: true });
    early.splice(0).forEach((send) => send());
  }

  function load() {
    const wanted = /** @type {NodeListOf<HTMLScriptElement>} */ (document.querySelectorAll('script[type="later"]'));
    if (begun || !wanted.length) return;
    begun = true;
    for (const one of wanted) {
      const script = Object.assign(document.createElement("script"), { src: one.src, async: false });
      Object.assign(script.dataset, one.dataset);
      one.replaceWith(script);
      // htmx looks at the page in a task of its own, which comes before this one.
      if (one === wanted[wanted.length - 1]) script.onload = script.onerror = () => setTimeout(release);
    }
  }

  function wait() {
    if (document.visibilityState === "hidden") return load(); // nothing is painted there
    for (const kind of KINDS) addEventListener(kind, hold, { capture: true });
    setTimeout(load, 1500);
    new PerformanceObserver((list) => {
      if (list.getEntriesByName("first-contentful-paint").length) setTimeout(load);
    }).observe({ type: "paint", buffered: true });
  }

  if (!document.querySelector('script[type="later"]')) return;
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", wait, { once: true });
  else wait();
})();
