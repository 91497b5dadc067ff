// @ts-check
// The account's data and what one does with it: lists, history, messages, pictures. It
// knows nothing of the document.

import { Conversations } from "./conversations.js";
import { faceAt } from "./faces.js";
import { Files } from "./files.js";
import { People } from "./people.js";
import { Roster } from "./roster.js";
import { Refused, Session } from "./session.js";
import { DEFAULT_FONT, readContent, readLogItems, writeContent } from "./wire.js";

/** @typedef {import("./conversations.js").Conversation} Conversation */
/** @typedef {import("./conversations.js").Message} Message */
/** @typedef {import("./wire.js").Segment} Segment */

/**
 * The news for the view: the state of the session, the lists, or a conversation has
 * changed; a message has arrived; a window was shaken.
 * @typedef {object} View
 * @property {(state: import("./session.js").State, detail: string) => void} stateChanged
 * @property {() => void} listsChanged
 * @property {(conversation: Conversation) => void} conversationChanged
 * @property {(conversation: Conversation, message: Message) => void} messageArrived
 * @property {(conversation: Conversation) => void} windowShaken
 * @property {(notice: Notice) => void} noticed
 * @property {() => void} conversationsReplaced a new session has other ids
 * @property {(conversation: Conversation) => void} conversationClosed the account has
 *   left it
 */

/**
 * News that are no messages, such as friend requests and members who join.
 * @typedef {{kind: string, value: any, conversation: Conversation | null}} Notice
 */

const PAGE_SIZE = 30;
const TYPING_MILLISECONDS = 8000;

/** One account in this tab. */
export class Client {
  /**
   * @param {import("./server.js").Server} server
   * @param {Storage} storage of the tab
   * @param {View} view
   */
  constructor(server, storage, view) {
    this.server = server;
    this.view = view;
    this.session = new Session(server, storage, this);
    this.roster = new Roster();
    this.conversations = new Conversations();
    this.people = new People(this);
    this.files = new Files(this);
    this.counter = 0;
    /** @type {Map<string, Promise<Blob>>} */
    this.pictures = new Map();
  }

  // Called by the session.

  /**
   * @param {import("./session.js").State} state
   * @param {string} detail
   */
  stateChanged(state, detail) {
    if (state === "signedOff" || state === "expired" || state === "kicked") {
      // The next account to sign on in this tab sees nothing of this one.
      this.pictures.clear();
      this.conversations.clear();
      this.roster = new Roster();
    }
    this.view.stateChanged(state, detail);
  }

  /** @param {boolean} isNew */
  async joined(isNew) {
    if (isNew) {
      await this.fetchLists();
    } else {
      await this.fetchOnline();
      for (const conversation of this.conversations.all.values()) {
        if (conversation.isLoaded) {
          void this.loadNewest(conversation).catch(() => {});
        }
      }
    }
  }

  /** @param {{poll_type: string, value: any}[]} events the oldest first */
  eventsReceived(events) {
    for (const { poll_type: type, value } of events) {
      try {
        this.eventReceived(type, value ?? {});
      } catch (error) {
        console.error(`event ${type}:`, error);
      }
    }
  }

