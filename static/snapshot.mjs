// The engine's memory as it is once Python and the application are loaded, made and kept in the visitor's own browser:
// the next start takes it up instead of loading both again. Whatever is wrong with it, the start goes on without.
// A file in the origin's private file system: its header (length, checksum) is written last, so a torn one is none.

const FOLDER = "ojs-playground";
const HEADER = 16;
const PIECE = 1 << 20;
/** With how much memory Pyodide starts; it does not grow to take up a snapshot. */
const ROOM = 30 << 20;

/** @param {any} boot The names of its files say what is in them; another browser may see the memory in another way. */
export function keyOf(boot) {
  const names = [boot.pyodide, boot.app, boot.stdlib].map((url) => url.split("/").filter(Boolean).pop());
  const agent = Uint32Array.from(navigator.userAgent, (letter) => letter.charCodeAt(0));
  return [...names, checksum(agent).toString(16)].join("_");
}

/** @param {Uint32Array} words Tells damage, not malice: who can write here can do anything. */
function checksum(words) {
  let sum = 0;
  for (let place = 0; place < words.length; place++) sum = (Math.imul(sum, 31) + words[place]) | 0;
  return sum >>> 0;
}

async function folder() {
  return (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
}

/**
 * The memory kept under this key, or null.
 * @param {string} key @returns {Promise<Uint8Array | null>}
 */
export async function read(key) {
  let handle;
  try {
    const file = await (await folder()).getFileHandle(key);
    handle = await /** @type {any} */ (file).createSyncAccessHandle({ mode: "read-only" });
    const header = new Uint32Array(HEADER / 4);
    handle.read(header, { at: 0 });
    const length = header[0];
    if (!length || handle.getSize() !== HEADER + length) return null;
    const bytes = new Uint8Array(length);
    if (handle.read(bytes, { at: HEADER }) !== length) return null;
    return checksum(new Uint32Array(bytes.buffer)) === header[1] ? bytes : null;
  } catch {
    return null; // nothing kept, no such storage, or another tab is at it
  } finally {
    handle?.close();
  }
}

/**
 * Keeps the memory, in pieces, between which others have their turn; earlier ones go.
 * @param {string} key @param {Uint8Array} bytes @returns {Promise<boolean>} Whether it is kept.
 */
export async function write(key, bytes) {
  let handle;
  try {
    await forget(key);
    const file = await (await folder()).getFileHandle(key, { create: true });
    handle = await /** @type {any} */ (file).createSyncAccessHandle();
    handle.truncate(0);
    for (let place = 0; place < bytes.length; place += PIECE) {
      handle.write(bytes.subarray(place, place + PIECE), { at: HEADER + place });
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    handle.flush();
    handle.write(new Uint32Array([bytes.length, checksum(new Uint32Array(bytes.buffer, 0, bytes.length >> 2)), 0, 0]), { at: 0 });
    handle.flush();
    return true;
  } catch {
    return false; // no room, no such storage, or another tab is at it: the next start is a plain one
  } finally {
    handle?.close();
  }
}

/** @param {string} [but] Forgets every memory kept, save this one. */
export async function forget(but) {
  try {
    const place = await folder();
    for await (const name of /** @type {any} */ (place).keys()) if (name !== but) await place.removeEntry(name);
  } catch {
    // nothing to forget, or it is in use
  }
}

/**
 * The memory of a Python as it is now, without the zeros at its end; null where a new Python would have no room for it.
 * @param {any} python
 */
export function take(python) {
  if (python._module.HEAP8.length > ROOM) return null;
  try {
    const bytes = python.makeMemorySnapshot();
    const words = new Uint32Array(bytes.buffer);
    let end = words.length;
    while (end && !words[end - 1]) end--;
    return bytes.subarray(0, end * 4);
  } catch {
    return null; // it holds something that cannot be kept
  }
}
