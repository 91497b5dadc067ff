// @ts-check
// The messages of the open conversation.

import { isFile } from "../../account/conversations.js";
import { isOther, isolated, keyed, make, setText } from "../../dom.js";
import { faceName } from "../../faces.js";
import { language, sizeText, word } from "../../words.js";
import { timeText } from "../times.js";
import { percent } from "../transfers.js";
import { reactionsKey } from "./actions.js";
import { makeLink, withLinks } from "./links.js";
import { makePicture } from "./picture.js";
import { lineOf, shownText } from "./preview.js";
import { MessageState } from "./state.js";

/** @typedef {import("../../account/conversations.js").Conversation} Conversation */
/** @typedef {import("../../account/conversations.js").Message} Message */
/** @typedef {import("../../wire.js").Segment} Segment */

/** The list of messages. */
export class MessagesView {
  /**
   * @param {import("../../account/client.js").Client} client
   * @param {import("../transfers.js").Transfers} transfers
   * @param {import("./actions.js").MessageActions} actions
   * @param {MessageState} state
   */
  constructor(client, transfers, actions, state) {
    this.client = client;
    this.actions = actions;
    this.state = state;
    this.transfers = transfers;
    /** @type {WeakMap<Message, string>} */
    this.keys = new WeakMap();
    this.nextKey = 1;
    /** @type {WeakMap<Element, Segment[]>} what the elements of messages show */
    this.contents = new WeakMap();
    /** The day of the last drawing, since messages of other days show theirs. */
    this.today = "";
    this.element = make("div", { role: "log", class: "log" });
    this.element.setAttribute("aria-label", word("message"));
  }

  clear() {
    this.element.replaceChildren();
  }

  /** @param {Conversation} conversation */
  draw(conversation) {
    this.today = new Date().toDateString();
    keyed(
      this.element,
      conversation.messages,
      (message) => this.keyOf(message),
      (message) => this.makeMessage(conversation, message),
      (element, message) => this.drawMessage(element, conversation, message),
    );
  }

  /** @param {Message} message */
  keyOf(message) {
    let key = this.keys.get(message);
    if (key === undefined) {
      key = String(this.nextKey);
      this.nextKey += 1;
      this.keys.set(message, key);
    }
    return key;
  }

  /**
   * @param {Conversation} conversation
   * @param {Message} message
   */
  makeMessage(conversation, message) {
    const element = make(
      "article",
      { class: message.isMine ? "message mine" : "message" },
      make(
        "p",
        { class: "about" },
        make("span", { class: "sender", dir: "auto" }),
        " ",
        make("time", {
          datetime: new Date(message.time * 1000).toISOString(),
        }),
      ),
      make("div", { class: "content", dir: "auto" }),
      this.state.make(),
      make("div", { class: "reactions" }),
      this.actions.make(conversation, message),
    );
    this.drawContent(element, conversation, message);
    return element;
  }

  /**
   * @param {HTMLElement} element
   * @param {Conversation} conversation
   * @param {Message} message
   */
  drawContent(element, conversation, message) {
    const content = /** @type {HTMLElement} */ (element.querySelector(".content"));
    const { name, size, color, style } = message.font;
    // No colour is so near to the background that one cannot read it.
    if (!message.isMine) {
      content.style.fontFamily = `"${name.replaceAll(/["\\\n]/g, "")}", inherit`;
      content.style.fontSize = `${Math.min(Math.max(size / 10, 0.8), 2)}em`;
      if (color !== "000000") {
        content.style.color = `color-mix(in srgb, #${color} 40%, var(--text))`;
      }
      content.style.fontWeight = style[0] === 1 ? "bold" : "";
      content.style.fontStyle = style[1] === 1 ? "italic" : "";
      content.style.textDecoration = style[2] === 1 ? "underline" : "";
    }
    content.replaceChildren(
      ...message.segments.map((segment) =>
        this.makeSegment(conversation, message, segment),
      ),
    );
    this.contents.set(element, message.segments);
    isOther(content, this.quoteIn(conversation, message));
    element.dataset.recalled = String(message.isRecalled === true);
    if (message.isRecalled) {
      content.replaceChildren(make("em", {}, this.recallText(conversation, message)));
    }
  }

  /**
   * Return the text that stands for a recalled message, with the name of an
   * administrator who has recalled that of another member.
   * @param {Conversation} conversation
   * @param {Message} message
   */
  recallText(conversation, { recaller = 0, sender }) {
    if (recaller === 0 || recaller === sender) {
      return word("recalled");
    }
    const name = this.client.nameIn(conversation, recaller);
    return word("recalledBy", { name });
  }

