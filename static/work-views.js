// The workbench's lists: how many jobs are selected, and where the focus goes when a preview of many jobs comes and goes.
"use strict";

(() => {
  const find = (/** @type {string} */ selector) => /** @type {HTMLElement | null} */ (document.querySelector(selector));

  function countPicked() {
    const place = find("#picked-count");
    if (!place) return;
    const all = /** @type {HTMLInputElement | null} */ (find("#picked [name=all]"));
    const picked = document.querySelectorAll("[form=picked]:checked").length;
    const text = picked && !all?.checked ? `${picked} selected` : "";
    if (place.textContent !== text) place.textContent = text;
  }

  /** @param {HTMLElement} link Takes away what its data-dismiss names. */
  function clear(link) {
    find(`#${link.dataset.dismiss}`)?.replaceChildren();
    find("#search-text, #dead-filter input[type=search]")?.focus({ preventScroll: true });
  }

  document.addEventListener("change", countPicked);

  document.addEventListener("click", (event) => {
    const link = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("a[data-dismiss]"));
    if (!link || !find(`main #${link.dataset.dismiss}`)) return;
    event.preventDefault();
    event.stopPropagation();
    clear(link);
  }, { capture: true });

  document.addEventListener("htmx:after:request", (event) => {
    const source = /** @type {any} */ (event).detail?.ctx?.sourceElement;
    if (source?.matches?.("button[data-dismiss]") && /** @type {any} */ (event).detail.ctx.response?.status < 300) clear(source);
  });

  document.addEventListener("htmx:after:swap", (event) => {
    countPicked();
    const target = /** @type {any} */ (event).detail?.ctx?.target;
    if (target?.id !== "bulk") return;
    target.focus({ preventScroll: true });
    target.scrollIntoView({ block: "nearest" });
  });
})();
