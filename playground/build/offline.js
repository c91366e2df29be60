// Keeps the site for when the network is gone, and does nothing else. It makes no answer of the engine's, and stays out of
// the way of files that the browser keeps by itself: only so does what was compiled of them stay compiled.
// The build writes the first line: SITE, with the version, the files whose names carry their hash, and the pages.
"use strict";

const KEPT = "ojs-offline-";
const NAME = KEPT + SITE.version;
/** Whether the last page could not be had: then files come from here, whatever the browser still has of them. */
let gone = false;

/**
 * A file as it is to be kept.
 * @param {string} url
 */
async function fetched(url) {
  const response = await fetch(url, { cache: SITE.files.includes(url) ? "default" : "no-cache" });
  if (!response.ok) throw new Error(`${response.status} for ${url}`);
  // What was redirected is refused as a page's answer, and what was unpacked must not say that it is packed.
  const headers = new Headers(response.headers);
  headers.delete("content-encoding");
  headers.delete("content-length");
  return new Response(response.body, { headers });
}

async function keep() {
  const cache = await caches.open(NAME);
  // One after the other: the visitor's own work goes first. What an earlier version has kept is not fetched again.
  for (const url of SITE.files) await cache.put(url, (await caches.match(url)) ?? (await fetched(url)));
  for (const url of SITE.pages) await cache.put(url, await fetched(url));
}

async function tidy() {
  for (const name of await caches.keys()) if (name.startsWith(KEPT) && name !== NAME) await caches.delete(name);
  await self.registration.navigationPreload?.enable();
  await self.clients.claim();
}

/**
 * A page from the network, else from here, else the shell, in which the engine makes it.
 * @param {FetchEvent} event @param {string} path
 */
async function page(event, path) {
  try {
    const answer = (await event.preloadResponse) ?? (await fetch(event.request));
    gone = false;
    // A plain host knows no address that only the engine knows, a job's for one.
    const lost = answer.status === 404 && event.request.mode === "navigate";
    return (lost && (await (await caches.open(NAME)).match(SITE.shell))) || answer;
  } catch (error) {
    gone = true;
    const cache = await caches.open(NAME);
    const found = (await cache.match(path)) ?? (event.request.mode === "navigate" ? await cache.match(SITE.shell) : undefined);
    if (found) return found;
    throw error;
  }
}

/** @param {Request} request @param {string} path */
async function file(request, path) {
  const cache = await caches.open(NAME);
  const found = await cache.match(path);
  if (found) return found;
  // A host that compresses nothing is asked for the packed file first; here lies the plain one.
  if (path.endsWith(".gz")) return new Response(null, { status: 404 });
  return fetch(request);
}

self.addEventListener("install", (event) => event.waitUntil(keep()));
self.addEventListener("activate", (event) => event.waitUntil(tidy()));
self.addEventListener("message", (event) => {
  if (event.data === "now") void self.skipWaiting();
});
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  const path = url.pathname.replace(/(?<=.)\/$/, ""); // hosts say /play or /play/ of the same page
  if (event.request.mode === "navigate" || SITE.pages.includes(path)) event.respondWith(page(event, path));
  else if ((gone || !navigator.onLine) && SITE.folders.some((folder) => path.startsWith(folder))) event.respondWith(file(event.request, path));
});
