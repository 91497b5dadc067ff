// @ts-check
// The lists of friends, groups, discussions and members, as they are fetched.

import { Refused } from "../server.js";

/** @typedef {import("./conversations.js").Conversation} Conversation */

/** The lists of one account, which fill its roster. */
export class Lists {
  /** @param {import("./client.js").Client} client */
  constructor(client) {
    this.client = client;
  }

  async fetchAll() {
    this.client.view.conversationsReplaced();
    this.client.unsent.take();
    this.client.conversations.clear();
    await Promise.all([
      this.fetchFriends(),
      this.fetchGroups(),
      this.fetchDiscussions(),
      this.fetchOwnProfile(),
      this.fetchBlocked(),
    ]);
    await Promise.all([this.fetchOnline(), this.fetchRecent()]);
    this.client.view.listsChanged();
    await this.client.unsent.restore();
    await this.fetchRequests();
  }

  async fetchFriends() {
    const { vfwebqq } = this.client.server;
    const result = await this.client.server.askJSON("api/get_user_friends2", {
      h: "hello",
      vfwebqq,
    });
    const statuses = new Map(
      [...this.client.roster.friends.values()].map(({ uin, status }) => [uin, status]),
    );
    this.client.roster.setFriends(result);
    for (const [uin, status] of statuses) {
      this.client.roster.setStatus(uin, status);
    }
  }

  async fetchGroups() {
    const { vfwebqq } = this.client.server;
    this.client.roster.setGroups(
      await this.client.server.askJSON("api/get_group_name_list_mask2", { vfwebqq }),
    );
  }

  async fetchDiscussions() {
    const { clientid, psessionid } = this.client.session;
    const { vfwebqq } = this.client.server;
    const fields = { clientid, psessionid, vfwebqq };
    this.client.roster.setDiscussions(
      await this.client.server.ask("channel/get_discu_list_new2", fields),
    );
  }

  async fetchOwnProfile() {
    const { number } = this.client.session;
    const fields = { tuin: number, vfwebqq: this.client.server.vfwebqq };
    const [profile, signature] = await Promise.all([
      this.client.server.ask("api/get_friend_info2", fields),
      // Refused for an account without a signature.
      this.client.server.ask("api/get_single_long_nick2", fields).catch(() => []),
    ]);
    this.client.roster.me = {
      uin: number,
      nick: String(profile.nick ?? ""),
      signature: String(signature?.[0]?.lnick ?? ""),
    };
  }

  async fetchOnline() {
    const { clientid, psessionid } = this.client.session;
    const fields = { clientid, psessionid };
    this.client.roster.setOnline(
      await this.client.server.ask("channel/get_online_buddies2", fields),
    );
    this.client.view.listsChanged();
  }

  /** Fetch the recent conversations, each with its last message and what is unread. */
  async fetchRecent() {
    const { conversations, history, roster } = this.client;
    const { clientid, psessionid } = this.client.session;
    const { vfwebqq } = this.client.server;
    const values = { vfwebqq, unread: 1, clientid, psessionid };
    const recent = await this.client.server.askJSON("channel/get_recent_list2", values);
    const groups = new Map([...roster.groups.values()].map(({ code, gid }) => [code, gid]));
    for (const { uin, type, unread, last, nick } of recent) {
      const gid = groups.get(uin);
      if (last === undefined || (type === 1 && gid === undefined)) {
        continue;
      }
      const conversation =
        type === 0
          ? conversations.get("friend", uin)
          : type === 1
            ? conversations.get("group", gid ?? 0)
            : conversations.get("discussion", uin);
      if (nick !== undefined && !roster.names.has(last.from_uin)) {
        roster.names.set(last.from_uin, String(nick));
      }
      conversation.count(Number(unread) || 0, history.read(last));
    }
  }

  /** Fetch the accounts that are blocked. */
  async fetchBlocked() {
    const { roster, server } = this.client;
    const { vfwebqq } = server;
    roster.setBlocked(await server.ask("api/get_blocked2", { vfwebqq }));
    this.client.view.listsChanged();
  }

  /** Fetch the requests that wait for an answer, which events told of once. */
  async fetchRequests() {
    const { vfwebqq } = this.client.server;
    /** @type {{poll_type: string, value: any}[]} */
    let requests = [];
    try {
      requests = await this.client.server.ask("api/get_requests2", { vfwebqq });
    } catch (error) {
      if (!(error instanceof Refused)) {
        throw error;
      }
    }
    for (const { poll_type: type, value } of requests) {
      const conversation =
        type === "sys_g_msg" ? this.client.conversations.get("group", value.from_uin) : null;
      await this.client.news.received(value.type, value, conversation);
    }
  }

  /** @param {Conversation} conversation */
  async fetchMembers(conversation) {
    const { kind, id } = conversation;
    const { vfwebqq } = this.client.server;
    if (kind === "group") {
      const group = this.client.roster.groups.get(id);
      if (group === undefined) {
        return;
      }
      const fields = { gcode: group.code, vfwebqq };
      const result = await this.client.server.ask("api/get_group_info_ext2", fields);
      this.client.roster.setGroupMembers(id, result);
    } else if (kind === "discussion") {
      const { clientid, psessionid } = this.client.session;
      const fields = { did: id, clientid, psessionid, vfwebqq };
      const result = await this.client.server.ask("channel/get_discu_info", fields);
      this.client.roster.setDiscussionMembers(id, result);
    }
    this.client.view.conversationChanged(conversation);
  }

  /** @param {number} uin */
  async fetchName(uin) {
    const { vfwebqq } = this.client.server;
    const { roster } = this.client;
    const { nick } = await this.client.server.ask("api/get_friend_info2", { tuin: uin, vfwebqq });
    roster.names.set(uin, String(nick ?? ""));
  }
}
