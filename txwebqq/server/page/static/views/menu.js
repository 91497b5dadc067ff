// @ts-check
// Menus. One of them is open at a time; Escape and a click elsewhere close it.

import { make } from "../dom.js";

/**
 * What can be chosen in a menu, and what it does.
 * @typedef {[string, () => void]} Entry
 */

/** @type {HTMLDetailsElement | null} */
let opened = null;

document.addEventListener("pointerdown", ({ target }) => {
  if (opened !== null && !opened.contains(/** @type {Node} */ (target))) {
    opened.open = false;
  }
});

/**
 * Return a menu, with the button that opens it.
 * @param {string} kind its class
 * @param {string} label of the button
 * @param {() => Entry[]} entries returns the entries when it is opened
 */
export function makeMenu(kind, label, entries) {
  const summary = make("summary", {}, label);
  const menu = make("div", { class: "menu" });
  const toggled = () => {
    if (!details.open) {
      if (opened === details) {
        opened = null;
      }
      return;
    }
    if (opened !== null && opened !== details) {
      opened.open = false;
    }
    opened = details;
    menu.replaceChildren(
      ...entries().map(([text, act]) => {
        const click = () => {
          // What is opened gives the focus back to what is not hidden.
          summary.focus();
          details.open = false;
          act();
        };
        return make("button", { type: "button", click }, text);
      }),
    );
    place(menu, summary);
  };
  const keyPressed = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape" && details.open) {
      event.preventDefault();
      details.open = false;
      summary.focus();
    }
  };
  const details = make(
    "details",
    { class: kind, toggle: toggled, keydown: keyPressed },
    summary,
    menu,
  );
  return details;
}

/**
 * Show a menu on the side of its button where there is room.
 * @param {HTMLElement} menu
 * @param {HTMLElement} button
 */
function place(menu, button) {
  menu.removeAttribute("data-is-up");
  menu.removeAttribute("data-is-ahead");
  const scroll = menu.closest(".scroll") ?? document.documentElement;
  const room = scroll.getBoundingClientRect();
  const own = menu.getBoundingClientRect();
  const at = button.getBoundingClientRect();
  const above = at.top - room.top;
  menu.toggleAttribute("data-is-up", own.bottom > room.bottom && above > own.height);
  menu.toggleAttribute("data-is-ahead", own.left < room.left);
  menu.scrollIntoView({ block: "nearest", inline: "nearest" });
}
