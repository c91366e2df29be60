// The page's side of what works without a network: has the site kept (playground/build/offline.js), and says when a newer
// version of it is there. It is never forced on anybody: a session goes on with the version that it began with.

/** @param {string} script Its address; it stands where the site begins. */
export async function keepSite(script) {
  // Where a browser keeps nothing, or the visitor saves data, the page works as it did; only not without a network.
  const saving = /** @type {any} */ (navigator).connection?.saveData;
  if (!navigator.serviceWorker || saving) return;
  const site = await navigator.serviceWorker.register(script).catch(() => null);
  if (!site) return;
  const tell = () => {
    if (site.active && !site.waiting && !site.installing) showKept();
    if (site.waiting && navigator.serviceWorker.controller) announce(site.waiting);
  };
  const listen = () => site.installing?.addEventListener("statechange", tell);
  site.addEventListener("updatefound", listen);
  navigator.serviceWorker.addEventListener("controllerchange", tell);
  listen();
  tell();
  // A tab that stays open for days hears of a new version when somebody comes back to it.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") site.update().catch(() => 0);
  });
}

function showKept() {
  document.documentElement.dataset.offline = "kept";
  const lamp = document.getElementById("engine");
  if (lamp) lamp.title = "This site works without a network too: the browser keeps it.";
}

/** @param {ServiceWorker} next The worker of the newer version, which waits. */
function announce(next) {
  if (document.getElementById("newer")) return;
  const box = document.createElement("div");
  box.className = "toast news";
  box.id = "newer";
  box.setAttribute("role", "status");
  const words = document.createElement("p");
  words.textContent = "A newer version of this site is here. Reload when it suits you: this tab’s session is kept.";
  const reload = button("Reload", () => {
    navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
    next.postMessage("now");
  });
  const acts = document.createElement("p");
  acts.className = "acts";
  acts.append(reload, button("Later", () => box.remove()));
  box.append(words, acts);
  document.body.append(box);
}

/** @param {string} label @param {() => void} act */
function button(label, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "small";
  made.textContent = label;
  made.addEventListener("click", act);
  return made;
}
