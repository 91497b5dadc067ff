// @ts-check
// A part of a form to choose friends with: a search, what it finds, and who is chosen.

import { isComposing, keyed, make } from "../../dom.js";
import { word } from "../../words.js";
import { Growing } from "./growing.js";

const collator = new Intl.Collator();

/** Friends to choose from, and those who are chosen. */
export class FriendPicker {
  /**
   * @param {import("../../account/roster.js").Roster} roster
   * @param {(uin: number) => boolean} [isOffered]
   */
  constructor(roster, isOffered = () => true) {
    this.roster = roster;
    this.isOffered = isOffered;
    /** @type {Set<number>} the uins of those who are chosen, in that order */
    this.chosen = new Set();
    this.names = make("ul", { class: "chosen" });
    this.search = make("input", {
      type: "search",
      autocomplete: "off",
      input: () => this.searched(),
      keydown: (event) => this.keyPressed(event),
    });
    this.list = make("ul", { class: "found" });
    this.growing = new Growing(() => this.draw());
    this.element = make(
      "fieldset",
      { class: "picker" },
      make("legend", {}, word("friends")),
      this.names,
      make("label", {}, word("searchFriends"), this.search),
      make("div", { class: "panel" }, this.list, this.growing.end),
    );
    this.draw();
  }

  searched() {
    this.growing.reset();
    this.draw();
  }

  /** @param {KeyboardEvent} event */
  keyPressed(event) {
    if (event.key === "Enter" && !isComposing(event)) {
      // It chooses the first one, and does not send the form.
      event.preventDefault();
      const [first] = this.found;
      if (first !== undefined && this.search.value.trim() !== "") {
        this.choose(first, true);
        this.search.value = "";
        this.searched();
      }
    }
  }

  /** The uins that the search finds, by name. */
  get found() {
    const { roster } = this;
    return roster
      .search(this.search.value)
      .map(({ uin }) => ({ uin, name: roster.nameOf(uin) }))
      .filter(({ uin }) => this.isOffered(uin))
      .sort((a, b) => collator.compare(a.name, b.name))
      .map(({ uin }) => uin);
  }

  /** @param {number} uin @param {boolean} isChosen */
  choose(uin, isChosen) {
    if (isChosen) {
      this.chosen.add(uin);
    } else {
      this.chosen.delete(uin);
    }
    this.draw();
  }

  draw() {
    keyed(
      this.names,
      [...this.chosen],
      String,
      (uin) => this.makeChosen(uin),
      () => {},
    );
    keyed(
      this.list,
      this.growing.part(this.found),
      String,
      (uin) => this.makeFound(uin),
      (element, uin) => {
        const box = /** @type {HTMLInputElement} */ (element.querySelector("input"));
        box.checked = this.chosen.has(uin);
      },
    );
  }

  /** @param {number} uin */
  makeChosen(uin) {
    const name = this.roster.nameOf(uin);
    const button = make(
      "button",
      {
        type: "button",
        "aria-label": `${word("remove")}: ${name}`,
        click: () => {
          this.choose(uin, false);
          this.search.focus();
        },
      },
      make("bdi", {}, name),
      " ×",
    );
    return make("li", {}, button);
  }

  /** @param {number} uin */
  makeFound(uin) {
    const box = make("input", {
      type: "checkbox",
      change: () => this.choose(uin, box.checked),
    });
    return make("li", {}, make("label", {}, make("bdi", {}, this.roster.nameOf(uin)), box));
  }
}
