// @ts-check
// Files and pictures on their way from and to the server, and the notes about them.

import { make } from "../dom.js";
import { word } from "../words.js";
import { reasonOf } from "./dialogs/dialogs.js";

/** @typedef {import("../account/conversations.js").Conversation} Conversation */

/** The transfers that the open conversation tells of. */
export class Transfers {
  /**
   * @param {import("../account/client.js").Client} client
   * @param {(conversation: Conversation, text: string) => void} tell shows a note, if
   *   the conversation is still open
   * @param {(conversation: Conversation) => void} sent a picture is in the conversation
   */
  constructor(client, tell, sent) {
    this.client = client;
    this.tell = tell;
    this.sent = sent;
  }

  /**
   * @param {Conversation} conversation
   * @param {import("../account/files.js").FileSegment} file
   */
  async download(conversation, file) {
    const { name } = file;
    try {
      const blob = await this.client.files.fetch(conversation, file, (part) =>
        this.tell(conversation, word("fetchingFile", { name, percent: percent(part) })),
      );
      const url = URL.createObjectURL(blob);
      make("a", { href: url, download: name }).click();
      // The browser has begun to save it by then.
      setTimeout(() => URL.revokeObjectURL(url), 60000);
      this.tell(conversation, "");
    } catch (error) {
      const reason = reasonOf(error);
      this.tell(conversation, word("fileFailed", { name, reason }));
    }
  }

  /**
   * @param {Conversation} conversation
   * @param {string} name
   * @param {number} offer
   */
  async refuse(conversation, name, offer) {
    try {
      await this.client.files.refuse(conversation, offer);
    } catch (error) {
      const reason = reasonOf(error);
      this.tell(conversation, word("fileFailed", { name, reason }));
    }
  }

  /** @param {Conversation} conversation @param {File[]} files */
  sendFiles(conversation, files) {
    this.send(conversation, files, false);
  }

  /** @param {Conversation} conversation @param {File[]} files */
  sendPictures(conversation, files) {
    const pictures = files.filter(({ type }) => type.startsWith("image/"));
    this.send(conversation, pictures, true);
    const reason = word("notPicture");
    for (const { name } of files.filter((file) => !pictures.includes(file))) {
      this.tell(conversation, word("fileFailed", { name, reason }));
    }
  }

  /**
   * @param {Conversation} conversation
   * @param {File[]} files
   * @param {boolean} arePictures
   */
  send(conversation, files, arePictures) {
    if (files.length > 0) {
      void this.client.sending.sendFiles(conversation, files, arePictures);
      this.sent(conversation);
    }
  }
}

/** @param {number} part */
export function percent(part) {
  return Math.floor(part * 100);
}