  /**
   * @param {string} type
   * @param {any} value
   */
  eventReceived(type, value) {
    switch (type) {
      case "message":
        this.messageReceived("friend", value.from_uin, value.from_uin, value);
        break;
      case "sess_message":
        this.temporaryReceived(value);
        break;
      case "group_message":
        this.messageReceived("group", value.from_uin, value.send_uin, value);
        break;
      case "discu_message":
        this.messageReceived("discussion", Number(value.did), value.send_uin, value);
        break;
      case "buddies_status_change":
        this.roster.setStatus(value.uin, value.status);
        this.view.listsChanged();
        break;
      case "input_notify": {
        const conversation = this.conversations.get("friend", value.from_uin);
        conversation.typingUntil = Date.now() + TYPING_MILLISECONDS;
        this.view.conversationChanged(conversation);
        break;
      }
      case "shake_message":
        this.view.windowShaken(this.conversations.get("friend", value.from_uin));
        break;
      case "message_recalled": {
        const isGroup = value.from_uin !== 0;
        // A friend recalls own messages only.
        const conversation = isGroup
          ? this.conversations.get("group", value.from_uin)
          : this.conversations.get("friend", value.send_uin);
        conversation.recall(value.recalled_id);
        this.view.conversationChanged(conversation);
        break;
      }
      case "push_offfile":
        this.fileReceived("friend", value.from_uin, value.from_uin, value);
        break;
      case "group_file":
        this.fileReceived("group", value.from_uin, value.send_uin, value);
        break;
      case "buddylist_change":
        void this.fetchFriends().then(
          () => this.view.listsChanged(),
          () => {},
        );
        break;
      case "sys_g_msg": {
        void this.fetchGroups().then(
          () => this.view.listsChanged(),
          () => {},
        );
        const conversation = this.conversations.get("group", value.from_uin);
        const group = this.roster.groups.get(value.from_uin);
        if (group !== undefined) {
          group.members = null;
        }
        const isOwnLeave =
          value.type === "group_leave" && value.old_member === this.session.number;
        const kind = isOwnLeave ? "group_left" : value.type;
        if (!isOwnLeave || group !== undefined) {
          this.view.noticed({ kind, value, conversation });
        }
        if (isOwnLeave) {
          this.conversations.all.delete(conversation.key);
          this.view.conversationClosed(conversation);
        }
        break;
      }
      case "system_message":
        this.view.noticed({ kind: value.type, value, conversation: null });
        break;
      default:
        break;
    }
  }

  /**
   * Take a message of an account that is no friend, and shares a group or discussion.
   * @param {any} value
   */
  temporaryReceived(value) {
    const { from_uin: uin, id, service_type: type } = value;
    const conversation = this.conversations.get("friend", uin);
    conversation.shared = { id: Number(id), type: Number(type) };
    if (this.roster.nameOf(uin) === "?") {
      void this.fetchName(uin).then(
        () => this.view.listsChanged(),
        () => {},
      );
    }
    this.messageReceived("friend", uin, uin, value);
  }

  /** @param {number} uin */
  async fetchName(uin) {
    const { vfwebqq } = this.server;
    const { roster } = this;
    const { nick } = await this.server.ask("api/get_friend_info2", { tuin: uin, vfwebqq });
    roster.names.set(uin, String(nick ?? ""));
  }

  /**
   * @param {import("./conversations.js").Kind} kind
   * @param {number} id
   * @param {number} sender
   * @param {any} value
   */
  fileReceived(kind, id, sender, value) {
    const { name, size, rkey } = value;
    /** @type {Segment} */
    const file = {
      type: "file",
      name: String(name ?? ""),
      size: Number(size) || 0,
      key: String(rkey ?? ""),
    };
    const content = { font: DEFAULT_FONT, segments: [file] };
    this.contentReceived(kind, id, sender, value, content);
  }

  /**
   * @param {import("./conversations.js").Kind} kind
   * @param {number} id
   * @param {number} sender
   * @param {any} value
   */
  messageReceived(kind, id, sender, value) {
    this.contentReceived(kind, id, sender, value, readContent(value.content));
  }

  /**
   * @param {import("./conversations.js").Kind} kind
   * @param {number} id
   * @param {number} sender
   * @param {any} value
   * @param {{font: import("./wire.js").Font, segments: Segment[]}} content
   */
  contentReceived(kind, id, sender, value, { font, segments }) {
    const conversation = this.conversations.get(kind, id);
    /** @type {Message} */
    const message = {
      id: Number(value.msg_id2) || 0,
      sender,
      isMine: sender === this.session.number,
      time: Number(value.time) || Math.floor(Date.now() / 1000),
      segments,
      font,
      state: "sent",
      msgId: Number(value.msg_id) || 0,
    };
    conversation.typingUntil = 0;
    if (!conversation.add(message)) {
      return;
    }
    if (kind === "discussion" && !this.roster.discussions.has(id)) {
      void this.fetchDiscussions().then(
        () => this.view.listsChanged(),
        () => {},
      );
    }
    if (!this.membersOf(conversation)?.has(sender) && kind !== "friend") {
      void this.fetchMembers(conversation).catch(() => {});
    }
    conversation.unread += 1;
    this.view.messageArrived(conversation, message);
  }

