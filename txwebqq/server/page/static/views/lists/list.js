// @ts-check
// The list at the side: recent conversations, friends, groups and discussions.

import { isComposing, isOther, keyed, make, setText, shortened } from "../../dom.js";
import { countText, word } from "../../words.js";
import { previewOf } from "../message/preview.js";
import { shortTimeText } from "../times.js";
import { Growing } from "./growing.js";

/** @typedef {import("../../account/conversations.js").Kind} Kind */

/**
 * @typedef {object} Entry
 * @property {string} key
 * @property {Kind} kind
 * @property {number} id
 * @property {string} name
 * @property {string} status a word of presence, or ""
 * @property {boolean} isBlocked
 * @property {number} unread
 * @property {string} heading before the entry, or ""
 * @property {import("../../account/conversations.js").Conversation} [recent] of which the
 *   newest message is shown
 */

/** @type {readonly ["recent", "friends", "groups", "discussions"]} */
const TABS = ["recent", "friends", "groups", "discussions"];

/** The number of friends above which a search shows no more. */
const MAX_FOUND = 200;

/** @param {string} status */
export function statusWord(status) {
  return word(`status${status.charAt(0).toUpperCase()}${status.slice(1)}`);
}

const collator = new Intl.Collator();

/** The list of conversations and contacts. */
export class ListView {
  /**
   * @param {import("../../account/client.js").Client} client
   * @param {(kind: Kind, id: number) => void} open
   */
  constructor(client, open) {
    this.client = client;
    this.open = open;
    /** @type {(typeof TABS)[number]} */
    this.tab = "recent";
    this.current = "";
    this.search = make("input", {
      type: "search",
      placeholder: word("search"),
      "aria-label": word("search"),
      input: () => this.searched(),
      keydown: (event) => this.keyPressed(event),
    });
    this.tabs = make("div", { role: "tablist", class: "tabs" });
    for (const tab of TABS) {
      this.tabs.append(
        make(
          "button",
          {
            role: "tab",
            type: "button",
            id: `tab-${tab}`,
            "aria-controls": "list",
            click: () => this.choose(tab),
            keydown: (event) => this.moveTab(event, tab),
          },
          word(tab),
        ),
      );
    }
    this.list = make("ul", { class: "entries" });
    this.growing = new Growing(() => this.draw());
    /** @type {WeakMap<Element, () => void>} what to do when an entry is in sight */
    this.watched = new WeakMap();
    /** @type {WeakMap<Element, number>} the edits of the friend that an entry shows */
    this.edits = new WeakMap();
    this.observer = new IntersectionObserver((seen) => {
      for (const { isIntersecting, target } of seen) {
        if (isIntersecting) {
          this.observer.unobserve(target);
          this.watched.get(target)?.();
        }
      }
    });
    this.empty = make("p", { class: "empty" });
    this.panel = make(
      "div",
      { role: "tabpanel", id: "list", class: "panel" },
      this.list,
      this.growing.end,
      this.empty,
    );
    this.element = make(
      "nav",
      { class: "side", "aria-label": word("friends") },
      make("div", { role: "search" }, this.search),
      this.tabs,
      this.panel,
    );
    this.choose("recent");
  }

  /** @param {(typeof TABS)[number]} tab */
  choose(tab) {
    this.tab = tab;
    this.search.value = "";
    this.searched();
  }

  searched() {
    this.growing.reset();
    this.panel.scrollTop = 0;
    this.draw();
  }

