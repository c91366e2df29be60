// Links that carry what lies in the workbench's editors: handlers and the composed request. See `lay` in page.js for
// what becomes of them where they are opened.
"use strict";

(() => {
  const DRAFT = "ojs-draft-compose";

  /** @param {string} key @returns {any} What is kept of an editor that is not on the page. */
  function kept(key) {
    try {
      return JSON.parse(sessionStorage.getItem(key) ?? "null");
    } catch {
      return null; // storage is blocked, or holds something else
    }
  }

  /** @param {string} language */
  function handler(language) {
    const box = document.getElementById(`handler-${language}`);
    if (!box) return kept(`ojs-handler-${language}`);
    const fields = /** @type {NodeListOf<HTMLInputElement>} */ (box.querySelectorAll("[name]"));
    return Object.fromEntries([...fields].map((field) => [field.name, field.value]));
  }

  function composed() {
    const text = /** @type {HTMLTextAreaElement | null} */ (document.getElementById("job-body"));
    const target = /** @type {HTMLSelectElement | null} */ (document.getElementById("target"));
    const [name, body] = text && target ? [target.value, text.value] : (kept(DRAFT) ?? []);
    return name ? { target: name, text: body } : null;
  }

  /** @param {string} which Which editors: "handlers", "compose", or both. */
  function gathered(which) {
    const all = { ...(which !== "compose" && { javascript: handler("javascript"), python: handler("python") }), ...(which !== "handlers" && { compose: composed() }) };
    return Object.fromEntries(Object.entries(all).filter(([, one]) => one));
  }

  /** @param {HTMLElement} button Its data-copy-desk says which editors; in the dialog of a moment, the moment goes along. */
  async function copyDesk(button) {
    const moment = button.hasAttribute("data-copy-link");
    const body = JSON.stringify({ desk: gathered(button.dataset.copyDesk ?? ""), moment });
    const answer = await fetch("/ui/moment/link", { method: "POST", body, headers: { "HX-Request": "true", "Content-Type": "application/json" } }).catch(() => null);
    if (!answer?.ok) return warn(answer ? plain(await answer.text()) : NOBODY);
    const { fragment, long } = await answer.json();
    const see = new URLSearchParams(location.search).get("see"); // the button's own address may be that of an earlier view
    await copyLink(button, fragment, button.dataset.copyDesk === "compose" ? `${BASE}/play?do=compose${see ? `&see=${encodeURIComponent(see)}` : ""}` : undefined);
    if (long) warn(`The link has ${fragment.length.toLocaleString("en")} characters: mail and chat programs may cut it off.`);
  }

  document.addEventListener("click", (event) => {
    const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-copy-desk]"));
    const wanted = /** @type {HTMLInputElement | null} */ (document.getElementById("moment-desk"));
    if (!button || (button.hasAttribute("data-copy-link") && !wanted?.checked)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    void copyDesk(button);
  }, { capture: true });
})();
