// @ts-check
// The stored history of conversations, and how far the account has read it
// (docs/protocol.md 2.2.12).

import { Refused } from "../server.js";
import { DEFAULT_FONT, readContent } from "../wire.js";
import { readFile } from "./files.js";

/** @typedef {import("./conversations.js").Conversation} Conversation */
/** @typedef {import("./conversations.js").Message} Message */

const PAGE_SIZE = 30;
/** The number of missed messages that are fetched at a time. */
const MISSED = 100;

/** The histories of one account's conversations. */
export class History {
  /** @param {import("./client.js").Client} client */
  constructor(client) {
    this.client = client;
  }

  /**
   * Fetch what an opened conversation shows, and mark it as read.
   * @param {Conversation} conversation
   */
  async open(conversation) {
    conversation.unread = 0;
    void this.fetchNumber(conversation);
    if (conversation.kind !== "friend" && this.client.membersOf(conversation) === null) {
      void this.client.lists.fetchMembers(conversation).catch(() => {});
    }
    if (!conversation.isLoaded) {
      conversation.isLoaded = true;
      try {
        await this.loadNewest(conversation);
      } catch (error) {
        conversation.isLoaded = false;
        throw error;
      }
    }
    this.markRead(conversation);
  }

  /**
   * Fetch the number of a conversation, by which the next session finds it.
   * @param {Conversation} conversation
   */
  async fetchNumber(conversation) {
    const { lastOpen, people, roster, unsent } = this.client;
    const { id, kind, number } = conversation;
    if (number === 0) {
      const code = roster.groups.get(id)?.code ?? 0;
      const asking = kind === "group" ? people.numberOf(code, 4) : people.numberOf(id);
      conversation.number = await asking.catch(() => 0);
      unsent.keep();
      lastOpen.keep();
    }
  }

  /** @param {Conversation} conversation */
  async loadNewest(conversation) {
    const { messages, more } = await this.fetch(conversation, { count: PAGE_SIZE });
    conversation.hasOlder = more;
    if (more) {
      // Nobody knows how many messages are between those of polls and these.
      conversation.forgetBefore(messages[0]);
    }
    conversation.addHistory(messages);
    this.client.view.conversationChanged(conversation);
  }

  /** @param {Conversation} conversation */
  async loadOlder(conversation) {
    const before = conversation.oldestStored;
    if (!conversation.hasOlder || before === 0) {
      return;
    }
    const bounds = { before, count: PAGE_SIZE };
    const { messages, more } = await this.fetch(conversation, bounds);
    conversation.hasOlder = more;
    conversation.addHistory(messages);
    this.client.view.conversationChanged(conversation);
  }

  /**
   * Fetch what came since a message.
   * @param {Conversation} conversation
   * @param {number} after the id of the newest message before the connection was lost
   */
  async loadMissed(conversation, after) {
    try {
      for (let last = after; last !== 0; ) {
        const bounds = { after: last, count: MISSED };
        const { messages, more } = await this.fetch(conversation, bounds);
        conversation.addHistory(messages, true);
        last = more ? messages.at(-1).id : 0;
      }
    } catch (error) {
      if (!(error instanceof Refused)) {
        throw error;
      }
      // The message is gone, so nobody knows how many came after it.
      after = 0;
    }
    if (after === 0) {
      await this.loadNewest(conversation);
    } else {
      this.client.view.conversationChanged(conversation);
    }
  }

  /**
   * @param {Conversation} conversation
   * @param {{after?: number, before?: number, count: number}} bounds
   */
  async fetch(conversation, bounds) {
    const { clientid, psessionid } = this.client.session;
    const fields = {
      ...this.client.addressOf(conversation),
      after: 0,
      before: 0,
      ...bounds,
      clientid,
      psessionid,
    };
    const reply = await this.client.server.ask("channel/get_history2", fields);
    const { messages, more, files = [] } = reply;
    // The numbers of both are of one series; those of others are not compared.
    const values = files.length === 0 ? messages : [...messages, ...files].sort(bySequence);
    return {
      messages: values.map((/** @type {any} */ value) => this.read(value)),
      more: more === 1,
    };
  }

  /**
   * Return a message or a file of the history.
   * @param {any} value
   * @returns {Message}
   */
  read(value) {
    const content =
      value.content === undefined ? contentOf(value) : readContent(value.content);
    return {
      id: Number(value.msg_id2) || 0,
      sender: value.from_uin,
      isMine: value.from_uin === this.client.session.number,
      time: Number(value.time),
      ...content,
      state: "sent",
      msgId: Number(value.msg_id) || 0,
      reactions: readReactions(value.reactions),
    };
  }

  /**
   * Mark a conversation whose messages are seen as read.
   * @param {Conversation} conversation
   */
  markRead(conversation) {
    conversation.unread = 0;
    const id = conversation.newestStored;
    if (id === 0 || id === conversation.readTo || conversation.isMarking) {
      return;
    }
    conversation.isMarking = true;
    void this.tellRead(conversation, id).then((isTold) => {
      conversation.isMarking = false;
      if (isTold && conversation.unread === 0) {
        this.markRead(conversation);
      }
    });
  }

  /**
   * @param {Conversation} conversation
   * @param {number} id
   * @returns {Promise<boolean>} whether the server has answered
   */
  async tellRead(conversation, id) {
    const { clientid, psessionid } = this.client.session;
    const values = {
      ...this.client.addressOf(conversation),
      msg_id2: id,
      clientid,
      psessionid,
    };
    try {
      await this.client.server.askJSON("channel/set_read2", values);
    } catch (error) {
      // Only a message that was recalled meanwhile, or a server without a history.
      if (!(error instanceof Refused && error.code === 100001)) {
        return false;
      }
    }
    conversation.readTo = id;
    return true;
  }
}

/**
 * @param {{seq: number}} a
 * @param {{seq: number}} b
 */
function bySequence(a, b) {
  return a.seq - b.seq;
}

/**
 * Return the content of a message that is a file.
 * @param {any} value
 */
function contentOf(value) {
  const file = readFile(value);
  const segments = [file.key === "" ? { ...file, isGone: true } : file];
  return { font: DEFAULT_FONT, segments };
}

/**
 * Read the reactions to a message.
 * @param {{face: string | number, uins: number[]}[] | undefined} reactions
 * @returns {Map<string, Set<number>> | undefined}
 */
function readReactions(reactions) {
  return reactions && new Map(reactions.map(({ face, uins }) => [String(face), new Set(uins)]));
}