  // Lists.

  async fetchLists() {
    this.conversations.clear();
    this.view.conversationsReplaced();
    await Promise.all([
      this.fetchFriends(),
      this.fetchGroups(),
      this.fetchDiscussions(),
      this.fetchOwnProfile(),
    ]);
    await Promise.all([this.fetchOnline(), this.fetchRecent()]);
    this.view.listsChanged();
  }

  async fetchFriends() {
    const { vfwebqq } = this.server;
    const result = await this.server.askJSON("api/get_user_friends2", {
      h: "hello",
      vfwebqq,
    });
    const statuses = new Map(
      [...this.roster.friends.values()].map(({ uin, status }) => [uin, status]),
    );
    this.roster.setFriends(result);
    for (const [uin, status] of statuses) {
      this.roster.setStatus(uin, status);
    }
  }

  async fetchGroups() {
    const { vfwebqq } = this.server;
    this.roster.setGroups(
      await this.server.askJSON("api/get_group_name_list_mask2", { vfwebqq }),
    );
  }

  async fetchDiscussions() {
    const { clientid, psessionid } = this.session;
    const { vfwebqq } = this.server;
    const fields = { clientid, psessionid, vfwebqq };
    this.roster.setDiscussions(
      await this.server.ask("channel/get_discu_list_new2", fields),
    );
  }

  async fetchOwnProfile() {
    const { number } = this.session;
    const fields = { tuin: number, vfwebqq: this.server.vfwebqq };
    const [profile, signature] = await Promise.all([
      this.server.ask("api/get_friend_info2", fields),
      // Refused for an account without a signature.
      this.server.ask("api/get_single_long_nick2", fields).catch(() => []),
    ]);
    this.roster.me = {
      uin: number,
      nick: String(profile.nick ?? ""),
      signature: String(signature?.[0]?.lnick ?? ""),
    };
  }

  async fetchOnline() {
    const { clientid, psessionid } = this.session;
    const fields = { clientid, psessionid };
    this.roster.setOnline(
      await this.server.ask("channel/get_online_buddies2", fields),
    );
    this.view.listsChanged();
  }

  async fetchRecent() {
    const { clientid, psessionid } = this.session;
    const { vfwebqq } = this.server;
    const recent = await this.server.askJSON("channel/get_recent_list2", {
      vfwebqq,
      clientid,
      psessionid,
    });
    const groups = new Map(
      [...this.roster.groups.values()].map(({ code, gid }) => [code, gid]),
    );
    // The list has no times, so the first one is the newest of those without messages.
    let time = recent.length;
    for (const { uin, type } of recent) {
      const conversation =
        type === 0
          ? this.conversations.get("friend", uin)
          : type === 1
            ? this.conversations.get("group", groups.get(uin) ?? 0)
            : this.conversations.get("discussion", uin);
      conversation.time = Math.max(conversation.time, time);
      time -= 1;
    }
    this.conversations.all.delete("group:0");
  }

  /** @param {Conversation} conversation */
  membersOf({ kind, id }) {
    if (kind === "group") {
      return this.roster.groups.get(id)?.members ?? null;
    }
    if (kind === "discussion") {
      return this.roster.discussions.get(id)?.members ?? null;
    }
    return null;
  }

  /** @param {Conversation} conversation */
  async fetchMembers(conversation) {
    const { kind, id } = conversation;
    const { vfwebqq } = this.server;
    if (kind === "group") {
      const group = this.roster.groups.get(id);
      if (group === undefined) {
        return;
      }
      const fields = { gcode: group.code, vfwebqq };
      const result = await this.server.ask("api/get_group_info_ext2", fields);
      this.roster.setGroupMembers(id, result);
    } else if (kind === "discussion") {
      const { clientid, psessionid } = this.session;
      const fields = { did: id, clientid, psessionid, vfwebqq };
      const result = await this.server.ask("channel/get_discu_info", fields);
      this.roster.setDiscussionMembers(id, result);
    }
    this.view.conversationChanged(conversation);
  }

