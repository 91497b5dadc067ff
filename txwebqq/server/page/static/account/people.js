// @ts-check
// Actions on people and groups, except messages: searches, requests,
// friend list, groups, discussions, blocking, the own profile.

import { Refused } from "../server.js";
import { APPID } from "../session.js";

/** The `appid` of the settings on which the server acts (docs/protocol.md 2.8.4). */
const BLOCKING = 10000;

/** The codes of a request without a captcha that it needs, and with a wrong one. */
const UNREAD = new Set([1000, 100110]);
const WRONG = new Set([1001, 100102]);

/** @typedef {import("./conversations.js").Conversation} Conversation */

/**
 * A captcha that has been read. Requests need one after many others.
 * @typedef {{session: string, text: string}} Captcha
 */

/** A request needs a captcha. */
export class CaptchaWanted extends Error {
  /**
   * @param {Blob} picture
   * @param {string} session the captcha's id
   * @param {boolean} isWrong whether one was read, and wrongly
   */
  constructor(picture, session, isWrong) {
    super("a captcha is needed");
    this.picture = picture;
    this.session = session;
    this.isWrong = isWrong;
  }
}

/** The requests about people and groups of one account. */
export class People {
  /** @param {import("./client.js").Client} client */
  constructor(client) {
    this.client = client;
    /** @type {Promise<void>} the last change of the list of the blocked accounts */
    this.blocking = Promise.resolve();
  }

  get server() {
    return this.client.server;
  }

  get ticket() {
    const { clientid, psessionid } = this.client.session;
    return { clientid, psessionid, vfwebqq: this.server.vfwebqq };
  }

  /**
   * @param {string} path
   * @param {Record<string, string | number>} fields
   */
  ask(path, fields) {
    return this.server.ask(path, { ...fields, ...this.ticket });
  }

  /**
   * @param {string} path
   * @param {object} values
   */
  askJSON(path, values) {
    return this.server.askJSON(path, { ...values, ...this.ticket });
  }

  /**
   * Fetch a captcha.
   * @param {boolean} [isWrong] whether one was read, and wrongly
   */
  async fetchCaptcha(isWrong = false) {
    const fields = { aid: APPID, r: Math.random(), uin: this.client.session.number };
    const picture = await this.server.picture("getimage", fields);
    return new CaptchaWanted(picture, this.server.jar.get("verifysession") ?? "", isWrong);
  }

  /**
   * Return the result of a request, or fail with a captcha if it needs one.
   * @template Result
   * @param {Promise<Result>} asking
   * @returns {Promise<Result>}
   * @throws {CaptchaWanted}
   */
  async orCaptcha(asking) {
    try {
      return await asking;
    } catch (error) {
      if (error instanceof Refused && (UNREAD.has(error.code) || WRONG.has(error.code))) {
        throw await this.fetchCaptcha(WRONG.has(error.code));
      }
      throw error;
    }
  }

  /**
   * Find the account with a number.
   * @param {number} number
   * @param {Captcha} [captcha]
   * @returns {Promise<any>} a profile with `tuin`, `nick` and `token`
   */
  findPerson(number, captcha) {
    const { session = "", text = "" } = captcha ?? {};
    const fields = { tuin: number, verifysession: session, code: text };
    return this.orCaptcha(this.ask("api/search_qq_by_uin2", fields));
  }

  /**
   * Return how an account takes friend requests.
   * @param {number} uin
   * @returns {Promise<{allow: number, question?: string}>}
   */
  async rule(uin) {
    const rule = await this.ask("api/get_allow_info2", { tuin: uin, retainKey: "allow" });
    return { allow: Number(rule.allow), question: rule.question };
  }

  /**
   * Ask an account to be a friend, or add it where it accepts everybody.
   * @param {number} number
   * @param {string} token
   * @param {number} allow the rule of the account
   * @param {string} text the words with the request, or the answer to a question
   */
  async addFriend(number, token, allow, text) {
    const common = { account: number, myallow: 1, groupid: 0, token };
    if (allow === 0) {
      await this.askJSON("api/add_no_verify2", { ...common, mname: "" });
      await this.client.lists.fetchFriends();
      await this.client.lists.fetchOnline();
    } else if (allow === 3) {
      const answered = { ...common, mname: "", answer: text };
      await this.askJSON("api/answer_and_add2", answered);
      await this.client.lists.fetchFriends();
      await this.client.lists.fetchOnline();
    } else {
      await this.askJSON("api/add_need_verify2", { ...common, msg: text });
    }
  }

