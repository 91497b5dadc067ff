// @ts-check
// The open conversation: its head, its messages, its members, and the field to write in.

import { hasFiles, isComposing, make, setText } from "../dom.js";
import { countText, word } from "../words.js";
import { Composer } from "./composer/composer.js";
import { GroupDialogs } from "./dialogs/groupdialogs.js";
import { MembersView } from "./lists/members.js";
import { makeMenu } from "./menu.js";
import { MessageActions } from "./message/actions.js";
import { MessagesView } from "./message/messages.js";
import { MessageState, isUnderWay } from "./message/state.js";
import { Transfers } from "./transfers.js";

/** @typedef {import("../account/conversations.js").Conversation} Conversation */

/** The distance from the end, in pixels, within which new messages are scrolled to. */
const NEAR = 80;

/** The open conversation. */
export class ConversationView {
  /**
   * @param {import("../account/client.js").Client} client
   * @param {import("./dialogs/dialogs.js").Dialogs} dialogs
   * @param {() => void} close
   * @param {() => void} seen the newest messages have come into sight
   */
  constructor(client, dialogs, close, seen) {
    this.client = client;
    this.dialogs = dialogs;
    this.seen = seen;
    /** @type {Conversation | null} */
    this.conversation = null;
    /** Whether the end is in sight, and stays there when something is added. */
    this.isAtEnd = true;
    this.scrolledTo = 0;
    this.typingTimer = 0;
    const transfers = new Transfers(
      client,
      (conversation, text) => this.composer.tell(conversation, text),
      (conversation) => this.sent(conversation),
    );
    this.composer = new Composer(client, transfers, (conversation) =>
      this.sent(conversation),
    );
    const actions = new MessageActions(client, transfers, this.composer);
    const state = new MessageState(client, this.composer);
    this.messages = new MessagesView(client, transfers, actions, state);
    this.groupDialogs = new GroupDialogs(client, transfers);
    this.members = new MembersView(client);
    this.name = make("h1", { dir: "auto" });
    this.mark = make("span", { class: "mark" });
    this.note = make("p", { class: "note", "aria-live": "polite" });
    this.older = make(
      "button",
      { type: "button", class: "older", click: () => void this.loadOlder() },
      word("older"),
    );
    this.scroll = make(
      "div",
      { class: "scroll", tabindex: "0", scroll: () => this.scrolled() },
      this.older,
      this.messages.element,
    );
    this.newest = make("button", {
      type: "button",
      class: "newest",
      hidden: true,
      click: () => {
        this.toEnd();
        this.composer.text.focus();
      },
    });
    // Pictures, the field to write in and the window change their sizes at any time.
    const resized = new ResizeObserver(() => {
      if (this.isAtEnd) {
        this.toEnd();
      }
    });
    resized.observe(this.scroll);
    resized.observe(this.messages.element);
    this.more = makeMenu("more", word("more"), () => this.menuEntries());
    this.body = make(
      "div",
      { class: "talk", hidden: true },
      make(
        "header",
        {},
        make(
          "button",
          { type: "button", class: "back", click: () => close() },
          word("back"),
        ),
        this.name,
        this.mark,
        this.note,
        this.more,
      ),
      make("div", { class: "middle" }, this.scroll, this.members.element, this.newest),
      this.composer.element,
    );
    this.empty = make("p", { class: "empty" }, word("choose"));
    this.element = make(
      "main",
      {
        class: "conversation",
        keydown: (event) => this.keyPressed(event),
        dragover: (event) => {
          // Texts are dropped into the field by the browser.
          if (hasFiles(event)) {
            event.preventDefault();
          }
        },
        drop: (event) => this.composer.dropped(event),
      },
      this.empty,
      this.body,
    );
  }

  /** @param {Conversation | null} conversation */
  show(conversation) {
    this.composer.show(conversation);
    clearTimeout(this.typingTimer);
    if (this.conversation !== null) {
      this.conversation.isOpen = false;
      this.conversation.forgetOldest();
    }
    this.conversation = conversation;
    if (conversation !== null) {
      conversation.isOpen = true;
    }
    this.body.hidden = conversation === null;
    this.empty.hidden = conversation !== null;
    this.messages.clear();
    setText(this.note, "");
    if (conversation === null) {
      return;
    }
    this.more.open = false;
    this.draw();
    this.toEnd();
    this.composer.text.focus();
    setText(this.note, conversation.isLoaded ? "" : word("loading"));
    this.client.history
      .open(conversation)
      .then(() => {
        if (this.conversation === conversation) {
          setText(this.note, "");
          this.draw();
          this.toEnd();
        }
      })
      .catch(() => {
        if (this.conversation === conversation) {
          setText(this.note, word("historyFailed"));
        }
      });
  }

  /** Forget what an account that has signed off has seen. */
  forget() {
    this.members.forget();
    setText(this.name, "");
  }

