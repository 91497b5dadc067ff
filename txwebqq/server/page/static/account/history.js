// @ts-check
// The stored history of conversations.

import { faceAt } from "../faces.js";
import { Refused } from "../server.js";
import { DEFAULT_FONT, readContent, readLogItems } from "../wire.js";

/** @typedef {import("./conversations.js").Conversation} Conversation */

const PAGE_SIZE = 30;

/** The histories of one account's conversations. */
export class History {
  /** @param {import("./client.js").Client} client */
  constructor(client) {
    this.client = client;
  }

  /**
   * Fetch what an opened conversation shows.
   * @param {Conversation} conversation
   */
  async open(conversation) {
    conversation.unread = 0;
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
  }

  /** @param {Conversation} conversation */
  async loadNewest(conversation) {
    if (conversation.kind === "friend") {
      const log = await this.fetchFriendLog(conversation);
      this.takeFriendLog(conversation, log);
      if (log.page > 1 && conversation.messages.length < PAGE_SIZE) {
        await this.loadOlder(conversation);
      }
    } else {
      this.takeLog(conversation, await this.fetchLog(conversation, 0));
    }
    this.client.view.conversationChanged(conversation);
  }

  /** @param {Conversation} conversation */
  async fetchFriendLog({ id, shared }) {
    try {
      return await this.client.server.friendLog(id, 0);
    } catch (error) {
      if (error instanceof Refused && shared !== null && !this.client.roster.friends.has(id)) {
        // Only friends have a history.
        return { page: 1, chatlogs: [] };
      }
      throw error;
    }
  }

  /** @param {Conversation} conversation */
  async loadOlder(conversation) {
    if (!conversation.hasOlder || conversation.cursor < 0) {
      return;
    }
    if (conversation.kind === "friend") {
      const { id, cursor } = conversation;
      this.takeFriendLog(conversation, await this.client.server.friendLog(id, cursor));
    } else {
      const log = await this.fetchLog(conversation, conversation.cursor);
      this.takeLog(conversation, log);
    }
    this.client.view.conversationChanged(conversation);
  }

  /**
   * @param {Conversation} conversation
   * @param {any} log
   */
  takeFriendLog(conversation, log) {
    const page = Number(log.page);
    // Older pages are those with lower numbers.
    if (conversation.cursor < 0 || page - 1 < conversation.cursor) {
      conversation.cursor = page - 1;
      conversation.hasOlder = page > 1;
    }
    conversation.addHistory(
      (log.chatlogs ?? []).map((/** @type {any} */ line) => {
        const isMine = line.cmd === 16;
        return {
          id: Number(line.id) || 0,
          sender: isMine ? this.client.session.number : conversation.id,
          isMine,
          time: Number(line.time),
          segments: readContent(line.msg, false).segments,
          font: DEFAULT_FONT,
          state: "sent",
          msgId: 0,
        };
      }),
    );
  }

  /**
   * @param {Conversation} conversation
   * @param {number} last the highest running number, 0 for the newest
   */
  async fetchLog({ kind, id }, last) {
    const { vfwebqq } = this.client.server;
    const { clientid, psessionid } = this.client.session;
    const range = { ps: PAGE_SIZE, bs: 0, es: last, mode: 1 };
    try {
      if (kind === "group") {
        const code = this.client.roster.groups.get(id)?.code ?? 0;
        const fields = { ...range, gid: code, vfwebqq, clientid, psessionid };
        return await this.client.server.ask("keycgi/top/groupchatlog", fields);
      }
      const fields = { ...range, ty: 2, gid: id, vfwebqq, clientid, psessionid };
      return await this.client.server.ask("cgi/top/get_one_page", fields);
    } catch (error) {
      if (error instanceof Refused && error.code === 5555) {
        return null;
      }
      throw error;
    }
  }

  /**
   * @param {Conversation} conversation
   * @param {any} log
   */
  takeLog(conversation, log) {
    const lines = log?.data?.cl?.[0]?.cl ?? [];
    const first = Number(lines[0]?.seq) || 0;
    if (conversation.cursor < 0 || (first > 0 && first - 1 < conversation.cursor)) {
      conversation.cursor = Math.max(first - 1, 0);
    }
    conversation.hasOlder = lines.length === PAGE_SIZE && conversation.cursor > 0;
    conversation.addHistory(
      lines.map((/** @type {any} */ line) => ({
        id: Number(line.id) || 0,
        sender: line.u,
        isMine: line.u === this.client.session.number,
        time: Number(line.t),
        segments: readLogItems(line.il, faceAt),
        font: DEFAULT_FONT,
        state: "sent",
        msgId: 0,
      })),
    );
  }
}
