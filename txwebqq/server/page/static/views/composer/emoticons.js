// @ts-check
// Emoticons by their names: in a text as it was typed, and in a list to choose from.

import { make } from "../../dom.js";
import { NAMED, faceName } from "../../faces.js";
import { language, word } from "../../words.js";

/** @typedef {import("../../wire.js").Segment} Segment */

const FACE_NAMES = new Map(
  NAMED.flatMap(([id, zh, en]) => [
    [zh, id],
    [en.toLowerCase(), id],
  ]),
);

/**
 * Return the segments of a text as it was typed; `[微笑]` and `[Smile]` are emoticons.
 * @param {string} text
 * @returns {Segment[]}
 */
export function typedSegments(text) {
  /** @type {Segment[]} */
  const segments = [];
  let end = 0;
  for (const found of text.matchAll(/\[([^[\]]{1,16})\]/g)) {
    const id = FACE_NAMES.get(found[1]) ?? FACE_NAMES.get(found[1].toLowerCase());
    if (id !== undefined) {
      if (found.index > end) {
        segments.push({ type: "text", text: text.slice(end, found.index) });
      }
      segments.push({ type: "face", id: Number(id) });
      end = found.index + found[0].length;
    }
  }
  if (end < text.length) {
    segments.push({ type: "text", text: text.slice(end) });
  }
  return segments;
}

/** The list of emoticons, and the button that opens it. */
export class EmoticonPicker {
  /** @param {(text: string) => void} insert */
  constructor(insert) {
    this.insert = insert;
    this.element = make("div", {
      class: "faces",
      role: "group",
      hidden: true,
      keydown: (event) => this.keyPressed(event),
    });
    this.element.setAttribute("aria-label", word("addFace"));
    this.button = make(
      "button",
      {
        type: "button",
        "aria-expanded": "false",
        click: () => this.toggle(),
        keydown: (event) => this.keyPressed(event),
      },
      word("addFace"),
    );
  }

  get isOpen() {
    return !this.element.hidden;
  }

  close() {
    this.element.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
  }

  /** @param {KeyboardEvent} event */
  keyPressed(event) {
    if (event.key === "Escape" && this.isOpen) {
      event.preventDefault();
      this.button.focus();
      this.close();
    }
  }

  toggle() {
    const isShown = this.element.hidden;
    if (isShown && this.element.childElementCount === 0) {
      for (const [id] of NAMED) {
        const name = faceName(id, language);
        const add = () => {
          this.close();
          this.insert(`[${name}]`);
        };
        this.element.append(make("button", { type: "button", click: add }, name));
      }
    }
    this.element.hidden = !isShown;
    this.button.setAttribute("aria-expanded", String(isShown));
  }
}