  /**
   * Return the name of a conversation.
   * @param {Conversation} conversation
   */
  nameOf({ kind, id }) {
    switch (kind) {
      case "friend":
        return this.roster.nameOf(id);
      case "group":
        return this.roster.groups.get(id)?.name ?? "?";
      default:
        return this.roster.discussions.get(id)?.name ?? "?";
    }
  }

  // History.

  /**
   * Fetch what an opened conversation shows.
   * @param {Conversation} conversation
   */
  async open(conversation) {
    conversation.unread = 0;
    if (conversation.kind !== "friend" && this.membersOf(conversation) === null) {
      void this.fetchMembers(conversation).catch(() => {});
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
    this.view.conversationChanged(conversation);
  }

  /** @param {Conversation} conversation */
  async fetchFriendLog({ id, shared }) {
    try {
      return await this.server.friendLog(id, 0);
    } catch (error) {
      if (error instanceof Refused && shared !== null && !this.roster.friends.has(id)) {
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
      this.takeFriendLog(conversation, await this.server.friendLog(id, cursor));
    } else {
      const log = await this.fetchLog(conversation, conversation.cursor);
      this.takeLog(conversation, log);
    }
    this.view.conversationChanged(conversation);
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
          sender: isMine ? this.session.number : conversation.id,
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
    const { vfwebqq } = this.server;
    const { clientid, psessionid } = this.session;
    const range = { ps: PAGE_SIZE, bs: 0, es: last, mode: 1 };
    try {
      if (kind === "group") {
        const code = this.roster.groups.get(id)?.code ?? 0;
        const fields = { ...range, gid: code, vfwebqq, clientid, psessionid };
        return await this.server.ask("keycgi/top/groupchatlog", fields);
      }
      const fields = { ...range, ty: 2, gid: id, vfwebqq, clientid, psessionid };
      return await this.server.ask("cgi/top/get_one_page", fields);
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
        isMine: line.u === this.session.number,
        time: Number(line.t),
        segments: readLogItems(line.il, faceAt),
        font: DEFAULT_FONT,
        state: "sent",
        msgId: 0,
      })),
    );
  }

  // Sending.

  /**
   * Send a message; it is in the conversation at once, with its state.
   * @param {Conversation} conversation
   * @param {Segment[]} segments
   */
  send(conversation, segments) {
    /** @type {Message} */
    const message = {
      id: 0,
      sender: this.session.number,
      isMine: true,
      time: Math.floor(Date.now() / 1000),
      segments,
      font: DEFAULT_FONT,
      state: "sending",
      msgId: 0,
      sendId: randomId(),
    };
    conversation.messages.push(message);
    conversation.time = Math.max(conversation.time, message.time);
    return this.deliver(conversation, message);
  }

  /**
   * Send a message once more that was not delivered, or perhaps not. A server that knows
   * its id does not deliver it twice.
   * @param {Conversation} conversation
   * @param {Message} message
   */
  retry(conversation, message) {
    message.state = "sending";
    message.problem = undefined;
    return this.deliver(conversation, message);
  }

  /**
   * @param {Conversation} conversation
   * @param {Message} message
   */
  async deliver(conversation, message) {
    this.view.conversationChanged(conversation);
    let isAsked = false;
    try {
      const [path, values] = await this.request(conversation, message);
      isAsked = true;
      const told = await this.server.reply(path, { r: JSON.stringify(values) });
      if (told.retcode !== 0) {
        throw new Refused(told.retcode, told.errmsg ?? "");
      }
      const id = Number(told.msg_id2) || 0;
      conversation.sent(message, { id, time: Number(told.time) || 0 });
    } catch (error) {
      // A reply that is not readable may be that to a message that was delivered.
      message.state = error instanceof Refused || !isAsked ? "failed" : "unknown";
      message.problem = error instanceof Refused ? String(error.code) : "";
    }
    this.view.conversationChanged(conversation);
  }

  /**
   * @param {Conversation} conversation
   * @param {Message} message
   * @returns {Promise<[string, Record<string, unknown>]>} the path, and the fields
   */
  async request({ kind, id, shared }, { segments, sendId }) {
    const { clientid, psessionid } = this.session;
    this.counter += 1;
    const counter = String(this.counter % 10000).padStart(4, "0");
    const common = {
      content: writeContent(segments),
      send_id: sendId,
      msg_id: Number(`${Math.floor(Date.now() / 1000) % 10000}${counter}`),
      clientid,
      psessionid,
    };
    const hasPicture = segments.some(({ type }) => type === "groupPicture");
    const signature =
      hasPicture && kind !== "friend" ? await this.pictureSignature() : {};
    if (shared !== null && !this.roster.friends.has(id)) {
      const { id: sharedId, type } = shared;
      const fields = { id: sharedId, to_uin: id, service_type: type, clientid, psessionid };
      const { value } = await this.server.ask("channel/get_c2cmsg_sig2", fields);
      const values = { to: id, group_sig: value, face: 0, service_type: type, ...common };
      return ["channel/send_sess_msg2", values];
    }
    switch (kind) {
      case "friend":
        return ["channel/send_buddy_msg2", { to: id, face: 0, ...common }];
      case "group": {
        const code = this.roster.groups.get(id)?.code ?? 0;
        const key = hasPicture ? { group_code: code, ...signature } : {};
        return ["channel/send_qun_msg2", { group_uin: id, ...key, ...common }];
      }
      default:
        return ["channel/send_discu_msg2", { did: id, ...signature, ...common }];
    }
  }

  async pictureSignature() {
    const { clientid, psessionid } = this.session;
    const fields = { clientid, psessionid };
    const reply = await this.server.ask("channel/get_gface_sig2", fields);
    return { key: reply.gface_key, sig: reply.gface_sig };
  }

  /**
   * Upload a picture, and return the segment that shows it in a conversation.
   * @param {Conversation} conversation
   * @param {File} file
   * @returns {Promise<Segment>}
   */
  async uploadPicture({ kind }, file) {
    const name = await this.uploadFace(file);
    return kind === "friend"
      ? { type: "friendPicture", name }
      : { type: "groupPicture", name, fileId: 0, server: "" };
  }

  /**
   * Upload a picture, and return the name by which the server knows it.
   * @param {File} file
   * @returns {Promise<string>}
   */
  async uploadFace(file) {
    const fields = { vfwebqq: this.server.vfwebqq };
    const reply = await this.server.upload(
      "cgi-bin/cface_upload",
      fields,
      "custom_face",
      file,
    );
    const name = /^[0-9A-Fa-f]{32}\.\w{3,4}/.exec(String(reply.msg))?.[0];
    if (!(reply.ret === 0 || reply.ret === 4) || name === undefined) {
      throw new Refused(Number(reply.ret), String(reply.msg ?? ""));
    }
    return name;
  }

  /**
   * Send a file: it is in the conversation when it is uploaded.
   * @param {Conversation} conversation
   * @param {File} file
   * @param {(part: number) => void} progress
   */
  async sendFile(conversation, file, progress) {
    const segment = await this.files.send(conversation, file, progress);
    conversation.add({
      id: 0,
      sender: this.session.number,
      isMine: true,
      time: Math.floor(Date.now() / 1000),
      segments: [segment],
      font: DEFAULT_FONT,
      state: "sent",
      msgId: 0,
    });
    this.view.conversationChanged(conversation);
  }

  /**
   * Fetch the picture of a segment.
   * @param {Conversation} conversation
   * @param {Message} message
   * @param {Segment} segment
   * @returns {Promise<Blob>}
   */
  picture(conversation, message, segment) {
    const key = JSON.stringify([conversation.key, message.sender, segment]);
    let found = this.pictures.get(key);
    if (found === undefined) {
      found = this.fetchPicture(conversation, message, segment);
      this.pictures.set(key, found);
      found.catch(() => this.pictures.delete(key));
    }
    return found;
  }

  /**
   * @param {Conversation} conversation
   * @param {Message} message
   * @param {Segment} segment
   * @returns {Promise<Blob>}
   */
  fetchPicture({ kind, id }, message, segment) {
    const { vfwebqq } = this.server;
    const { clientid, psessionid } = this.session;
    switch (segment.type) {
      case "groupPicture": {
        if (message.isMine && segment.fileId === 0) {
          const fields = { cmd: 2, bd: segment.name, vfwebqq };
          return this.server.picture("cgi-bin/webqq_app/", fields);
        }
        const [rip, rport] = segment.server.split(":");
        const isGroup = kind === "group";
        return this.server.picture("cgi-bin/get_group_pic", {
          type: isGroup ? 0 : 1,
          gid: isGroup ? (this.roster.groups.get(id)?.code ?? 0) : id,
          uin: message.sender,
          rip: rip ?? "",
          rport: rport ?? "",
          fid: segment.fileId,
          pic: segment.name,
          vfwebqq,
        });
      }
      case "friendPicture":
        if (message.isMine) {
          const fields = { cmd: 2, bd: segment.name, vfwebqq };
          return this.server.picture("cgi-bin/webqq_app/", fields);
        }
        return this.server.picture("channel/get_cface2", {
          lcid: message.msgId,
          guid: segment.name,
          to: message.sender,
          count: 5,
          time: 1,
          clientid,
          psessionid,
        });
      case "photo":
        return this.server.picture("channel/get_offpic2", {
          file_path: segment.path,
          f_uin: message.sender,
          clientid,
          psessionid,
        });
      default:
        return Promise.reject(new Error("not a picture"));
    }
  }

  /**
   * Fetch the avatar of an account, or of a group by its code.
   * @param {number} id
   * @param {boolean} isGroup
   */
  avatar(id, isGroup) {
    const key = `avatar:${isGroup}:${id}`;
    let found = this.pictures.get(key);
    if (found === undefined) {
      found = this.server.picture("cgi/svr/face/getface", {
        cache: 0,
        type: isGroup ? 4 : 1,
        fid: 0,
        uin: id,
        vfwebqq: this.server.vfwebqq,
      });
      this.pictures.set(key, found);
      found.catch(() => this.pictures.delete(key));
    }
    return found;
  }

  // Other requests.

  /** @param {Conversation} conversation */
  async tellTyping({ kind, id }) {
    if (kind === "friend") {
      const { clientid, psessionid } = this.session;
      const fields = { to_uin: id, clientid, psessionid };
      await this.server.ask("channel/input_notify2", fields).catch(() => {});
    }
  }

  /** @param {Conversation} conversation */
  async shake({ id }) {
    const { clientid, psessionid } = this.session;
    await this.server.ask("channel/shake2", { to_uin: id, clientid, psessionid });
  }

  /** @param {string} status */
  async setStatus(status) {
    const { clientid, psessionid } = this.session;
    const fields = { newstatus: status, clientid, psessionid };
    await this.server.ask("channel/change_status2", fields);
    if (this.session.kept !== null) {
      this.session.kept.status = status;
      this.session.keep();
    }
  }

  /**
   * Answer a friend request.
   * @param {number} account the number of the account that asks
   * @param {boolean} isAccepted
   */
  async answerFriendRequest(account, isAccepted) {
    const { vfwebqq } = this.server;
    if (isAccepted) {
      const values = { account, gid: 0, mname: "", vfwebqq };
      await this.server.askJSON("api/allow_and_add2", values);
      await this.fetchFriends();
      await this.fetchOnline();
    } else {
      const values = { account, msg: "", vfwebqq };
      await this.server.askJSON("api/deny_added_request2", values);
    }
    this.view.listsChanged();
  }
}

/** Return an id of 32 characters that no other message has. */
function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
