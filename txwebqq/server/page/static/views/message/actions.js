// @ts-check
// What one does with a message: reply, mention, react, recall.

import { isOther, make, setText } from "../../dom.js";
import { faceName } from "../../faces.js";
import { language, word } from "../../words.js";
import { reasonOf } from "../dialogs/dialogs.js";
import { makeMenu } from "../menu.js";
import { lineOf, shownText } from "./preview.js";

/** @typedef {import("../../account/conversations.js").Conversation} Conversation */
/** @typedef {import("../../account/conversations.js").Message} Message */

const EMOJI = ["👍", "❤️", "😄", "😮", "😢", "🎉"];

/** Own messages are recalled within this time (docs/protocol.md 2.9.1), in seconds. */
const RECALL_WITHIN = 120;

/** The menus of messages, and the reactions below them. */
export class MessageActions {
  /**
   * @param {import("../../account/client.js").Client} client
   * @param {import("../transfers.js").Transfers} transfers tells what failed
   * @param {import("../composer/composer.js").Composer} composer takes replies and mentions
   */
  constructor(client, transfers, composer) {
    this.client = client;
    this.transfers = transfers;
    this.composer = composer;
  }

  /**
   * Return the menu of a message, which is filled when it is opened.
   * @param {Conversation} conversation
   * @param {Message} message
   */
  make(conversation, message) {
    return makeMenu("actions-of", "⋯", () => this.entries(conversation, message));
  }

  /**
   * Name the menu of a message for those who do not see where it is.
   * @param {HTMLElement} details
   * @param {string} name of the sender
   * @param {Message} message
   */
  nameMenu(details, name, { segments }) {
    const values = { name, text: lineOf(shownText(segments)) };
    const summary = details.querySelector("summary");
    summary?.setAttribute("aria-label", word("messageActions", values));
  }

  /**
   * @param {Conversation} conversation
   * @param {Message} message
   */
  entries(conversation, message) {
    const { client, composer } = this;
    /** @type {import("../menu.js").Entry[]} */
    const entries = [];
    const add = (/** @type {string} */ text, /** @type {() => unknown} */ act) =>
      entries.push([text, () => void this.perform(conversation, act)]);
    add(word("replyTo"), () => composer.replyTo(message));
    if (conversation.kind !== "friend" && !message.isMine) {
      add(word("mention"), () => this.mention(conversation, message));
    }
    if (conversation.kind === "group") {
      for (const face of EMOJI) {
        add(`${word("react")} ${face}`, () =>
          client.groupActions.react(conversation, message, face),
        );
      }
    }
    if (this.mayRecall(conversation, message)) {
      add(word("recall"), () => client.groupActions.recall(conversation, message));
    }
    return entries;
  }

  /** @param {Conversation} conversation @param {Message} message */
  mayRecall(conversation, message) {
    if (conversation.kind === "discussion") {
      return false;
    }
    const isNew = this.client.server.now - message.time <= RECALL_WITHIN;
    const isAdmin =
      conversation.kind === "group" &&
      this.client.groupActions.roleIn(conversation) !== "member";
    return isAdmin || (message.isMine && isNew);
  }

  /** @param {Conversation} conversation @param {Message} message */
  mention(conversation, { sender }) {
    const members = this.client.membersOf(conversation);
    this.composer.mention(sender, this.client.roster.publicNameOf(sender, members));
  }

  /**
   * @param {Conversation} conversation
   * @param {() => unknown} act
   */
  async perform(conversation, act) {
    try {
      await act();
    } catch (error) {
      this.transfers.tell(conversation, reasonOf(error));
    }
  }

  /**
   * Show the reactions to a message: a button for each, which sets or removes one's own.
   * @param {HTMLElement} element
   * @param {Conversation} conversation
   * @param {Message} message
   */
  drawReactions(element, conversation, message) {
    const me = this.client.session.number;
    const members = this.client.membersOf(conversation);
    if (!isOther(element, reactionsKey(message))) {
      return;
    }
    element.replaceChildren(
      ...reactionsTo(message).map(([face, uins]) => {
        const text = /^\d+$/.test(face) ? `[${faceName(Number(face), language)}]` : face;
        const names = [...uins].map((uin) =>
          uin === me ? this.client.roster.me.nick : this.client.roster.nameOf(uin, members),
        );
        const button = make("button", {
          type: "button",
          "aria-pressed": String(uins.has(me)),
          title: names.join(", "),
          click: () =>
            void this.perform(conversation, () =>
              this.client.groupActions.react(conversation, message, face),
            ),
        });
        setText(button, `${text} ${uins.size}`);
        return button;
      }),
    );
  }
}

/**
 * Return the reactions to a message that have members.
 * @param {Message} message
 */
function reactionsTo({ reactions }) {
  return [...(reactions ?? [])].filter(([, uins]) => uins.size > 0);
}

/**
 * Return a text that differs when the reactions to a message do.
 * @param {Message} message
 */
export function reactionsKey(message) {
  return JSON.stringify(reactionsTo(message).map(([face, uins]) => [face, ...uins]));
}
