// @ts-check
// What members, administrators and owners do in a group (docs/protocol.md 2.5.3, 2.7.7,
// 2.9), and recalls of messages.

import { visibleName } from "./files.js";

/** @typedef {import("./conversations.js").Conversation} Conversation */
/** @typedef {import("./conversations.js").Message} Message */

/**
 * A file that a group has.
 * @typedef {object} GroupFile
 * @property {string} name
 * @property {number} size
 * @property {string} key
 * @property {number} sender
 * @property {number} expires Unix seconds
 */

/** The requests of one account about its groups and their messages. */
export class GroupActions {
  /** @param {import("./client.js").Client} client */
  constructor(client) {
    this.client = client;
  }

  /** @param {Conversation} conversation */
  codeOf({ id }) {
    return this.client.roster.groups.get(id)?.code ?? 0;
  }

  /**
   * Return the role of the account in a group or discussion.
   * @param {Conversation} conversation
   */
  roleIn(conversation) {
    const members = this.client.membersOf(conversation);
    return members?.get(this.client.session.number)?.role ?? "member";
  }

  /**
   * @param {string} path
   * @param {object} values
   */
  ask(path, values) {
    return this.client.people.askJSON(path, values);
  }

  /** @param {Conversation} conversation @param {string} memo */
  async setAnnouncement(conversation, memo) {
    await this.ask("api/modify_group_info2", { gcode: this.codeOf(conversation), memo });
  }

  /** @param {Conversation} conversation @param {number} uin @param {string} card */
  async setCard(conversation, uin, card) {
    const gcode = this.codeOf(conversation);
    if (uin === this.client.session.number) {
      await this.ask("api/update_group_business_card2", { gcode, name: card });
    } else {
      await this.ask("api/set_group_card2", { gcode, muin: uin, card });
    }
  }

  /** @param {Conversation} conversation @param {number} uin @param {boolean} isGranted */
  async setAdmin(conversation, uin, isGranted) {
    const gcode = this.codeOf(conversation);
    const values = { gcode, muin: uin, op_type: isGranted ? 1 : 0 };
    await this.ask("api/set_group_admin2", values);
  }

  /** @param {Conversation} conversation @param {number} uin */
  async transfer(conversation, uin) {
    await this.ask("api/transfer_group2", { gcode: this.codeOf(conversation), muin: uin });
  }

  /**
   * Mute a member, or with uin 0 all but the owner and administrators.
   * @param {Conversation} conversation
   * @param {number} uin
   * @param {number} seconds 0 ends a mute
   */
  async mute(conversation, uin, seconds) {
    const values = { gcode: this.codeOf(conversation), muin: uin, seconds };
    await this.ask("api/mute_group_member2", values);
  }

  /** @param {Conversation} conversation @param {number[]} uins friends */
  async invite({ id }, uins) {
    await this.ask("channel/change_discu_mem", {
      did: String(id),
      mem_list: uins,
      mem_list_u: [],
      mem_list_g: [],
    });
  }

  /**
   * Recall a message. The server tells all others.
   * @param {Conversation} conversation
   * @param {Message} message
   */
  async recall(conversation, message) {
    const { kind, id } = conversation;
    const [path, target] =
      kind === "group"
        ? ["channel/recall_qun_msg2", { group_uin: id }]
        : ["channel/recall_buddy_msg2", { to: id }];
    await this.ask(path, { ...target, msg_id2: message.id });
    conversation.recall(message.id, this.client.session.number);
    this.client.view.conversationChanged(conversation);
  }

  /**
   * React to a message of a group, or take the reaction back. The server tells all others.
   * @param {Conversation} conversation
   * @param {Message} message
   * @param {string} face an emoji, or the number of an emoticon
   */
  async react(conversation, message, face) {
    const me = this.client.session.number;
    const isSet = !(message.reactions?.get(face)?.has(me) ?? false);
    await this.ask("channel/set_reaction2", {
      group_uin: conversation.id,
      msg_id2: message.id,
      face: /^\d+$/.test(face) ? Number(face) : face,
      op_type: isSet ? 1 : 0,
    });
    conversation.react(message.id, me, face, isSet);
    this.client.view.conversationChanged(conversation);
  }

  /**
   * Return the files of a group, the newest first.
   * @param {Conversation} conversation
   * @returns {Promise<GroupFile[]>}
   */
  async files({ id }) {
    const { files } = await this.client.people.ask("channel/get_group_file_list2", {
      group_uin: id,
    });
    return (Array.isArray(files) ? files : [])
      .map((file) => ({
        name: visibleName(file.name),
        size: Number(file.size) || 0,
        key: String(file.rkey),
        sender: Number(file.send_uin),
        expires: Number(file.expire_time) || 0,
      }))
      .reverse();
  }

  /** @param {Conversation} conversation @param {string} key */
  async deleteFile({ id }, key) {
    await this.ask("channel/delete_group_file2", { group_uin: id, rkey: key });
  }
}