  /**
   * Answer a friend request.
   * @param {number} account the number of the account that asks
   * @param {boolean} isAccepted
   */
  async answerFriend(account, isAccepted) {
    if (isAccepted) {
      const values = { account, gid: 0, mname: "" };
      await this.askJSON("api/allow_and_add2", values);
      await this.client.lists.fetchFriends();
      await this.client.lists.fetchOnline();
    } else {
      await this.askJSON("api/deny_added_request2", { account, msg: "" });
    }
    this.client.view.listsChanged();
  }

  /**
   * Find groups by number or by words.
   * @param {string} query
   * @param {Captcha} [captcha]
   * @returns {Promise<{number: number, code: number, name: string}[]>}
   */
  async findGroups(query, captcha) {
    if (captcha !== undefined) {
      this.server.jar.set("verifysession", captcha.session);
    }
    const vfcode = captcha?.text ?? "";
    const fields = { pg: 1, perpage: 20, all: query, type: 1, vfcode };
    const found = await this.orCaptcha(this.ask("keycgi/qqweb/group/search.do", fields));
    return (Array.isArray(found) ? found : []).map(({ GE, GEX, TI }) => ({
      number: Number(GE),
      code: Number(GEX),
      name: String(TI),
    }));
  }

  /** @param {number} code @param {string} text @param {Captcha} [captcha] */
  joinGroup(code, text, captcha) {
    const read = { code: captcha?.text ?? "", vfy: captcha?.session ?? "" };
    const values = { gcode: code, ...read, msg: text };
    return this.orCaptcha(this.askJSON("api/apply_join_group2", values));
  }

  /**
   * Decide on a request to join a group.
   * @param {number} gid
   * @param {number} uin
   * @param {boolean} isAccepted
   */
  answerJoin(gid, uin, isAccepted) {
    return this.ask("channel/op_group_join_req", {
      group_uin: gid,
      req_uin: uin,
      msg: "",
      op_type: isAccepted ? 2 : 3,
    });
  }

  /**
   * @param {string} name
   * @param {number[]} uins
   * @returns {Promise<Conversation>}
   */
  async createGroup(name, uins) {
    const { gid } = await this.askJSON("api/create_group2", { name, mem_list: uins });
    await this.client.lists.fetchGroups();
    return this.client.conversations.get("group", Number(gid));
  }

  /**
   * @param {string} name
   * @param {number[]} uins
   * @param {Captcha} [captcha]
   * @returns {Promise<Conversation>}
   */
  async createDiscussion(name, uins, captcha) {
    const values = {
      discu_name: name,
      mem_list: uins,
      mem_list_u: [],
      mem_list_g: [],
      code: captcha?.text ?? "",
      verifysession: captcha?.session ?? "",
    };
    const { did } = await this.orCaptcha(this.askJSON("channel/create_discu", values));
    await this.client.lists.fetchDiscussions();
    return this.client.conversations.get("discussion", Number(did));
  }

  /** @param {number} code @param {string} name */
  async renameGroup(code, name) {
    await this.askJSON("api/modify_group_info2", { gcode: code, name });
    await this.client.lists.fetchGroups();
  }

  /** @param {number} code */
  async leaveGroup(code) {
    await this.askJSON("api/quit_group2", { gcode: code });
    await this.client.lists.fetchGroups();
  }

  /** @param {number} code */
  async dissolveGroup(code) {
    await this.askJSON("api/dissolve_group2", { gcode: code });
    await this.client.lists.fetchGroups();
  }

  /** @param {number} code @param {number} uin */
  removeMember(code, uin) {
    return this.askJSON("api/remove_group_member2", { gcode: code, muin: uin });
  }

