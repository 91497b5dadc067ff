// @ts-check
// The field to write in, and its buttons.

import { hasFiles, isComposing, make, setText } from "../../dom.js";
import { faceName } from "../../faces.js";
import { contentSize, plainText } from "../../wire.js";
import { language, word } from "../../words.js";
import { reasonOf } from "../dialogs/dialogs.js";
import { lineOf, shownText } from "../message/preview.js";
import { EmoticonPicker, typedSegments } from "./emoticons.js";
import { MentionList } from "./mentionlist.js";

/** @typedef {import("../../account/conversations.js").Conversation} Conversation */

const TYPING_INTERVAL = 5000;

/** The form to write a message. */
export class Composer {
  /**
   * @param {import("../../account/client.js").Client} client
   * @param {import("../transfers.js").Transfers} transfers
   * @param {(conversation: Conversation) => void} sent a message is in the conversation
   */
  constructor(client, transfers, sent) {
    this.client = client;
    this.transfers = transfers;
    this.sent = sent;
    /** @type {Conversation | null} */
    this.conversation = null;
    this.lastTyping = 0;
    this.text = make("textarea", {
      rows: "2",
      "aria-label": word("message"),
      placeholder: word("message"),
      keydown: (event) => this.keyPressed(event),
      input: () => this.typed(),
      paste: (event) => this.pasted(event),
    });
    this.mentionList = new MentionList(client, this.text, ({ uin, name }, start) => {
      this.text.setSelectionRange(start, this.text.selectionStart);
      this.mention(uin, name);
    });
    this.file = make("input", {
      type: "file",
      accept: "image/png,image/jpeg,image/gif,image/bmp,image/webp",
      hidden: true,
      change: () => this.fileChosen(),
    });
    this.anyFile = make("input", {
      type: "file",
      hidden: true,
      change: () => this.anyFileChosen(),
    });
    this.fileButton = make(
      "button",
      { type: "button", click: () => this.anyFile.click() },
      word("addFile"),
    );
    this.emoticons = new EmoticonPicker((text) => this.insert(text));
    this.shakeButton = make(
      "button",
      { type: "button", click: () => void this.shake() },
      word("shake"),
    );
    this.note = make("p", { class: "told", role: "status" });
    this.muteNote = make("p", { class: "muted", role: "status", hidden: true });
    this.fields = make("fieldset", {});
    /** @type {import("../../account/conversations.js").Message | null} */
    this.replied = null;
    this.replyName = make("span");
    this.replyText = make("q", { class: "quoted" });
    this.replyBar = make(
      "div",
      { class: "replying", hidden: true },
      this.replyName,
      " ",
      this.replyText,
      " ",
      make(
        "button",
        { type: "button", click: () => this.replyTo(null) },
        word("cancelReply"),
      ),
    );
    /** @type {{name: string, number: number}[]} */
    this.mentions = [];
    /** @type {Promise<void> | null} the number of a mentioned member is asked for */
    this.lookUp = null;
    this.muteTimer = 0;
    this.element = make(
      "form",
      { class: "write", submit: (event) => this.submitted(event) },
      this.muteNote,
      this.fields,
    );
    this.fields.append(
      this.replyBar,
      this.emoticons.element,
      make(
        "div",
        { class: "tools" },
        this.emoticons.button,
        make(
          "button",
          { type: "button", click: () => this.file.click() },
          word("addPicture"),
        ),
        this.fileButton,
        this.shakeButton,
        this.file,
        this.anyFile,
      ),
      this.note,
      make(
        "div",
        { class: "line" },
        this.mentionList.list,
        this.mentionList.status,
        this.text,
        make("button", {}, word("send")),
      ),
    );
  }

  /** @param {Conversation | null} conversation */
  show(conversation) {
    this.keepDraft();
    this.conversation = conversation;
    this.drawMute();
    this.text.value = conversation?.draft?.text ?? "";
    setText(this.note, "");
    this.mentions = conversation?.draft?.mentions ?? [];
    this.mentionList.hide();
    this.replyTo(conversation?.draft?.replied ?? null);
    if (conversation !== null) {
      this.shakeButton.hidden = conversation.kind !== "friend";
      this.fileButton.hidden = conversation.kind === "discussion";
    }
  }

  /** Keep what was typed and not sent for when the conversation is open again. */
  keepDraft() {
    const { conversation, mentions, replied, text } = this;
    if (conversation !== null) {
      const isEmpty = isBlank(text.value);
      conversation.draft = isEmpty ? null : { text: text.value, mentions, replied };
    }
  }

  /** @param {Event} event */
  submitted(event) {
    event.preventDefault();
    this.sendTyped();
  }

  /** @param {KeyboardEvent} event */
  keyPressed(event) {
    // The Enter that ends the input of a Chinese word sends nothing.
    if (isComposing(event)) {
      return;
    }
    if (this.mentionList.keyPressed(event)) {
      event.preventDefault();
    } else if (event.key === "Escape" && this.emoticons.isOpen) {
      event.preventDefault();
      this.emoticons.close();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.sendTyped();
    }
  }

