// The workbench's lists: how many jobs are selected, and where the focus goes when a preview of many jobs comes and goes.
"use strict";

(() => {
  const find = (/** @type {string} */ selector) => /** @type {HTMLElement | null} */ (document.querySelector(selector));

  // The jobs selected, also those of the list's other pages; another search begins anew.

  /** @type {Set<string>} */
  const picked = new Set();
  let search = "";

  const boxes = () => /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("input[form=picked]"));

  function showPicked() {
    const place = find("#picked-count");
    if (!place) return;
    const asked = /** @type {HTMLInputElement} */ (find("#picked [name=q]")).value;
    if (asked !== search) picked.clear();
    search = asked;
    for (const box of boxes()) box.checked = picked.has(box.value);
    const all = /** @type {HTMLInputElement | null} */ (find("#picked [name=all]"))?.checked;
    const here = [...boxes()].filter((box) => box.checked).length;
    const elsewhere = picked.size - here;
    const text = all || !picked.size ? "" : `${picked.size} selected${elsewhere ? `, ${elsewhere} of them on other pages` : ""}`;
    if (place.textContent !== text) place.textContent = text;
    /** @type {HTMLElement} */ (find("#unpick")).hidden = !text;
  }

  /** @param {HTMLInputElement} box */
  function pick(box) {
    if (box.checked) picked.add(box.value);
    else picked.delete(box.value);
  }

  /** @param {HTMLElement} link Takes away what its data-dismiss names. */
  function clear(link) {
    find(`#${link.dataset.dismiss}`)?.replaceChildren();
    find("#search-text, #dead-filter input[type=search]")?.focus({ preventScroll: true });
  }

  document.addEventListener("change", (event) => {
    const box = /** @type {HTMLInputElement} */ (event.target);
    if (box.matches?.("input[form=picked]")) pick(box);
    if (box.form?.matches("#picked")) showPicked(); // its own id is hidden by fields of that name
  });

  // What is sent: the boxes of this page are in the form, the others come along.
  document.addEventListener("formdata", (event) => {
    if (!(/** @type {Element} */ (event.target).matches("#picked"))) return;
    const there = new Set(event.formData.getAll("id"));
    for (const id of picked) if (!there.has(id)) event.formData.append("id", id);
  });

  document.addEventListener("click", (event) => {
    if (!(/** @type {Element} */ (event.target).closest("#unpick"))) return;
    picked.clear();
    showPicked();
    find("#picked [name=all]")?.focus();
  });

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

  // The timeline shows the moment that one goes to; at the present it stays at its end.

  let cursor = "";
  let wasPast = false;

  function followCursor() {
    const line = find(".to-end .cursor-line");
    const scroller = line?.closest(".to-end");
    const at = line?.getAttribute("d") ?? "";
    const past = Boolean(find('.timebar [formaction="/ui/time/end"]'));
    if (!line || !scroller || at === cursor) return;
    if (wasPast && !past) scroller.scrollLeft = 0;
    [cursor, wasPast] = [at, past];
    if (!past) return;
    const [seen, is] = [scroller.getBoundingClientRect(), line.getBoundingClientRect()];
    if (is.left < seen.left + 20 || is.left > seen.right - 20) scroller.scrollLeft += is.left - seen.left - 0.6 * seen.width;
  }

  document.addEventListener("htmx:after:swap", (event) => {
    followCursor();
    const target = /** @type {any} */ (event).detail?.ctx?.target;
    if (target?.id === "bulk" && find("#bulk [data-done-with]")) picked.clear();
    showPicked();
    if (target?.id !== "bulk") return;
    target.focus({ preventScroll: true });
    target.scrollIntoView({ block: "nearest" });
  });
})();
