// @ts-check
// News that are no messages, and requests of others, with the names of the people and
// groups in them.

/** @typedef {import("./conversations.js").Conversation} Conversation */

/**
 * News, or a request of another account.
 * @typedef {object} Notice
 * @property {string} kind
 * @property {any} value the event
 * @property {Conversation | null} conversation the group, null for news of friends
 * @property {string} name of the group, or ""
 * @property {{uin: number, number: number, name: string}} who whom it is about, with
 *   the number 0 and an empty name where they are not known
 * @property {string} by the name of the administrator who has caused it, or ""
 */

/**
 * Return the account that an event is about.
 * @param {string} kind
 * @param {any} value
 * @returns {[unknown, unknown]} its uin and its number
 */
function personIn(kind, value) {
  switch (kind) {
    case "group_create":
      return [value.owner_uin, value.t_owner_uin];
    case "group_join":
      return [value.new_member, value.t_new_member];
    case "group_leave":
      return [value.old_member, value.t_old_member];
    case "group_request_join":
      return [value.request_uin, value.t_request_uin];
    case "group_request_answered":
      return [value.request_uin, 0];
    case "group_request_join_agree":
    case "group_request_join_deny":
      return [0, 0];
    case "group_admin_op":
      return [value.uin ?? value.new_uin, value.t_uin ?? value.t_new_uin];
    case "group_edit":
      return [value.op_uin, 0];
    default:
      return [value.from_uin, value.account];
  }
}

/**
 * Return the uin of the administrator who has caused an event, 0 without one.
 * @param {string} kind
 * @param {any} value
 */
function administratorIn(kind, value) {
  const isAnswer = kind === "group_request_answered";
  return Number(isAnswer ? value.op_uin : value.admin_uin) || 0;
}

/** The news of one account. */
export class News {
  /** @param {import("./client.js").Client} client */
  constructor(client) {
    this.client = client;
    this.telling = Promise.resolve();
    /** @type {Map<number, string>} the names of groups that were asked for, by code */
    this.groupNames = new Map();
  }

  /**
   * Tell of an event, as soon as the names in it are known, and after earlier ones.
   * @param {string} kind
   * @param {any} value
   * @param {Conversation | null} conversation
   * @param {Promise<unknown>} [lists] is done when the list of groups is new
   * @returns {Promise<void>}
   */
  received(kind, value, conversation, lists = Promise.resolve()) {
    const { client } = this;
    const { psessionid } = client.session;
    const before = conversation === null ? "?" : client.nameOf(conversation);
    const members = conversation === null ? null : client.membersOf(conversation);
    this.telling = this.telling
      .then(() => lists.catch(() => {}))
      .then(async () => {
        const [uin, number] = personIn(kind, value).map((each) => Number(each) || 0);
        const who = { uin, number, name: await this.nameOf(uin, members) };
        const by = await this.nameOf(administratorIn(kind, value), members);
        const now = conversation === null ? "?" : client.nameOf(conversation);
        const asked = this.groupNames.get(value.gcode);
        // A group that the account has left has the name of before only.
        const name = [now, before, asked].find((each) => each && each !== "?") ?? "";
        // The ids of another session are those of other people.
        if (client.session.psessionid === psessionid) {
          client.view.noticed({ kind, value, conversation, name, who, by });
        }
      })
      .catch((error) => console.error(`news ${kind}:`, error));
    return this.telling;
  }

  /**
   * Return the name of an account, "" if it may not be known.
   * @param {number} uin
   * @param {Map<number, import("./roster.js").Member> | null} members
   */
  async nameOf(uin, members) {
    const { lists, roster, session } = this.client;
    if (uin === 0 || uin === session.number) {
      return "";
    }
    if (roster.nameOf(uin, members) === "?") {
      await lists.fetchName(uin).catch(() => {});
    }
    const name = roster.nameOf(uin, members);
    return name === "?" ? "" : name;
  }
}