  sendTyped() {
    const { conversation } = this;
    const text = this.text.value;
    if (conversation === null || isBlank(text)) {
      return;
    }
    if (this.lookUp !== null) {
      void this.lookUp.then(() => {
        if (this.conversation === conversation) {
          this.sendTyped();
        }
      });
      return;
    }
    const segments = this.segments;
    if (this.isTooLong(segments)) {
      return;
    }
    this.text.value = "";
    this.mentionList.hide();
    this.emoticons.close();
    setText(this.note, "");
    this.replyTo(null);
    this.mentions = [];
    void this.client.sending.send(conversation, segments);
    this.sent(conversation);
    this.text.focus();
  }

  /** The message as it is typed. */
  get segments() {
    const segments = segmentsOf(this.text.value, this.mentions);
    if (this.replied !== null) {
      segments.unshift({ type: "reply", id: this.replied.id });
    }
    return segments;
  }

  /**
   * Return whether the server would refuse a message, and tell so.
   * @param {import("../../wire.js").Segment[]} segments
   */
  isTooLong(segments) {
    const limit = this.client.server.limits.message;
    const size = contentSize(segments);
    const isLong = size > limit;
    setText(this.note, isLong ? word("tooLong", { size, limit }) : "");
    this.note.dataset.problem = String(isLong);
    return isLong;
  }

  /**
   * Show a note, if a conversation is still open.
   * @param {Conversation} conversation
   * @param {string} text
   */
  tell(conversation, text) {
    if (this.conversation === conversation) {
      setText(this.note, text);
      this.note.dataset.problem = "false";
    }
  }

  /**
   * Return whether a message can be written again in the field.
   * @param {import("../../account/conversations.js").Message} message
   */
  mayEdit({ segments }) {
    const typed = ["text", "face", "mention", "reply"];
    return !this.fields.disabled && segments.every(({ type }) => typed.includes(type));
  }

  /**
   * Put a message into the field, before what is there.
   * @param {import("../../account/conversations.js").Message} message
   */
  edit({ segments }) {
    const nameOf = (/** @type {number} */ id) => faceName(id, language);
    const texts = [plainText(segments, nameOf, ""), this.text.value];
    this.text.value = texts.filter((each) => each !== "").join("\n");
    for (const segment of segments) {
      if (segment.type === "mention") {
        this.mentions.push({ name: segment.name, number: segment.number });
      } else if (segment.type === "reply") {
        const { messages } = this.conversation ?? { messages: [] };
        this.replyTo(messages.find(({ id }) => id === segment.id) ?? null);
      }
    }
    this.isTooLong(this.segments);
  }

  /**
   * Have the next message reply to another one, or to none.
   * @param {import("../../account/conversations.js").Message | null} message
   */
  replyTo(message) {
    this.replied = message;
    this.replyBar.hidden = message === null;
    const { conversation } = this;
    if (message !== null && conversation !== null) {
      const name = this.client.nameIn(conversation, message.sender);
      setText(this.replyName, word("replyingTo", { name }));
      setText(this.replyText, lineOf(shownText(message.segments)));
      this.text.focus();
    }
  }

  /**
   * Mention a member in the place of the selection. What is sent before the number of
   * the member is known waits for it.
   * @param {number} uin
   * @param {string} name
   */
  mention(uin, name) {
    const { conversation, mentions } = this;
    // One after another: the last one ends when all have.
    const lookUp = Promise.resolve(this.lookUp)
      .then(() => this.client.people.numberOf(uin))
      .then((number) => void mentions.push({ name, number }))
      .catch((error) => {
        if (conversation !== null) {
          this.transfers.tell(conversation, reasonOf(error));
        }
      })
      .then(() => {
        if (this.lookUp === lookUp) {
          this.lookUp = null;
        }
      });
    this.lookUp = lookUp;
    this.insert(`@${name} `);
  }

  /** Show that the account is muted, for how long, and leave it nothing to write in. */
  drawMute() {
    clearTimeout(this.muteTimer);
    const { conversation, client } = this;
    const until =
      conversation?.kind === "group"
        ? client.roster.mutedUntil(conversation.id, client.session.number)
        : 0;
    this.fields.disabled = until !== 0;
    this.muteNote.hidden = until === 0;
    if (until === Infinity) {
      setText(this.muteNote, word("allMuted"));
    } else if (until !== 0) {
      const seconds = Math.max(1, Math.ceil((until - Date.now()) / 1000));
      setText(this.muteNote, word("youAreMuted", { rest: restText(seconds) }));
      const isShort = seconds <= 60;
      const delay = isShort ? 1000 : 30_000;
      this.muteTimer = Number(setTimeout(() => this.drawMute(), delay));
    }
  }

