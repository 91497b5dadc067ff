// @ts-check
// The state of an own message below it, and what one does when it is not delivered.

import { isOther, make, setText } from "../../dom.js";
import { hasWord, sizeText, word } from "../../words.js";
import { limitsText } from "../dialogs/dialogs.js";
import { percent } from "../transfers.js";

/** @typedef {import("../../account/conversations.js").Conversation} Conversation */
/** @typedef {import("../../account/conversations.js").Message} Message */

/** The failures that sending the same again does not mend. */
const FINAL = ["123", "largeFile"];

/** Those of a picture, which may be sent as a file. */
const UNSUITABLE = ["largePicture", "animation", "pixels", "unreadable", "picture1"];

/** The states of messages. */
export class MessageState {
  /**
   * @param {import("../../account/client.js").Client} client
   * @param {import("../composer/composer.js").Composer} composer takes what is edited
   */
  constructor(client, composer) {
    this.client = client;
    this.composer = composer;
  }

  make() {
    return make("p", { class: "state" }, make("span"), make("bdi"));
  }

  /**
   * @param {Element} element
   * @param {Conversation} conversation
   * @param {Message} message
   */
  draw(element, conversation, message) {
    const { problem = "", shrunk, state, upload } = message;
    const [text, buttons] = element.children;
    const told = shrunk === undefined ? "" : shrunkText(shrunk);
    setText(text, state === "sent" ? told : this.textOf(message));
    const isUploading = isUnderWay(message);
    // An upload that goes on leaves its button as it is, so that a click arrives.
    if (!isOther(buttons, state, problem, isUploading)) {
      return;
    }
    buttons.replaceChildren();
    const add = (/** @type {string} */ key, /** @type {() => void} */ click) =>
      buttons.append(" ", make("button", { type: "button", click }, word(key)));
    const discard = () => {
      this.client.sending.discard(conversation, message);
      this.composer.text.focus();
    };
    if (isUploading) {
      add("cancel", discard);
    } else if (state === "failed" || state === "unknown") {
      if (UNSUITABLE.includes(problem)) {
        if (upload !== undefined && conversation.kind !== "discussion") {
          add("sendAsFile", () => {
            discard();
            void this.client.sending.sendFiles(conversation, [upload.file], false);
          });
        }
      } else if (!FINAL.includes(problem)) {
        add("retry", () => void this.client.sending.retry(conversation, message));
      }
      if (state === "failed" && this.composer.mayEdit(message)) {
        add("edit", () => {
          this.composer.edit(message);
          discard();
        });
      }
      add("discard", discard);
    }
  }

  /** @param {Message} message */
  textOf({ problem, reason, state, upload }) {
    if (state === "sending" && upload !== undefined) {
      return word("sendingPart", { percent: percent(upload.progress) });
    }
    const key = `code${problem}`;
    const { limits } = this.client.server;
    const isPicture = UNSUITABLE.includes(problem ?? "");
    const size = isPicture ? limits.picture : limits.file;
    const cause = hasWord(key) ? word(key, limitsText(size)) : (reason ?? "");
    return cause === "" ? word(state) : `${word(state)}: ${cause}`;
  }
}

/** @param {{from: number, to: number}} sizes */
function shrunkText({ from, to }) {
  return word("pictureShrunk", { from: sizeText(from), to: sizeText(to) });
}

/**
 * Return whether a file is being uploaded, or waits for that.
 * @param {Message} message
 */
export function isUnderWay({ state, upload }) {
  return state === "sending" && upload !== undefined && upload.path === "";
}