  /**
   * Return the beginning of a quoted message, with its author.
   * @param {Conversation} conversation
   * @param {number} id
   */
  quoteOf(conversation, id) {
    const quoted = conversation.messages.find((each) => each.id === id);
    if (quoted === undefined) {
      return word("earlierMessage");
    }
    const text = quoted.isRecalled ? word("recalled") : lineOf(shownText(quoted.segments));
    return `${isolated(this.client.nameIn(conversation, quoted.sender))}: ${text}`;
  }

  /**
   * Return the quote in a message, "" without one.
   * @param {Conversation} conversation
   * @param {Message} message
   */
  quoteIn(conversation, { segments }) {
    const reply = segments.find(({ type }) => type === "reply");
    return reply?.type === "reply" ? this.quoteOf(conversation, reply.id) : "";
  }

  /**
   * @param {Conversation} conversation
   * @param {Message} message
   * @param {Segment} segment
   * @returns {Node}
   */
  makeSegment(conversation, message, segment) {
    switch (segment.type) {
      case "text":
        return withLinks(segment.text);
      case "face": {
        const name = faceName(segment.id, language);
        return make("span", { class: "face" }, `[${name}]`);
      }
      case "mention":
        return make("strong", {}, `@${segment.name}`);
      case "reply":
        return make("q", { class: "quoted" }, this.quoteOf(conversation, segment.id));
      case "groupPicture":
      case "friendPicture":
      case "photo":
        return makePicture(
          this.client.pictures.picture(conversation, message, segment),
        );
      case "file":
        return this.makeFile(conversation, segment);
      case "link":
        return makeLink(segment);
      default:
        return document.createTextNode("");
    }
  }

  /**
   * @param {Conversation} conversation
   * @param {import("../../account/files.js").FileSegment} file
   */
  makeFile(conversation, file) {
    const { name, size, key, isGone = false, offer } = file;
    if (offer !== undefined) {
      return this.makeOffer(conversation, file, offer);
    }
    const values = { name, size: sizeText(size) };
    const about = make("span", {}, word(isGone ? "fileGone" : "fileSize", values));
    if (key === "") {
      return about;
    }
    const click = () => void this.transfers.download(conversation, file);
    const button = make("button", { type: "button", click }, word("download"));
    return make("span", {}, about, " ", button);
  }

  /**
   * @param {Conversation} conversation
   * @param {import("../../account/files.js").FileSegment} file
   * @param {number} offer
   */
  makeOffer(conversation, file, offer) {
    const { name, end } = file;
    const about = make("span", {}, word(end ?? "offered", { name }));
    if (end !== undefined) {
      return about;
    }
    const take = () => void this.transfers.download(conversation, file);
    const refuse = () => void this.transfers.refuse(conversation, name, offer);
    return make(
      "span",
      {},
      about,
      " ",
      make("button", { type: "button", click: take }, word("download")),
      " ",
      make("button", { type: "button", click: refuse }, word("refuse")),
    );
  }

  /**
   * @param {HTMLElement} element
   * @param {Conversation} conversation
   * @param {Message} message
   */
  drawMessage(element, conversation, message) {
    const name = this.client.nameIn(conversation, message.sender);
    const { isRecalled = false, problem = "" } = message;
    const content = /** @type {HTMLElement} */ (element.querySelector(".content"));
    // What is quoted may be loaded later, and may be recalled.
    const isQuoteNew = isOther(content, this.quoteIn(conversation, message));
    const isNew = isQuoteNew || this.contents.get(element) !== message.segments;
    const part = percent(message.upload?.progress ?? 0);
    // All that is drawn below.
    const shown = [
      name,
      message.time,
      this.today,
      message.id,
      message.state,
      problem,
      part,
      isNew,
      isRecalled,
      reactionsKey(message),
    ];
    if (!isOther(element, ...shown)) {
      return;
    }
    const sender = /** @type {HTMLElement} */ (element.querySelector(".sender"));
    setText(sender, name);
    const time = /** @type {HTMLElement} */ (element.querySelector("time"));
    setText(time, timeText(message.time));
    if (isNew) {
      this.drawContent(element, conversation, message);
    }
    const menu = /** @type {HTMLElement} */ (element.querySelector(".actions-of"));
    // Files of friends cannot be quoted or recalled.
    const isOffered = conversation.kind === "friend" && isFile(message);
    menu.hidden = message.id === 0 || isRecalled || isOffered;
    this.actions.nameMenu(menu, name, message);
    const reactions = /** @type {HTMLElement} */ (element.querySelector(".reactions"));
    this.actions.drawReactions(reactions, conversation, message);
    element.dataset.state = message.state;
    const state = /** @type {HTMLElement} */ (element.querySelector(".state"));
    this.state.draw(state, conversation, message);
  }
}