  /** Offer the members for whom a begun mention waits, if they are known now. */
  offerMembers() {
    if (this.mentionList.isWaiting) {
      this.mentionList.update(this.conversation);
    }
  }

  typed() {
    this.mentionList.update(this.conversation);
    this.isTooLong(this.segments);
    const now = Date.now();
    if (this.conversation !== null && now - this.lastTyping > TYPING_INTERVAL) {
      this.lastTyping = now;
      void this.client.tellTyping(this.conversation);
    }
  }

  async shake() {
    const { conversation } = this;
    if (conversation !== null) {
      try {
        await this.client.shake(conversation);
        this.transfers.tell(conversation, word("shaken"));
      } catch {
        this.transfers.tell(conversation, word("unreachable"));
      }
    }
  }

  /** @param {string} text */
  insert(text) {
    const { selectionEnd, selectionStart } = this.text;
    this.text.focus();
    // Only this one can be undone by the keyboard.
    if (!document.execCommand("insertText", false, text)) {
      this.text.setRangeText(text, selectionStart, selectionEnd, "end");
    }
  }

  fileChosen() {
    const files = [...(this.file.files ?? [])];
    this.file.value = "";
    this.sendPictures(files);
  }

  anyFileChosen() {
    const files = [...(this.anyFile.files ?? [])];
    this.anyFile.value = "";
    this.sendFiles(files);
  }

  /** @param {ClipboardEvent} event */
  pasted(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length > 0) {
      event.preventDefault();
      this.sendPictures(files);
    }
  }

  /** @param {DragEvent} event */
  dropped(event) {
    if (!hasFiles(event)) {
      return;
    }
    event.preventDefault();
    const { conversation } = this;
    const items = [...(event.dataTransfer?.items ?? [])];
    if (conversation !== null && items.some(isFolder)) {
      this.transfers.tell(conversation, word("noFolders"));
      return;
    }
    const files = [...(event.dataTransfer?.files ?? [])];
    const isPicture = (/** @type {File} */ file) => file.type.startsWith("image/");
    this.sendPictures(files.filter(isPicture));
    if (conversation?.kind !== "discussion") {
      this.sendFiles(files.filter((file) => !isPicture(file)));
    }
  }

  /** @param {File[]} files */
  sendPictures(files) {
    if (this.conversation !== null && !this.fields.disabled) {
      this.transfers.sendPictures(this.conversation, files);
    }
  }

  /** @param {File[]} files */
  sendFiles(files) {
    if (this.conversation !== null && !this.fields.disabled) {
      this.transfers.sendFiles(this.conversation, files);
    }
  }
}

/**
 * Return whether nothing of a text is to be seen.
 * @param {string} text
 */
export function isBlank(text) {
  return /^[\s\p{Default_Ignorable_Code_Point}]*$/u.test(text);
}

/**
 * Return the segments of a text as it was typed, in which the names of chosen members
 * are mentions.
 * @param {string} text
 * @param {{name: string, number: number}[]} mentions
 */
export function segmentsOf(text, mentions) {
  /** @type {import("../../wire.js").Segment[]} */
  let found = [{ type: "text", text }];
  for (const { name, number } of mentions) {
    let isDone = false;
    found = found.flatMap((segment) => {
      const at = segment.type === "text" ? placeOf(name, segment.text) : -1;
      if (segment.type !== "text" || isDone || at < 0) {
        return [segment];
      }
      isDone = true;
      const rest = segment.text.slice(at + name.length + 1);
      /** @type {import("../../wire.js").Segment[]} */
      const parts = [
        { type: "text", text: segment.text.slice(0, at) },
        { type: "mention", number, name },
        { type: "text", text: rest },
      ];
      return parts.filter((each) => each.type !== "text" || each.text !== "");
    });
  }
  return found.flatMap((segment) =>
    segment.type === "text" ? typedSegments(segment.text) : [segment],
  );
}

/**
 * Return the position of a mention in a text, -1 if there is none. A longer name that
 * begins with this one is none; Chinese texts go on without a space.
 * @param {string} name
 * @param {string} text
 */
function placeOf(name, text) {
  const isWord = /\w$/.test(name);
  const found = `@${name}`;
  let at = text.indexOf(found);
  while (isWord && at >= 0 && /\w/.test(text.charAt(at + found.length))) {
    at = text.indexOf(found, at + 1);
  }
  return at;
}

/** @param {DataTransferItem} item */
function isFolder(item) {
  return item.webkitGetAsEntry()?.isDirectory ?? false;
}

/** @param {number} seconds */
function restText(seconds) {
  for (const [key, size] of /** @type {[string, number][]} */ ([
    ["days", 86_400],
    ["hours", 3600],
    ["minutes", 60],
  ])) {
    if (seconds > size) {
      return word(key, { count: Math.ceil(seconds / size) });
    }
  }
  return word("seconds", { count: seconds });
}
