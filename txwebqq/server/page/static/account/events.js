// @ts-check
// The events that polls bring, and what they change.

import { DEFAULT_FONT, readContent } from "../wire.js";
import { fileStepReceived, transferChanged } from "./fileoffers.js";
import { readFile } from "./files.js";
import { groupEventReceived } from "./groupevents.js";

/** @typedef {import("./conversations.js").Message} Message */
/** @typedef {import("../wire.js").Segment} Segment */

const TYPING_MILLISECONDS = 8000;

/** The events of one account. */
export class Events {
  /** @param {import("./client.js").Client} client */
  constructor(client) {
    this.client = client;
  }

  /** @param {{poll_type: string, value: any}[]} events the oldest first */
  received(events) {
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
        this.client.roster.setStatus(value.uin, value.status);
        this.client.view.presenceChanged();
        break;
      case "input_notify": {
        const conversation = this.client.conversations.get("friend", value.from_uin);
        conversation.typingUntil = Date.now() + TYPING_MILLISECONDS;
        this.client.view.conversationChanged(conversation);
        break;
      }
      case "shake_message":
        this.client.view.windowShaken(this.client.conversations.get("friend", value.from_uin));
        break;
      case "message_recalled": {
        const isGroup = value.from_uin !== 0;
        // A friend recalls own messages only.
        const conversation = isGroup
          ? this.client.conversations.get("group", value.from_uin)
          : this.client.conversations.get("friend", value.send_uin);
        conversation.recall(value.recalled_id, value.op_uin);
        this.client.view.conversationChanged(conversation);
        break;
      }
      case "file_message":
        fileStepReceived(this.client, value);
        break;
      case "filesrv_transfer":
        transferChanged(this.client, value);
        break;
      case "push_offfile":
        this.fileReceived("friend", value.from_uin, value.from_uin, value);
        break;
      case "group_file":
        this.fileReceived("group", value.from_uin, value.send_uin, value);
        break;
      case "friend_edit":
        this.client.roster.setNick(value.uin, String(value.nick));
        this.client.pictures.forgetAvatar(value.uin);
        this.client.view.listsChanged();
        break;
      case "buddylist_change":
        // The status of a new friend may have come before.
        void this.client.lists
          .fetchFriends()
          .then(() => this.client.lists.fetchOnline())
          .catch(() => {});
        break;
      case "sys_g_msg": {
        const lists = this.client.lists.fetchGroups();
        void lists.then(
          () => this.client.view.listsChanged(),
          () => {},
        );
        const conversation = this.client.conversations.get("group", value.from_uin);
        const group = this.client.roster.groups.get(value.from_uin);
        if (group?.members) {
          // An open conversation shows them.
          void this.client.lists.fetchMembers(conversation).catch(() => {});
        }
        const isOwnLeave =
          value.type === "group_leave" && value.old_member === this.client.session.number;
        if (!isOwnLeave || group !== undefined) {
          void this.client.news.received(value.type, value, conversation, lists);
        }
        if (isOwnLeave) {
          this.client.conversations.all.delete(conversation.key);
          this.client.view.conversationClosed(conversation);
        }
        break;
      }
      case "system_message":
        void this.client.news.received(value.type, value, null);
        break;
      default:
        groupEventReceived(this.client, type, value);
        break;
    }
  }

  /**
   * Take a message of an account that is no friend, and shares a group or discussion.
   * @param {any} value
   */
  temporaryReceived(value) {
    const { from_uin: uin, id, service_type: type } = value;
    const conversation = this.client.conversations.get("friend", uin);
    conversation.shared = { id: Number(id), type: Number(type) };
    if (this.client.roster.nameOf(uin) === "?") {
      void this.client.lists.fetchName(uin).then(
        () => this.client.view.listsChanged(),
        () => {},
      );
    }
    this.messageReceived("friend", uin, uin, value);
  }

  /**
   * @param {import("./conversations.js").Kind} kind
   * @param {number} id
   * @param {number} sender
   * @param {any} value
   */
  fileReceived(kind, id, sender, value) {
    const content = { font: DEFAULT_FONT, segments: [readFile(value)] };
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
   * @param {{font: import("../wire.js").Font, segments: Segment[]}} content
   */
  contentReceived(kind, id, sender, value, { font, segments }) {
    const conversation = this.client.conversations.get(kind, id);
    /** @type {Message} */
    const message = {
      id: Number(value.msg_id2) || 0,
      sender,
      isMine: sender === this.client.session.number,
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
    if (kind === "discussion" && !this.client.roster.discussions.has(id)) {
      void this.client.lists.fetchDiscussions().then(
        () => this.client.view.listsChanged(),
        () => {},
      );
    }
    if (!this.client.membersOf(conversation)?.has(sender) && kind !== "friend") {
      void this.client.lists.fetchMembers(conversation).catch(() => {});
    }
    if (!conversation.isOpen) {
      conversation.forgetOldest();
    }
    if (message.time > conversation.countedUntil) {
      conversation.unread += 1;
    }
    this.client.view.messageArrived(conversation, message);
  }
}
