// @ts-check
// The field to write in, and its buttons.

import { make } from "../dom.js";
import { word } from "../words.js";
import { EmoticonPicker, typedSegments } from "./emoticons.js";

/** @typedef {import("../account/conversations.js").Conversation} Conversation */

const TYPING_INTERVAL = 5000;

/** The form to write a message. */
export class Composer {
  /**
   * @param {import("../account/client.js").Client} client
   * @param {import("./transfers.js").Transfers} transfers
   * @param {(conversation: Conversation) => void} sent a message is in the conversation
   */
  constructor(client, transfers, sent) {
    this.client = client;
    this.transfers = transfers;
    this.sent = sent;
    /** @type {Conversation | null} */
    this.conversation = null;
    /** @type {Map<string, string>} what was typed and not sent, by conversation */
    this.drafts = new Map();
    this.lastTyping = 0;
    this.text = make("textarea", {
      rows: "2",
      "aria-label": word("message"),
      placeholder: word("message"),
      keydown: (event) => this.keyPressed(event),
      input: () => this.typed(),
      paste: (event) => this.pasted(event),
    });
    this.file = make("input", {
      type: "file",
      accept: "image/png,image/jpeg,image/gif,image/bmp",
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
    this.element = make(
      "form",
      { class: "write", submit: (event) => this.submitted(event) },
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
      make("div", { class: "line" }, this.text, make("button", {}, word("send"))),
    );
  }

  /** @param {Conversation | null} conversation */
  show(conversation) {
    if (this.conversation !== null) {
      this.drafts.set(this.conversation.key, this.text.value);
    }
    this.conversation = conversation;
    if (conversation !== null) {
      this.text.value = this.drafts.get(conversation.key) ?? "";
      this.shakeButton.hidden = conversation.kind !== "friend";
      this.fileButton.hidden = conversation.kind === "discussion";
    }
  }

  /** Forget what an account that has signed off has typed. */
  forget() {
    this.drafts.clear();
    this.text.value = "";
  }

  /** The text that is typed and not sent in the open conversation, or "". */
  get typedText() {
    return this.conversation === null ? "" : this.text.value.trim();
  }

  /** @param {Event} event */
  submitted(event) {
    event.preventDefault();
    this.sendTyped();
  }

  /** @param {KeyboardEvent} event */
  keyPressed(event) {
    // The Enter that ends the input of a Chinese word sends nothing.
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.sendTyped();
    }
  }

  sendTyped() {
    const { conversation } = this;
    const text = this.text.value;
    if (conversation === null || text.trim() === "") {
      return;
    }
    this.text.value = "";
    void this.client.sending.send(conversation, typedSegments(text));
    this.sent(conversation);
    this.text.focus();
  }

  typed() {
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
    this.text.setRangeText(
      text,
      this.text.selectionStart,
      this.text.selectionEnd,
      "end",
    );
    this.text.focus();
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
    event.preventDefault();
    const files = [...(event.dataTransfer?.files ?? [])];
    const isPicture = (/** @type {File} */ file) => file.type.startsWith("image/");
    this.sendPictures(files.filter(isPicture));
    if (this.conversation?.kind !== "discussion") {
      this.sendFiles(files.filter((file) => !isPicture(file)));
    }
  }

  /** @param {File[]} files */
  sendPictures(files) {
    if (this.conversation !== null) {
      void this.transfers.sendPictures(this.conversation, files);
    }
  }

  /** @param {File[]} files */
  sendFiles(files) {
    if (this.conversation !== null) {
      void this.transfers.sendFiles(this.conversation, files);
    }
  }
}