  /** @param {number} did @param {string} name */
  async renameDiscussion(did, name) {
    await this.askJSON("channel/modify_discu_info", {
      did: String(did),
      discu_name: name,
      dtype: 1,
    });
    await this.client.lists.fetchDiscussions();
  }

  /** @param {number} did */
  async leaveDiscussion(did) {
    await this.ask("channel/quit_discu", { did });
    await this.client.lists.fetchDiscussions();
  }

  /** @param {number} uin @param {string} name */
  async renameFriend(uin, name) {
    await this.ask("api/change_mark_name2", { tuin: uin, markname: name });
    await this.client.lists.fetchFriends();
  }

  /** @param {number} uin @param {number} category */
  async moveFriend(uin, category) {
    await this.ask("api/modify_friend_group", { tuin: uin, newid: category });
    await this.client.lists.fetchFriends();
  }

  /** @param {string} name */
  async createCategory(name) {
    await this.ask("api/create_friend_group", { name });
    await this.client.lists.fetchFriends();
  }

  /** @param {number} index @param {string} name */
  async renameCategory(index, name) {
    await this.ask("api/rename_friend_group", { id: index, name });
    await this.client.lists.fetchFriends();
  }

  /**
   * Delete a category; its friends come into the first one.
   * @param {number} index
   */
  async deleteCategory(index) {
    await this.ask("api/delete_friend_group", { id: index });
    await this.client.lists.fetchFriends();
  }

  /** @param {number} uin */
  async removeFriend(uin) {
    await this.ask("api/delete_friend", { tuin: uin, delType: 2 });
    await this.client.lists.fetchFriends();
  }

  /**
   * Return the permanent number of an account, or of a group by its code.
   * @param {number} uin
   * @param {1 | 4} [type] 4 for a group
   * @returns {Promise<number>}
   */
  async numberOf(uin, type = 1) {
    const found = await this.ask("api/get_friend_uin2", {
      tuin: uin,
      verifysession: "",
      type,
      code: "",
    });
    return Number(found.account);
  }

  /** @returns {Promise<number[]>} the numbers of the blocked accounts */
  async blocked() {
    const r = JSON.stringify({ appid: BLOCKING, itemlist: ["blocked"] });
    const found = await this.ask("keycgi/qqweb/newuac/get.do", { r });
    const { blocked } = found?.[BLOCKING] ?? found ?? {};
    return Array.isArray(blocked) ? blocked.map(Number) : [];
  }

  /**
   * Change the list of the blocked accounts, one change after another.
   * @param {number} number
   * @param {boolean} isBlocked
   * @returns {Promise<void>}
   */
  setBlocked(number, isBlocked) {
    const change = () => this.changeBlocked(number, isBlocked);
    const changing = this.blocking.then(change);
    this.blocking = changing.catch(() => {});
    return changing;
  }

  /** @param {number} number @param {boolean} isBlocked */
  async changeBlocked(number, isBlocked) {
    const others = (await this.blocked()).filter((each) => each !== number);
    const blocked = isBlocked ? [...others, number] : others;
    const r = JSON.stringify({ appid: BLOCKING, itemlist: { blocked } });
    await this.ask("keycgi/qqweb/newuac/set.do", { r });
    await this.client.lists.fetchBlocked();
  }

  /**
   * Change the own profile.
   * @param {string} nick
   * @param {string} signature
   */
  async setProfile(nick, signature) {
    const { me } = this.client.roster;
    if (nick !== me.nick) {
      await this.askJSON("api/modify_my_details2", { nick });
    }
    if (signature !== me.signature) {
      await this.askJSON("api/set_long_nick2", { nlk: signature });
    }
    await this.client.lists.fetchOwnProfile();
    this.client.view.listsChanged();
  }

  /**
   * Change the own avatar.
   * @param {File} file
   * @returns {Promise<File>} the same, or the smaller one that is the avatar now
   */
  async setAvatar(file) {
    const { pictures } = this.client;
    const picture = await pictures.fitted(file);
    const name = await pictures.uploadFace(picture);
    await this.askJSON("api/modify_my_head", { custom_face: name });
    return picture;
  }
}
