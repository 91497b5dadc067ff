// @ts-check
// Drafts, and own messages that are not delivered, or perhaps not: they outlive a reload
// of the tab and a new session, whose ids are others.

import { Refused } from "../server.js";
import { CaptchaWanted } from "./people.js";

/** @typedef {import("./conversations.js").Conversation} Conversation */
/** @typedef {import("./conversations.js").Draft} Draft */
/** @typedef {import("./conversations.js").Message} Message */

const KEY = "webqq-unsent";

/**
 * What is not sent in a conversation, which is named by what all sessions know it by.
 * @typedef {object} Entry
 * @property {import("./conversations.js").Kind} kind
 * @property {number} number of the friend, group or discussion; 0 if it is not known
 * @property {number} id in the session before, and still so if that goes on
 * @property {string} name
 * @property {Message[]} messages
 * @property {Draft | null} draft
 */

/** What one account has not sent. */
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
    /** The account that they are of. */
    this.account = 0;
    /** @type {{account: number, entries: Entry[]}} the files and pictures that a session
     *   which has ended had not sent */
    this.uploads = { account: 0, entries: [] };
  }

  /** @returns {Entry[]} */
  get entries() {
    const shown = [...this.client.conversations.all.values()].map((conversation) => ({
      kind: conversation.kind,
      number: conversation.number,
      id: conversation.id,
      name: this.client.nameOf(conversation),
      messages: conversation.messages.filter(({ state }) => state !== "sent"),
      draft: conversation.draft,
    }));
    return [...this.waiting, ...shown].filter(isFilled);
  }

  /** Whether messages are not delivered, or perhaps not. */
  get hasMessages() {
    return this.entries.some(({ messages }) => messages.length > 0);
  }

  /** Whether something is on its way to the server. */
  get isUnderWay() {
    return this.entries.some(({ messages }) =>
      messages.some(({ state }) => state === "sending"),
    );
  }

  /** Have what is not sent outlive a reload. */
  keep() {
    const { account } = this;
    if (account === 0) {
      return;
    }
    const entries = this.entries
      .map((entry) => ({
        ...entry,
        // A reload forgets the files.
        messages: entry.messages.filter(({ upload }) => upload === undefined),
      }))
      .filter(isFilled);
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

  /** Have files and pictures that are not sent wait for the next session in this page. */
  keepUploads() {
    const { account } = this;
    const entries = this.entries
      .map((entry) => ({ ...entry, draft: null, messages: entry.messages.flatMap(stopped) }))
      .filter(isFilled);
    this.uploads = { account, entries };
  }

  /**
   * Forget what is not sent, since the session has ended.
   * @param {boolean} isLeft whether the account does not come back in this tab
   */
  forget(isLeft) {
    this.waiting = [];
    this.account = 0;
    if (isLeft) {
      this.uploads.entries = [];
      this.storage.removeItem(KEY);
    }
  }

  /** Take what is not sent out of conversations whose ids are no more. */
  take() {
    this.account = this.client.session.number;
    const { entries, uploads } = this;
    const kept = uploads.account === this.account ? uploads.entries : [];
    this.uploads = { account: 0, entries: [] };
    this.waiting = entries.length > 0 ? entries : [...this.stored(), ...kept];
  }

  /** @returns {Entry[]} those of before a reload */
  stored() {
    try {
      const { account, entries } = JSON.parse(this.storage.getItem(KEY) ?? "{}");
      return account === this.account ? entries : [];
    } catch {
      return [];
    }
  }

  /** Put all into their conversations, except messages that have arrived. */
  async restore() {
    const { roster, view } = this.client;
    await Promise.all(this.waiting.map((entry) => this.settle(entry)));
    for (const entry of this.waiting) {
      const conversation = isFilled(entry) ? await this.find(entry) : null;
      if (this.client.roster !== roster) {
        // The account has signed off meanwhile.
        return;
      }
      this.waiting = this.waiting.filter((each) => each !== entry);
      if (conversation === null) {
        if (isFilled(entry)) {
          view.unsentLost(entry);
        }
        continue;
      }
      conversation.number = entry.number;
      conversation.draft ??= entry.draft;
      for (const message of entry.messages) {
        if (!conversation.hasArrived(message)) {
          conversation.add(message);
        }
      }
      view.conversationChanged(conversation);
    }
    this.keep();
  }

  /**
   * Send the messages in doubt again, since the connection is back, of which the server
   * tells that they have not arrived.
   */
  async sendAgain() {
    const { conversations, roster, sending, view } = this.client;
    for (const conversation of [...conversations.all.values()]) {
      for (const message of conversation.messages.filter(isInDoubt)) {
        await this.hasArrived(message);
        if (this.client.roster !== roster) {
          // The account has signed off meanwhile.
          return;
        }
        if (!conversation.messages.includes(message)) {
          continue;
        }
        if (message.state === "failed") {
          await sending.retry(conversation, message);
        } else if (message.state === "sent") {
          conversation.sent(message, message);
          view.conversationChanged(conversation);
        }
      }
    }
    this.keep();
  }

  /**
   * Leave the messages that have not arrived in an entry; the history has the others.
   * @param {Entry} entry
   */
  async settle(entry) {
    const arrived = await Promise.all(entry.messages.map((each) => this.hasArrived(each)));
    entry.messages = entry.messages.filter((_, place) => !arrived[place]);
  }

  /**
   * Ask whether a message has arrived (docs/protocol.md 2.2.11).
   * @param {Message} message
   * @returns {Promise<boolean>}
   */
  async hasArrived(message) {
    if (message.state === "sent" || message.state === "failed") {
      return message.state === "sent";
    }
    message.state = "unknown";
    const { clientid, psessionid } = this.client.session;
    const fields = { send_id: message.sendId ?? "", clientid, psessionid };
    try {
      const told = await this.client.server.ask("channel/get_sent2", fields);
      const { msg_id2: id, time } = told;
      // No request of the session before is on its way any more, and one of this session
      // has the same id when it is sent again.
      message.state = id === undefined ? "failed" : "sent";
      message.id = Number(id) || 0;
      message.time = Number(time) || message.time;
    } catch (error) {
      // A server without a database does not know.
      if (!(error instanceof Refused)) {
        throw error;
      }
    }
    return message.state === "sent";
  }

  /**
   * Find a conversation in this session.
   * @param {Pick<Entry, "kind" | "number" | "id">} entry
   * @returns {Promise<Conversation | null>}
   */
  async find(entry) {
    const { kind, number, id } = entry;
    const { conversations, people, roster } = this.client;
    if (number === 0) {
      return null;
    }
    const found = [...conversations.all.values()].find(
      (each) => each.kind === kind && each.number === number,
    );
    if (found !== undefined) {
      return found;
    }
    try {
      // Not by a search where that is not needed: many need captchas.
      if (await this.isStill(entry)) {
        return conversations.get(kind, id);
      }
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

  /**
   * Return whether a friend or group has the id of before.
   * @param {Pick<Entry, "kind" | "number" | "id">} entry
   */
  async isStill({ kind, number, id }) {
    const { people, roster } = this.client;
    const code = roster.groups.get(id)?.code;
    if (kind === "group" && code !== undefined) {
      return (await people.numberOf(code, 4)) === number;
    }
    const isFriend = kind === "friend" && roster.friends.has(id);
    return isFriend && (await people.numberOf(id)) === number;
  }
}

/** @param {Entry} entry */
function isFilled({ draft, messages }) {
  return draft !== null || messages.length > 0;
}

/**
 * End the upload of a message, and return the message as it is to be sent again.
 * @param {Message} message
 * @returns {Message[]} none for a message without a file
 */
function stopped(message) {
  const { upload } = message;
  if (upload === undefined) {
    return [];
  }
  upload.cancelling.abort();
  const again = { ...upload, progress: 0, path: "", cancelling: new AbortController() };
  return [{ ...message, upload: again }];
}

/** @param {Message} message */
export function isInDoubt({ state }) {
  return state === "unknown";
}
