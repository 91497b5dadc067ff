// @ts-check
// Addresses of web pages in texts.

/** @typedef {{type: "text", text: string} | {type: "link", url: string, text: string}} Part */

/**
 * ASCII only: Chinese texts and their punctuation go on without a space behind an
 * address, and browsers copy addresses in ASCII.
 */
const ADDRESS = /\bhttps?:\/\/[!#-&(-;=?-[\]_a-z~]+/gi;

/** Closing brackets, and the opening ones that they belong to. */
const BRACKETS = new Map([
  [")", "("],
  ["]", "["],
]);

/**
 * Return the parts of a text, with http and https addresses as links.
 * @param {string} text
 * @returns {Part[]}
 */
export function linked(text) {
  /** @type {Part[]} */
  const parts = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(ADDRESS)) {
    const address = withoutEnd(found);
    if (!isAddress(address)) {
      continue;
    }
    if (index > end) {
      parts.push({ type: "text", text: text.slice(end, index) });
    }
    parts.push({ type: "link", url: address, text: address });
    end = index + address.length;
  }
  if (end < text.length) {
    parts.push({ type: "text", text: text.slice(end) });
  }
  return parts;
}

/**
 * Return an address without the punctuation of the sentence behind it.
 * @param {string} found
 */
function withoutEnd(found) {
  let address = found;
  for (;;) {
    const last = address.at(-1) ?? "";
    const opening = BRACKETS.get(last);
    const isOpen =
      opening !== undefined &&
      address.split(opening).length >= address.split(last).length;
    if (!/[.,:;!?*)\]]/.test(last) || isOpen) {
      return address;
    }
    address = address.slice(0, -1);
  }
}

/** @param {string} text */
function isAddress(text) {
  try {
    return ["http:", "https:"].includes(new URL(text).protocol);
  } catch {
    return false;
  }
}
