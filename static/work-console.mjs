// The HTTP console: run with Ctrl/Cmd+Enter, endpoints filled in by a click, what is typed kept for the visit.

const DRAFT = "ojs-draft-console";
const MAX_DRAFT = 200_000;
const PARTS = ["method", "path", "headers", "body"];

class Console extends HTMLElement {
  connectedCallback() {
    if (this.form) return; // moved, not made
    this.form = /** @type {HTMLFormElement} */ (this.querySelector("#console-form"));
    this.addEventListener("keydown", (event) => this.key(event));
    this.addEventListener("click", (event) => this.clicked(event));
    this.addEventListener("input", () => this.changed());
    this.restore();
    this.describe();
  }

  /** @param {string} name @returns {HTMLInputElement} */
  part(name) {
    return /** @type {HTMLInputElement} */ (this.form?.elements.namedItem(name));
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    this.form?.requestSubmit();
  }

  /** @param {MouseEvent} event */
  clicked(event) {
    const link = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-endpoint]"));
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const [method, path] = (link.dataset.endpoint ?? "").split(" ");
    this.part("method").value = method;
    this.part("path").value = path;
    this.changed();
    const blank = /\{[^}]*\}/.exec(path);
    this.part("path").focus();
    if (blank) this.part("path").setSelectionRange(blank.index, blank.index + blank[0].length);
  }

  changed() {
    this.describe();
    try {
      const values = PARTS.map((name) => this.part(name).value);
      if (values.join("").length <= MAX_DRAFT) sessionStorage.setItem(DRAFT, JSON.stringify(values));
    } catch {
      // Storage is blocked: the draft lasts as long as the pane.
    }
  }

  /** The draft comes back unless the address, or an answer, says what to begin with. */
  restore() {
    if (/[?&](method|path|exchange)=/.test(location.search) || this.querySelector("#console-answer")?.children.length) return;
    try {
      const values = JSON.parse(sessionStorage.getItem(DRAFT) ?? "null");
      if (Array.isArray(values)) PARTS.forEach((name, index) => (this.part(name).value = String(values[index])));
    } catch {
      // Storage is blocked, or holds something else.
    }
  }

  /** Says which endpoint the path is; a path that only one method takes brings its method along. */
  describe() {
    const path = this.part("path").value.split("?")[0];
    const fits = [.../** @type {NodeListOf<HTMLOptionElement>} */ (this.querySelectorAll("#endpoints option"))].filter((option) => matches(option.value, path));
    const place = /** @type {HTMLElement} */ (this.querySelector("#console-endpoint"));
    const mine = fits.find((option) => option.dataset.method === this.part("method").value);
    const others = [...new Set(fits.map((option) => option.dataset.method))].join(", ");
    place.textContent = mine ? (mine.textContent ?? "") : fits.length ? `This path takes ${others}.` : "No endpoint of the binding has this path.";
  }
}

/** @param {string} pattern @param {string} path */
function matches(pattern, path) {
  const want = pattern.split("/");
  const parts = path.split("/");
  const rest = pattern.endsWith("*}");
  return (rest ? parts.length >= want.length : parts.length === want.length) && want.every((one, index) => one === parts[index] || (one.startsWith("{") && Boolean(parts[index])));
}

customElements.define("ojs-console", Console);