  /**
   * Return what one may do, which depends on the role, and that may change.
   * @returns {import("./menu.js").Entry[]}
   */
  menuEntries() {
    const { conversation, dialogs } = this;
    if (conversation === null) {
      return [];
    }
    const { id, kind } = conversation;
    const isBlocked = this.client.roster.blocked.has(id);
    /** @type {[string, () => void][]} */
    const entries =
      kind === "friend"
        ? [
            ["editFriend", () => dialogs.friend(id)],
            isBlocked
              ? ["unblock", () => dialogs.block(id, false)]
              : ["block", () => dialogs.block(id, true)],
            ["removeFriendShort", () => dialogs.removeFriend(id)],
          ]
        : this.groupDialogs.entries(conversation);
    const role = kind === "group" ? this.client.groupActions.roleIn(conversation) : "";
    if (kind === "discussion" || (kind === "group" && role !== "member")) {
      entries.push(["rename", () => dialogs.rename(conversation)]);
    }
    if (kind === "group" && role !== "member") {
      entries.push(["removeMember", () => dialogs.removeMember(conversation)]);
    }
    if (kind !== "friend") {
      const key = role === "owner" ? "dissolve" : "leave";
      entries.push([key, () => dialogs.leave(conversation)]);
    }
    return entries.map(([key, act]) => [word(key), act]);
  }

  /**
   * Escape ends the upload that was begun last.
   * @param {KeyboardEvent} event
   */
  keyPressed(event) {
    const { conversation } = this;
    if (event.key === "Escape" && !event.defaultPrevented && !isComposing(event)) {
      const message = conversation?.messages.findLast(isUnderWay);
      if (conversation !== null && message !== undefined) {
        this.client.sending.discard(conversation, message);
      }
    }
  }

  /**
   * Show the end of a conversation, if it is still open, since something was sent.
   * @param {Conversation} conversation
   */
  sent(conversation) {
    if (this.conversation === conversation) {
      this.toEnd();
    }
  }

  toEnd() {
    this.scroll.scrollTop = this.scroll.scrollHeight;
    this.scrolledTo = this.scroll.scrollTop;
    this.reached();
  }

  /** The end is in sight. */
  reached() {
    this.isAtEnd = true;
    this.newest.hidden = true;
    if (this.conversation !== null && this.conversation.unread > 0) {
      this.seen();
    }
  }

  /** @param {boolean} [isNamed] whether names may have changed */
  draw(isNamed = false) {
    const { conversation } = this;
    if (conversation === null) {
      return;
    }
    setText(this.name, this.client.nameOf(conversation));
    const { id, kind } = conversation;
    const isBlocked = kind === "friend" && this.client.roster.blocked.has(id);
    setText(this.mark, isBlocked ? word("blocked") : "");
    this.older.hidden = !conversation.hasOlder;
    this.messages.draw(conversation);
    this.members.draw(conversation, isNamed);
    this.drawTyping(conversation);
    this.composer.drawMute();
    this.composer.offerMembers();
    if (this.isAtEnd) {
      this.toEnd();
    }
    const { unread } = conversation;
    this.newest.hidden = this.isAtEnd || unread === 0;
    const key = unread === 1 ? "newMessage" : "newMessages";
    setText(this.newest, word(key, { count: countText(unread) }));
  }

  /** @param {Conversation} conversation */
  drawTyping(conversation) {
    clearTimeout(this.typingTimer);
    const name = this.client.nameOf(conversation);
    if (conversation.typingUntil > Date.now()) {
      setText(this.note, word("typing", { name }));
      const rest = conversation.typingUntil - Date.now() + 50;
      this.typingTimer = Number(setTimeout(() => this.drawTyping(conversation), rest));
    } else if (this.note.textContent === word("typing", { name })) {
      setText(this.note, "");
    }
  }

  scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroll;
    const isUp = scrollTop < this.scrolledTo;
    this.scrolledTo = scrollTop;
    if (scrollHeight - scrollTop - clientHeight < NEAR) {
      this.reached();
    } else if (isUp) {
      // What is added below moves the end as well, but nobody has left it then.
      this.isAtEnd = false;
    }
    if (scrollTop < NEAR && !this.older.hidden) {
      void this.loadOlder();
    }
  }

  async loadOlder() {
    const { conversation } = this;
    if (conversation === null || this.older.disabled) {
      return;
    }
    this.older.disabled = true;
    const { scrollHeight, scrollTop } = this.scroll;
    try {
      await this.client.history.loadOlder(conversation);
      if (this.conversation === conversation) {
        this.draw();
        this.scroll.scrollTop = scrollTop + this.scroll.scrollHeight - scrollHeight;
      }
    } catch {
      setText(this.note, word("historyFailed"));
    } finally {
      this.older.disabled = false;
    }
  }
}
