// The code pane: it begins with the job in the editor, keeps the choice in the address, and saves the code as a file.
"use strict";

(() => {
  let composed = "";
  let untouched = true;

  /** @param {string} selector @returns {HTMLElement | null} */
  const find = (selector) => document.querySelector(selector);
  const body = () => /** @type {HTMLTextAreaElement | null} */ (find("#code-body"));

  /** Takes what the editor holds, before its pane goes away. */
  function remember() {
    const editor = /** @type {HTMLTextAreaElement | null} */ (find("#job-body"));
    if (editor) composed = editor.value;
  }

  document.addEventListener("input", (event) => {
    if (event.target === body()) untouched = false;
  });
  document.addEventListener("htmx:before:swap", remember);

  document.addEventListener("htmx:after:swap", (event) => {
    const target = /** @type {any} */ (event).detail?.ctx?.target;
    if (!["main", "page"].includes(target?.id) || !find("#coder")) return;
    untouched = true;
    begin();
  });

  /** The pane is here: its job is the one in the editor, unless the address names one. */
  function begin() {
    const area = body();
    const form = /** @type {HTMLFormElement | null} */ (find("#coder"));
    if (!area || !form || !untouched || !composed || "from" in form.dataset || area.value === composed) return;
    area.value = composed;
    form.requestSubmit();
  }

  document.addEventListener("change", (event) => {
    const field = /** @type {HTMLInputElement} */ (event.target);
    if (!field.closest?.("#coder") || !["language", "part"].includes(field.name)) return;
    const url = new URL(location.href);
    url.searchParams.set("do", "code");
    url.searchParams.set(field.name, field.value);
    history.replaceState(history.state, "", url);
  });

  document.addEventListener("click", (event) => {
    const button = /** @type {Element} */ (event.target).closest?.("[data-save-code]");
    if (!button) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    void saveCode(/** @type {HTMLFormElement} */ (find("#coder")));
  }, { capture: true });

  /** @param {HTMLFormElement} form */
  async function saveCode(form) {
    const fields = new URLSearchParams(/** @type {any} */ (new FormData(form)));
    fields.set("as", "file");
    const answer = await fetch("/ui/code", {
      method: "POST",
      body: fields.toString(),
      headers: { "HX-Request": "true", "Content-Type": "application/x-www-form-urlencoded" },
    }).catch(() => null);
    if (!answer?.ok) return warn(answer ? plain(await answer.text()) : NOBODY);
    const name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1] ?? "job.txt";
    save(await answer.blob(), name);
  }
})();
