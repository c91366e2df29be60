// The search: an index over everything that can be read or gone to, made in the page when somebody first searches.

/** @typedef {{kind: string, label: string, hint: string, to: string}} Item */

const FEW = 3; // a shorter word would begin half of the index: it is looked up as it stands
const SLICE = 200; // items indexed before the page gets a turn

/** @type {Record<string, number>} How much a hit weighs by its kind; 1 where nothing is said. */
const WEIGHT = { Page: 3, Concept: 2.5, Attribute: 2, State: 3, Operation: 2, Header: 2, Error: 2, Event: 2, Reference: 1.6, Scenario: 1.4, Ruling: 1.2, Published: 0.8, "Published rule": 0.6 };

/** @param {string} text @returns {string[]} */
const words = (text) => text.split(/[^\p{L}\p{N}]+/u).filter(Boolean);

/**
 * @param {string} library Where MiniSearch is.
 * @param {Item[]} items In the order in which equals are listed.
 * @returns {Promise<(text: string) => Item[]>} Finds what fits a text, best first.
 */
export async function make(library, items) {
  const { default: MiniSearch } = await import(library);
  const index = new MiniSearch({
    fields: ["label", "kind", "hint"],
    tokenize: words,
    searchOptions: {
      combineWith: "AND",
      boost: { label: 4 },
      prefix: (/** @type {string} */ word) => word.length >= FEW,
      fuzzy: (/** @type {string} */ word) => word.length > 4 && 0.2,
      boostDocument: (/** @type {number} */ id) => WEIGHT[items[id].kind] ?? 1,
    },
  });
  await index.addAllAsync(items.map((item, id) => ({ id, ...item })), { chunkSize: SLICE });
  const plain = items.map((item) => `${item.label}\n${item.hint}`.toLowerCase());

  return (text) => {
    const wanted = text.trim().toLowerCase();
    if (wanted.length < FEW) return items.filter((_, id) => plain[id].startsWith(wanted));
    /** @type {Item[]} */
    const hits = index.search(wanted).map((/** @type {{id: number}} */ hit) => items[hit.id]);
    const exact = hits.filter((item) => [item.label.toLowerCase(), item.hint.toLowerCase().split(" ")[0]].includes(wanted));
    return [...exact, ...hits.filter((item) => !exact.includes(item))];
  };
}
