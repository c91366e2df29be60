// The builder of widgets: brings the widget's own script, and puts this site's address into what is to be copied.
"use strict";

(() => {
  const base = document.documentElement.dataset.base ?? "";
  if (!customElements.get("ojs-try")) document.head.append(Object.assign(document.createElement("script"), { src: `${base}/embed.js` }));

  function address() {
    const place = /** @type {HTMLElement | null} */ (document.getElementById("made"));
    for (const code of place?.querySelectorAll(".copyable code") ?? []) {
      const text = code.textContent ?? "";
      if (text.includes(place?.dataset.place ?? "\0")) code.textContent = text.replaceAll(place?.dataset.place ?? "\0", location.origin + base);
    }
  }

  address();
  new MutationObserver(address).observe(document.body, { childList: true, subtree: true });
})();
