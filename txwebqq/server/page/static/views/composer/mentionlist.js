// @ts-check
// The members to choose from while a mention is written: `@` and the begin of a name.

import { make, setText } from "../../dom.js";
import { word } from "../../words.js";

/** @typedef {import("../../account/roster.js").Member} Member */

/** The members that are shown at most. */
const SHOWN = 20;

/** The longest part of a name that is looked for, in UTF-16 units. */
const LONGEST = 32;

/**
 * @typedef {object} Choice
 * @property {number} uin
 * @property {string} name that all members see
 * @property {string} more the other names, or ""
 */

/** The list, which belongs to a text field that keeps the focus. */
export class MentionList {
  /**
   * @param {import("../../account/client.js").Client} client
   * @param {HTMLTextAreaElement} field
   * @param {(choice: Choice, start: number) => void} choose puts a mention in the place
   *   of what is between a position of the field and its cursor
   */
  constructor(client, field, choose) {
    this.client = client;
    this.field = field;
    this.choose = choose;
    /** @type {Choice[]} */
    this.choices = [];
    this.active = 0;
    /** Where the `@` is. */
    this.start = -1;
    /** Where the `@` is whose list was closed, and stays closed. */
    this.closedAt = -1;
    /** Whether a mention was begun before the members were known. */
    this.isWaiting = false;
    this.list = make("ul", {
      id: "mentions",
      role: "listbox",
      class: "mentions",
      hidden: true,
      "aria-label": word("members"),
    });
    this.status = make("p", { class: "unseen", "aria-live": "polite" });
    field.addEventListener("blur", () => this.close());
    field.addEventListener("click", () => this.close());
  }

  /**
   * Show the members that fit what is before the cursor, or nothing.
   * @param {import("../../account/conversations.js").Conversation | null} conversation
   */
  update(conversation) {
    const { client, field } = this;
    const members = conversation === null ? null : client.membersOf(conversation);
    const found = queryBefore(field.value, field.selectionStart);
    if (found === null) {
      this.closedAt = -1;
    }
    if (found === null || members === null || found.start === this.closedAt) {
      this.hide();
      this.isWaiting = found !== null && members === null;
      return;
    }
    const others = new Map(members);
    others.delete(client.session.number);
    this.choices = matching(others, client.roster, found.query);
    this.start = found.start;
    this.draw();
  }

  draw() {
    this.list.replaceChildren(
      ...this.choices.map((choice, place) => {
        const name = make("span", { dir: "auto" }, choice.name);
        const option = make("li", {
          id: `mention-${place}`,
          role: "option",
          // The field keeps the focus.
          mousedown: (event) => event.preventDefault(),
          click: () => this.take(place),
        }, name);
        if (choice.more !== "") {
          option.append(" ", make("span", { class: "other-names", dir: "auto" }, choice.more));
        }
        return option;
      }),
    );
    if (this.choices.length === 0) {
      this.hide();
      return;
    }
    this.list.hidden = false;
    const { field } = this;
    field.setAttribute("role", "combobox");
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-haspopup", "listbox");
    field.setAttribute("aria-expanded", "true");
    field.setAttribute("aria-controls", this.list.id);
    this.move(0);
    setText(this.status, word("mentionsFound", { count: this.choices.length }));
  }

  /** @param {number} place of the choice that Enter takes */
  move(place) {
    const count = this.choices.length;
    this.active = (place + count) % count;
    for (const [index, option] of [...this.list.children].entries()) {
      option.setAttribute("aria-selected", String(index === this.active));
    }
    const option = this.list.children[this.active];
    this.field.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  /**
   * Return whether a key was for the list.
   * @param {KeyboardEvent} event
   */
  keyPressed(event) {
    if (this.list.hidden) {
      return false;
    }
    switch (event.shiftKey ? "" : event.key) {
      case "ArrowDown":
        this.move(this.active + 1);
        return true;
      case "ArrowUp":
        this.move(this.active - 1);
        return true;
      case "Enter":
      case "Tab":
        this.take(this.active);
        return true;
      case "Escape":
        this.close();
        return true;
      case "ArrowLeft":
      case "ArrowRight":
      case "Home":
      case "End":
        this.close();
        return false;
      default:
        return false;
    }
  }

  /** @param {number} place */
  take(place) {
    const { choices, start } = this;
    this.close();
    this.choose(choices[place], start);
  }

  /** Close the list until another mention is begun. */
  close() {
    if (!this.list.hidden) {
      this.closedAt = this.start;
    }
    this.hide();
  }

  hide() {
    this.isWaiting = false;
    this.list.hidden = true;
    setText(this.status, "");
    for (const name of [
      "role",
      "aria-autocomplete",
      "aria-haspopup",
      "aria-expanded",
      "aria-controls",
      "aria-activedescendant",
    ]) {
      this.field.removeAttribute(name);
    }
  }
}

/**
 * Return the begin of a name that is written before the cursor, and where its `@` is;
 * null if there is none. An e-mail address is none.
 * @param {string} text
 * @param {number} cursor
 */
export function queryBefore(text, cursor) {
  const start = text.lastIndexOf("@", cursor - 1);
  if (cursor === 0 || start < 0 || /\w/.test(text.charAt(start - 1))) {
    return null;
  }
  const query = text.slice(start + 1, cursor);
  const isName = query.length <= LONGEST && !/^\s|\s$|\n/.test(query);
  return isName ? { start, query } : null;
}

/**
 * Return the members one of whose names has a text in it, at first those of whom one
 * begins with it. With a space in it, it has to be the begin: the text may go on.
 * @param {Map<number, Member>} members
 * @param {import("../../account/roster.js").Roster} roster
 * @param {string} query
 * @returns {Choice[]}
 */
export function matching(members, roster, query) {
  const wanted = query.toLocaleLowerCase();
  /** @type {Choice[]} */
  const begins = [];
  /** @type {Choice[]} */
  const contains = [];
  for (const { uin, card, nick } of members.values()) {
    const markname = roster.friends.get(uin)?.markname ?? "";
    const names = [card, nick, markname].filter((name) => name !== "");
    const lower = names.map((name) => name.toLocaleLowerCase());
    const found = lower.some((name) => name.startsWith(wanted))
      ? begins
      : !wanted.includes(" ") && lower.some((name) => name.includes(wanted))
        ? contains
        : null;
    if (found !== null && found.length < SHOWN) {
      const name = roster.publicNameOf(uin, members);
      const more = [...new Set(names)].filter((each) => each !== name).join(", ");
      found.push({ uin, name, more });
    }
  }
  return [...begins, ...contains].slice(0, SHOWN);
}
