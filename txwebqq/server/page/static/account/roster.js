// @ts-check
// Friends, groups and discussions of the account, and how events change them.

/**
 * @typedef {object} Friend
 * @property {number} uin
 * @property {string} nick
 * @property {string} markname the account's own name for the friend, or ""
 * @property {number} category
 * @property {string} status
 * @property {number} [edits] how many other nicks and avatars the friend has had since
 *   the list was fetched
 */

/**
 * @typedef {object} Member
 * @property {number} uin
 * @property {string} nick
 * @property {string} card the name in the group, or ""
 * @property {"owner" | "administrator" | "member"} role
 * @property {boolean} isOnline
 */

/**
 * @typedef {object} Group
 * @property {number} gid
 * @property {number} code
 * @property {string} name
 * @property {string} memo the announcement
 * @property {Map<number, number>} mutes until when members are muted, Unix milliseconds,
 *   by uin; 0 stands for all but the owner and administrators
 * @property {Map<number, Member> | null} members null until they are fetched
 */

/**
 * @typedef {object} Discussion
 * @property {number} did
 * @property {string} name
 * @property {Map<number, Member> | null} members
 */

/**
 * A blocked account.
 * @typedef {object} Blocked
 * @property {number} number
 * @property {string} nick "" for one that never was a friend
 */

/** @param {any} value @returns {any[]} */
function list(value) {
  return Array.isArray(value) ? value : [];
}

/** The friend list, and the lists of groups and discussions. */
export class Roster {
  constructor() {
    /** @type {Map<number, Friend>} */
    this.friends = new Map();
    /** @type {{index: number, name: string}[]} */
    this.categories = [];
    /** @type {Map<number, Group>} */
    this.groups = new Map();
    /** @type {Map<number, Discussion>} */
    this.discussions = new Map();
    /** @type {Map<number, string>} */
    this.names = new Map();
    /** @type {Map<number, Blocked>} those who are blocked, by uin */
    this.blocked = new Map();
    this.me = { uin: 0, nick: "", signature: "" };
  }

  /**
   * Take the reply to get_user_friends2.
   * @param {any} result
   */
  setFriends(result) {
    const before = [...this.friends.values()];
    this.friends.clear();
    const infos = new Map(list(result.info).map((info) => [info.uin, info]));
    const marks = new Map(
      list(result.marknames).map((mark) => [mark.uin, mark.markname]),
    );
    for (const { uin, categories } of list(result.friends)) {
      this.friends.set(uin, {
        uin,
        nick: String(infos.get(uin)?.nick ?? ""),
        markname: String(marks.get(uin) ?? ""),
        category: Number(categories) || 0,
        status: "offline",
      });
    }
    // A conversation with an account that is no friend any more keeps its name.
    for (const { uin, markname, nick } of before) {
      if (!this.friends.has(uin)) {
        this.names.set(uin, markname || nick);
      }
    }
    this.categories = list(result.categories)
      .sort((a, b) => a.sort - b.sort)
      .map(({ index, name }) => ({ index, name: String(name) }));
    if (!this.categories.some((category) => category.index === 0)) {
      this.categories.unshift({ index: 0, name: "" });
    }
  }

  /**
   * Take the reply to get_online_buddies2.
   * @param {any} result
   */
  setOnline(result) {
    for (const friend of this.friends.values()) {
      friend.status = "offline";
    }
    for (const { uin, status } of list(result)) {
      this.setStatus(uin, status);
    }
  }

  /**
   * Take the reply to get_blocked2.
   * @param {any} result
   */
  setBlocked(result) {
    this.blocked = new Map(
      list(result).map(({ account, nick, uin }) => [
        uin,
        { number: Number(account), nick: String(nick ?? "") },
      ]),
    );
  }

  /**
   * Take the news of a friend who has another nick or avatar.
   * @param {number} uin
   * @param {string} nick
   */
  setNick(uin, nick) {
    const friend = this.friends.get(uin);
    if (friend !== undefined) {
      friend.nick = nick;
      friend.edits = (friend.edits ?? 0) + 1;
    }
  }

  /**
   * @param {number} uin
   * @param {string} status
   */
  setStatus(uin, status) {
    const friend = this.friends.get(uin);
    if (friend !== undefined) {
      friend.status = String(status);
    }
  }

