// @ts-check
// Links in messages.

import { make } from "../../dom.js";
import { linked } from "../../links.js";

/**
 * Return a link, which opens a tab of its own that knows nothing of this one.
 * @param {{url: string, text: string}} link
 */
export function makeLink({ url, text }) {
  return make("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, text);
}

/**
 * Return a text in which addresses are links.
 * @param {string} text
 */
export function withLinks(text) {
  const nodes = document.createDocumentFragment();
  for (const part of linked(text)) {
    if (part.type === "text") {
      nodes.append(part.text);
    } else {
      const link = makeLink(part);
      // The direction of the text around it must not show another address.
      link.dir = "ltr";
      nodes.append(link);
    }
  }
  return nodes;
}
