// Changes to a JSON text that leave the rest of it as it was written: spaces, order, long numbers.
// Pure functions over strings; a change is {from, to, insert}.

const SPACE = /[ \t\n\r]*/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const PLAIN = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null/y;
const DEEPEST = 200;

/**
 * @typedef {{from: number, to: number, kind: "object" | "array" | "string" | "plain", members?: Member[], items?: Value[]}} Value
 * @typedef {{name: string, from: number, value: Value}} Member
 */

/** @param {string} text @returns {Value | null} Where each value stands; null for what is no JSON. */
export function read(text) {
  let at = 0;

  /** @param {RegExp} pattern */
  function take(pattern) {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (!found) throw new SyntaxError();
    at = pattern.lastIndex;
    return found[0];
  }

  /** @param {string} sign */
  function sign(sign) {
    if (text[at] !== sign) return false;
    at += 1;
    take(SPACE);
    return true;
  }

  /** @param {number} depth @returns {Value} */
  function value(depth) {
    if (depth > DEEPEST) throw new SyntaxError();
    const from = at;
    if (sign("{")) {
      /** @type {Member[]} */
      const members = [];
      while (text[at] !== "}") {
        const start = at;
        const name = JSON.parse(take(STRING));
        take(SPACE);
        if (!sign(":")) throw new SyntaxError();
        members.push({ name, from: start, value: value(depth + 1) });
        take(SPACE);
        if (sign(",") === (text[at] === "}")) throw new SyntaxError();
      }
      at += 1;
      return { from, to: at, kind: "object", members };
    }
    if (sign("[")) {
      /** @type {Value[]} */
      const items = [];
      while (text[at] !== "]") {
        items.push(value(depth + 1));
        take(SPACE);
        if (sign(",") === (text[at] === "]")) throw new SyntaxError();
      }
      at += 1;
      return { from, to: at, kind: "array", items };
    }
    if (text[at] === '"') {
      take(STRING);
      return { from, to: at, kind: "string" };
    }
    take(PLAIN);
    return { from, to: at, kind: "plain" };
  }

  try {
    take(SPACE);
    const whole = value(0);
    take(SPACE);
    return at === text.length ? whole : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** @param {Value | undefined} holder @param {string} name @returns {Member | undefined} Of one that is there twice the last, as readers of JSON do. */
export function member(holder, name) {
  return holder?.members?.findLast((one) => one.name === name);
}

/** @param {Value} whole @param {string[]} path @returns {Value | undefined} */
export function find(whole, path) {
  /** @type {Value | undefined} */
  let value = whole;
  for (const name of path) value = member(value, name)?.value;
  return value;
}

/** @param {string} text @param {number} at @returns {string} The spaces at the beginning of the line. */
function indent(text, at) {
  const line = text.slice(text.lastIndexOf("\n", at - 1) + 1, at);
  return /^[ \t]*/.exec(line)?.[0] ?? "";
}

/**
 * Writes a value; objects on the way are made where they are missing.
 * @param {string} text @param {Value} whole @param {string[]} path @param {string} raw The value as JSON.
 * @returns {{from: number, to: number, insert: string} | null} Null where something on the way is no object.
 */
export function set(text, whole, path, raw) {
  let holder = whole;
  for (let depth = 0; depth < path.length; depth += 1) {
    if (holder.kind !== "object") return null;
    const found = member(holder, path[depth]);
    if (!found) return put(text, holder, path.slice(depth), raw);
    holder = found.value;
  }
  return { from: holder.from, to: holder.to, insert: raw };
}

/** @param {string} text @param {Value} holder @param {string[]} path @param {string} raw */
function put(text, holder, path, raw) {
  const members = /** @type {Member[]} */ (holder.members);
  const last = members.at(-1);
  const wide = members.length ? text.slice(holder.from, members[0].from).includes("\n") : true;
  const step = "  ";
  const inner = last && wide ? indent(text, last.from) : indent(text, holder.from) + step;
  let content = raw;
  path.slice(1).reverse().forEach((name, index, names) => {
    const deep = inner + step.repeat(names.length - 1 - index);
    content = wide ? `{\n${deep}${step}${JSON.stringify(name)}: ${content}\n${deep}}` : `{${JSON.stringify(name)}: ${content}}`;
  });
  const line = `${JSON.stringify(path[0])}: ${content}`;
  if (last) return { from: last.value.to, to: last.value.to, insert: wide ? `,\n${inner}${line}` : `, ${line}` };
  return { from: holder.from, to: holder.to, insert: `{\n${inner}${line}\n${indent(text, holder.from)}}` };
}

/**
 * Takes a value out, and each object around it that would be left empty.
 * @param {string} text @param {Value} whole @param {string[]} path
 * @returns {{from: number, to: number, insert: string} | null} Null where it is not there.
 */
export function remove(text, whole, path) {
  /** @type {Array<{holder: Value, found: Member}>} */
  const way = [];
  let holder = whole;
  for (const name of path) {
    const found = member(holder, name);
    if (!found) return null;
    way.push({ holder, found });
    holder = found.value;
  }
  let last = way.length - 1;
  while (last > 0 && way[last].holder.members?.length === 1) last -= 1;
  const { holder: around, found } = way[last];
  const members = /** @type {Member[]} */ (around.members);
  const index = members.indexOf(found);
  if (index > 0) return { from: members[index - 1].value.to, to: found.value.to, insert: "" };
  if (members.length > 1) return { from: found.from, to: members[1].from, insert: "" };
  return { from: around.from, to: around.to, insert: "{}" };
}