  /** @param {KeyboardEvent} event @param {(typeof TABS)[number]} tab */
  moveTab(event, tab) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step !== undefined) {
      const next = TABS[(TABS.indexOf(tab) + step + TABS.length) % TABS.length];
      this.choose(next);
      document.getElementById(`tab-${next}`)?.focus();
    }
  }

  /** @param {KeyboardEvent} event */
  keyPressed(event) {
    if (event.key === "Enter" && !isComposing(event)) {
      // The conversation has the focus then, and would take it as a new line.
      event.preventDefault();
      const first = this.list.querySelector("button");
      if (first !== null) {
        first.click();
        this.search.value = "";
        this.searched();
      }
    } else if (event.key === "Escape") {
      this.search.value = "";
      this.searched();
    }
  }

  /** @returns {Entry[]} */
  entries() {
    const { roster, conversations } = this.client;
    const text = this.search.value;
    const unread = (/** @type {string} */ key) =>
      conversations.all.get(key)?.unread ?? 0;
    /** @type {(uin: number, heading?: string) => Entry} */
    const friend = (uin, heading = "") => ({
      key: `friend:${uin}`,
      kind: "friend",
      id: uin,
      name: roster.nameOf(uin),
      status: roster.friends.get(uin)?.status ?? "",
      isBlocked: roster.blocked.has(uin),
      unread: unread(`friend:${uin}`),
      heading,
    });
    if (text.trim() !== "") {
      const wanted = text.trim().toLocaleLowerCase();
      const found = roster.search(text).map(({ uin }) => friend(uin));
      return [...found, ...this.groups(), ...this.discussions()]
        .filter((each) => each.kind === "friend" || has(each.name, wanted))
        .slice(0, MAX_FOUND);
    }
    switch (this.tab) {
      case "recent":
        return conversations.recent.map((conversation) => ({
          key: conversation.key,
          kind: conversation.kind,
          id: conversation.id,
          name: this.client.nameOf(conversation),
          status:
            conversation.kind === "friend"
              ? (roster.friends.get(conversation.id)?.status ?? "")
              : "",
          isBlocked: conversation.kind === "friend" && roster.blocked.has(conversation.id),
          unread: conversation.unread,
          heading: "",
          recent: conversation,
        }));
      case "friends":
        return roster.categories.flatMap(({ index, name }) => {
          const inIt = [...roster.friends.values()]
            .filter(({ category }) => category === index)
            .map(({ uin }) => friend(uin))
            .sort(
              (a, b) =>
                Number(a.status === "offline") - Number(b.status === "offline") ||
                collator.compare(a.name, b.name),
            );
          const [first, ...rest] = inIt;
          const heading = `${name || word("myFriends")} (${inIt.length})`;
          return first === undefined ? [] : [{ ...first, heading }, ...rest];
        });
      case "groups":
        return this.groups();
      default:
        return this.discussions();
    }
  }

  /** @returns {Entry[]} */
  groups() {
    const { roster, conversations } = this.client;
    return [...roster.groups.values()].map(({ gid, name }) => ({
      key: `group:${gid}`,
      kind: "group",
      id: gid,
      name,
      status: "",
      isBlocked: false,
      unread: conversations.all.get(`group:${gid}`)?.unread ?? 0,
      heading: "",
    }));
  }

  /** @returns {Entry[]} */
  discussions() {
    const { roster, conversations } = this.client;
    return [...roster.discussions.values()].map(({ did, name }) => ({
      key: `discussion:${did}`,
      kind: "discussion",
      id: did,
      name,
      status: "",
      isBlocked: false,
      unread: conversations.all.get(`discussion:${did}`)?.unread ?? 0,
      heading: "",
    }));
  }

  draw() {
    for (const button of this.tabs.children) {
      const isChosen = button.id === `tab-${this.tab}`;
      button.setAttribute("aria-selected", String(isChosen));
      button.setAttribute("tabindex", isChosen ? "0" : "-1");
    }
    this.panel.setAttribute("aria-labelledby", `tab-${this.tab}`);
    const entries = this.entries();
    const isSearch = this.search.value.trim() !== "";
    setText(
      this.empty,
      entries.length > 0
        ? ""
        : word(isSearch || this.tab !== "recent" ? "nobody" : "noConversations"),
    );
    keyed(
      this.list,
      this.growing.part(entries),
      (entry) => entry.key,
      (entry) => this.makeEntry(entry),
      (element, entry) => this.drawEntry(element, entry),
    );
  }

  /** @param {Entry} entry */
  makeEntry({ kind, id }) {
    const button = make(
      "button",
      { type: "button", class: "entry", click: () => this.open(kind, id) },
      make("span", { class: "avatar", "aria-hidden": "true" }),
      make("span", { class: "name", dir: "auto" }),
      make("span", { class: "presence" }),
      make("time", {}),
      make("span", { class: "unread" }),
      make("span", { class: "preview", dir: "auto" }),
    );
    const element = make("li", {}, make("h2", {}), button);
    this.watch(element, kind, id);
    return element;
  }

  /**
   * Fetch the avatar when the entry is in sight.
   * @param {HTMLElement} element
   * @param {Kind} kind
   * @param {number} id
   */
  watch(element, kind, id) {
    if (kind === "discussion") {
      return;
    }
    this.watched.set(element, () => {
      const code = this.client.roster.groups.get(id)?.code ?? 0;
      this.client.pictures
        .avatar(kind === "group" ? code : id, kind === "group")
        .then((blob) => {
          const url = URL.createObjectURL(blob);
          const image = make("img", { src: url, alt: "" });
          image.addEventListener("load", () => {
            element.querySelector(".avatar")?.replaceChildren(image);
          });
          image.onload = image.onerror = () => URL.revokeObjectURL(url);
        })
        .catch(() => {});
    });
    this.observer.observe(element);
  }

  /** @param {HTMLElement} element @param {Entry} entry */
  drawEntry(element, { key, kind, id, name, status, isBlocked, unread, heading, recent }) {
    const line = recent === undefined ? "" : previewOf(this.client, recent);
    // One that has only a draft has no time.
    const seconds = recent?.time ?? 0;
    const when = seconds === 0 ? "" : shortTimeText(seconds);
    const isCurrent = key === this.current;
    const edits = kind === "friend" ? (this.client.roster.friends.get(id)?.edits ?? 0) : 0;
    if (edits !== (this.edits.get(element) ?? 0)) {
      this.edits.set(element, edits);
      this.observer.unobserve(element);
      this.watch(element, kind, id);
    }
    if (!isOther(element, name, status, isBlocked, unread, heading, isCurrent, line, when)) {
      return;
    }
    const title = /** @type {HTMLElement} */ (element.querySelector("h2"));
    setText(title, heading);
    title.hidden = heading === "";
    const button = /** @type {HTMLElement} */ (element.querySelector("button"));
    button.setAttribute("aria-current", String(isCurrent));
    button.dataset.status = isBlocked ? "blocked" : status;
    const [avatar, nameElement, presence, time, count, preview] = button.children;
    if (kind === "discussion") {
      // It has no picture.
      setText(avatar, shortened(name.trim(), 1).toUpperCase());
    }
    setText(nameElement, name);
    setText(time, when);
    setText(preview, line);
    const present = status === "" ? "" : statusWord(status);
    setText(presence, isBlocked ? word("blocked") : present);
    setText(count, unread === 0 ? "" : countText(unread));
    count.setAttribute("aria-label", unread === 0 ? "" : word("unread", { count: countText(unread) }));
  }
}

/** @param {string} name @param {string} wanted */
function has(name, wanted) {
  return name.toLocaleLowerCase().includes(wanted);
}