  /**
   * Take the reply to get_group_name_list_mask2. Members that are known stay known.
   * @param {any} result
   */
  setGroups(result) {
    const before = this.groups;
    const marks = new Map(
      list(result.gmarklist).map((mark) => [mark.uin, mark.markname]),
    );
    this.groups = new Map(
      list(result.gnamelist).map(({ gid, code, name }) => [
        gid,
        {
          gid,
          code,
          name: String(marks.get(gid) ?? name),
          memo: before.get(gid)?.memo ?? "",
          mutes: before.get(gid)?.mutes ?? new Map(),
          members: before.get(gid)?.members ?? null,
        },
      ]),
    );
  }

  /**
   * Take the reply to get_discu_list.
   * @param {any} result
   */
  setDiscussions(result) {
    const before = this.discussions;
    this.discussions = new Map(
      list(result.dnamelist).map(({ did, name }) => [
        Number(did),
        {
          did: Number(did),
          name: String(name),
          members: before.get(Number(did))?.members ?? null,
        },
      ]),
    );
  }

  /**
   * Take the reply to get_group_info_ext2.
   * @param {number} gid
   * @param {any} result
   */
  setGroupMembers(gid, result) {
    const group = this.groups.get(gid);
    if (group === undefined) {
      return;
    }
    const { ginfo } = result;
    group.memo = String(ginfo.memo ?? "");
    group.mutes = new Map(
      list(result.mutes).map(({ muin, seconds }) => [
        muin,
        muin === 0 ? Infinity : Date.now() + seconds * 1000,
      ]),
    );
    const cards = new Map(list(result.cards).map(({ muin, card }) => [muin, card]));
    const online = new Set(list(result.stats).map(({ uin }) => uin));
    const flags = new Map(list(ginfo.members).map(({ muin, mflag }) => [muin, mflag]));
    group.members = new Map(
      list(result.minfo).map(({ uin, nick }) => [
        uin,
        {
          uin,
          nick: String(nick),
          card: String(cards.get(uin) ?? ""),
          role:
            uin === ginfo.owner
              ? "owner"
              : (Number(flags.get(uin)) & 1) === 1
                ? "administrator"
                : "member",
          isOnline: online.has(uin),
        },
      ]),
    );
  }

  /**
   * Return until when an account cannot write to a group, Unix milliseconds; Infinity
   * while all members are muted, 0 if it can.
   * @param {number} gid
   * @param {number} uin
   */
  mutedUntil(gid, uin) {
    const group = this.groups.get(gid);
    const role = group?.members?.get(uin)?.role ?? "member";
    if (group === undefined || role === "owner") {
      return 0;
    }
    const own = group.mutes.get(uin) ?? 0;
    if (own > Date.now()) {
      return own;
    }
    return role === "member" && group.mutes.has(0) ? Infinity : 0;
  }

  /**
   * Take the reply to get_discu_info.
   * @param {number} did
   * @param {any} result
   */
  setDiscussionMembers(did, result) {
    const discussion = this.discussions.get(did);
    if (discussion === undefined) {
      return;
    }
    const online = new Set(list(result.mem_status).map(({ uin }) => uin));
    const owner = result.info?.discu_owner;
    discussion.members = new Map(
      list(result.mem_info).map(({ uin, nick }) => [
        uin,
        {
          uin,
          nick: String(nick),
          card: "",
          role: uin === owner ? "owner" : "member",
          isOnline: online.has(uin),
        },
      ]),
    );
  }

  /**
   * Return the name to show for an account.
   * @param {number} uin
   * @param {Map<number, Member> | null} [members] of the conversation
   */
  nameOf(uin, members) {
    return this.knownNameOf(uin, members) || "?";
  }

  /**
   * Return the name to show for an account, "" if it is not known.
   * @param {number} uin
   * @param {Map<number, Member> | null} [members] of the conversation
   */
  knownNameOf(uin, members) {
    const friend = this.friends.get(uin);
    const member = members?.get(uin);
    const nick = friend?.nick || member?.nick || this.names.get(uin);
    return friend?.markname || member?.card || nick || "";
  }

  /**
   * Return the name of a member that all members see: without the account's own name
   * for a friend.
   * @param {number} uin
   * @param {Map<number, Member> | null} members
   */
  publicNameOf(uin, members) {
    const member = members?.get(uin);
    const nick = member?.nick || this.friends.get(uin)?.nick;
    return member?.card || nick || this.names.get(uin) || "?";
  }

  /**
   * Return the friends whose name, or nick, contains a text.
   * @param {string} text
   */
  search(text) {
    const wanted = text.trim().toLocaleLowerCase();
    return [...this.friends.values()].filter(({ nick, markname }) =>
      `${markname}\n${nick}`.toLocaleLowerCase().includes(wanted),
    );
  }
}
