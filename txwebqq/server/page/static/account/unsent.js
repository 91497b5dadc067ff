// @ts-check
// Own messages that are not delivered, or perhaps not: they outlive a reload of the tab
// and a new session, whose ids are others.

import { Refused } from "../server.js";
import { CaptchaWanted } from "./people.js";

/** @typedef {import("./conversations.js").Conversation} Conversation */
/** @typedef {import("./conversations.js").Message} Message */

const KEY = "webqq-unsent";

/**
 * A message, and its conversation by what all sessions know it by.
 * @typedef {object} Entry
 * @property {import("./conversations.js").Kind} kind
 * @property {number} number of the friend, group or discussion; 0 if it is not known
 * @property {string} name
 * @property {Message} message
 */

/** The messages of one account that are not delivered. */
export class Unsent {
  /**
   * @param {import("./client.js").Client} client
   * @param {Storage} storage of the tab
   */
  constructor(client, storage) {
    this.client = client;
    this.storage = storage;
    /** @type {Entry[]} those whose conversation is not found yet */
    this.waiting = [];
  }

  /** @returns {Entry[]} */
  get entries() {
    const { conversations } = this.client;
    const shown = [...conversations.all.values()].flatMap((conversation) =>
      conversation.messages
        .filter(({ state }) => state !== "sent")
        .map((message) => ({
          kind: conversation.kind,
          number: conversation.number,
          name: this.client.nameOf(conversation),
          message,
        })),
    );
    return [...this.waiting, ...shown];
  }

  /** Have the messages outlive a reload. */
  keep() {
    // A reload forgets the files.
    const entries = this.entries.filter(({ message }) => message.upload === undefined);
    const account = this.client.session.number;
    if (account === 0) {
      return;
    }
    if (entries.length === 0) {
      this.storage.removeItem(KEY);
      return;
    }
    try {
      this.storage.setItem(KEY, JSON.stringify({ account, entries }));
    } catch {
      // They are more than a tab may store.
    }
  }

  /**
   * Forget the messages, since the session has ended.
   * @param {boolean} isLeft whether the account does not come back in this tab
   */
  forget(isLeft) {
    this.waiting = [];
    if (isLeft) {
      this.storage.removeItem(KEY);
    }
  }

  /** Take the messages out of conversations whose ids are no more. */
  take() {
    const { entries } = this;
    this.waiting = entries.length > 0 ? entries : this.stored();
  }

  /** @returns {Entry[]} those of before a reload */
  stored() {
    try {
      const { account, entries } = JSON.parse(this.storage.getItem(KEY) ?? "{}");
      return account === this.client.session.number ? entries : [];
    } catch {
      return [];
    }
  }

  /** Put the messages into their conversations, except those that have arrived. */
  async restore() {
    const { roster } = this.client;
    const entries = await Promise.all(this.waiting.map((entry) => this.asked(entry)));
    if (this.client.roster !== roster) {
      return;
    }
    this.waiting = entries.filter((entry) => entry !== null);
    for (const entry of this.waiting) {
      const conversation = await this.find(entry);
      if (this.client.roster !== roster) {
        return;
      }
      this.waiting = this.waiting.filter((each) => each !== entry);
      if (conversation === null) {
        this.client.view.undeliverable(entry.name, entry.message);
      } else {
        conversation.number = entry.number;
        if (!conversation.hasArrived(entry.message)) {
          conversation.add(entry.message);
          this.client.view.conversationChanged(conversation);
        }
      }
    }
    this.keep();
  }

  /**
   * Ask whether a message has arrived (docs/protocol.md 2.2.11).
   * @param {Entry} entry
   * @returns {Promise<Entry | null>} null if it has; the history has it then
   */
  async asked(entry) {
    const { message } = entry;
    if (message.state === "sent" || message.state === "failed") {
      return message.state === "sent" ? null : entry;
    }
    message.state = "unknown";
    const { clientid, psessionid } = this.client.session;
    const fields = { send_id: message.sendId ?? "", clientid, psessionid };
    try {
      const { msg_id2: id } = await this.client.server.ask("channel/get_sent2", fields);
      if (id !== undefined) {
        return null;
      }
      // No request of the session before is on its way any more.
      message.state = "failed";
    } catch (error) {
      // A server without a database does not know.
      if (!(error instanceof Refused)) {
        throw error;
      }
    }
    return entry;
  }

  /**
   * Find the conversation of a message in this session.
   * @param {Entry} entry
   * @returns {Promise<Conversation | null>}
   */
  async find({ kind, number }) {
    const { conversations, people, roster } = this.client;
    const found = [...conversations.all.values()].find(
      (each) => each.kind === kind && each.number === number,
    );
    if (number === 0 || found !== undefined) {
      return found ?? null;
    }
    try {
      if (kind === "friend") {
        const { tuin } = await people.findPerson(number);
        return roster.friends.has(tuin) ? conversations.get(kind, tuin) : null;
      }
      if (kind === "group") {
        const groups = await people.findGroups(String(number));
        const code = groups.find((each) => each.number === number)?.code;
        const group = [...roster.groups.values()].find((each) => each.code === code);
        return group === undefined ? null : conversations.get(kind, group.gid);
      }
      return roster.discussions.has(number) ? conversations.get(kind, number) : null;
    } catch (error) {
      if (error instanceof Refused || error instanceof CaptchaWanted) {
        return null;
      }
      throw error;
    }
  }
}
