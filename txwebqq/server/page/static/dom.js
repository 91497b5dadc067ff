// @ts-check
// Making elements. Texts of people are inserted as texts only.

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | boolean | ((event: any) => void)>} [attributes] those
 *   that are functions listen to the event of that name
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      element.addEventListener(name, value);
    } else if (typeof value === "boolean") {
      element.toggleAttribute(name, value);
    } else {
      element.setAttribute(name, value);
    }
  }
  element.append(...children);
  return element;
}

/**
 * Bring the children of an element in line with some items, and keep the elements of
 * items that stay, so that focus and a screen reader's place stay as well.
 * @template Item
 * @param {Element} parent
 * @param {Item[]} items
 * @param {(item: Item) => string} keyOf
 * @param {(item: Item) => HTMLElement} create
 * @param {(element: HTMLElement, item: Item) => void} update
 */
export function keyed(parent, items, keyOf, create, update) {
  /** @type {Map<string, HTMLElement>} */
  const before = new Map();
  for (const child of /** @type {HTMLCollectionOf<HTMLElement>} */ (parent.children)) {
    before.set(child.dataset.key ?? "", child);
  }
  const keys = items.map(keyOf);
  const wanted = new Set(keys);
  for (const [key, element] of before) {
    if (!wanted.has(key)) {
      element.remove();
      before.delete(key);
    }
  }
  /** @type {ChildNode | null} */
  let next = parent.firstChild;
  for (const [place, item] of items.entries()) {
    const key = keys[place];
    let element = before.get(key);
    if (element === undefined) {
      element = create(item);
      element.dataset.key = key;
    }
    update(element, item);
    if (next !== null && next.nextSibling === element) {
      // Not this one has moved but the one before it, whose turn comes later.
      next = element;
    }
    if (element === next) {
      next = element.nextSibling;
    } else {
      parent.insertBefore(element, next);
    }
  }
}

/** @type {WeakMap<Element, string>} what an element shows */
const shown = new WeakMap();

/**
 * Return whether an element shows something else, and remember what it shows from now
 * on. To compare one text is much faster than to ask the document for each part of it.
 * @param {Element} element
 * @param {...(string | number | boolean)} parts
 */
export function isOther(element, ...parts) {
  const text = parts.join("\0");
  const differs = shown.get(element) !== text;
  shown.set(element, text);
  return differs;
}

/**
 * Return a text whose directions of writing end with it, for a longer one.
 * @param {string} text
 */
export function isolated(text) {
  // The end of a paragraph would end them, too.
  const line = text.replaceAll(/[\n\r\u0085\u2029]/g, " ");
  return `\u2068${line.replaceAll(/[\u2066-\u2069]/g, "")}\u2069`;
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/**
 * Return the beginning of a text, with no character cut in two.
 * @param {string} text
 * @param {number} count the number of characters, as people count them
 */
export function shortened(text, count) {
  let left = count;
  for (const { index } of graphemes.segment(text)) {
    if (left === 0) {
      return text.slice(0, index);
    }
    left -= 1;
  }
  return text;
}

/** @param {Element} element @param {string} text */
export function setText(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

/** @param {DragEvent} event */
export function hasFiles({ dataTransfer }) {
  return dataTransfer?.types.includes("Files") ?? false;
}

/**
 * Return whether a key belongs to the input of a word by several keys. The key that
 * ends it comes after the end in some browsers, and has the number 229 there.
 * @param {KeyboardEvent} event
 */
export function isComposing(event) {
  return event.isComposing || event.keyCode === 229;
}
