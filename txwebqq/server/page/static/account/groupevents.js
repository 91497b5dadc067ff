// @ts-check
// The events of groups that are no messages, and what they change.

import { DEFAULT_FONT, readMarkup } from "../wire.js";

/** A mute of all members lasts until it is ended. */
const FOREVER = 2 ** 31 - 1;

/**
 * Take an event of a group.
 * @param {import("./client.js").Client} client
 * @param {string} type
 * @param {any} value
 * @returns {boolean} whether it is one
 */
export function groupEventReceived(client, type, value) {
  const conversation = client.conversations.get("group", value.from_uin);
  const group = client.roster.groups.get(value.from_uin);
  switch (type) {
    case "group_edit":
      if (group !== undefined && typeof value.memo === "string") {
        group.memo = value.memo;
      }
      if (value.op_uin !== client.session.number) {
        void client.news.received(type, value, conversation);
      }
      if (typeof value.name === "string") {
        // A private name for the group goes before.
        refresh(client, client.lists.fetchGroups());
      }
      client.view.listsChanged();
      return true;
    case "group_request_answered":
      void client.news.received(type, value, conversation);
      return true;
    case "group_card": {
      const member = group?.members?.get(value.muin);
      if (member !== undefined) {
        member.card = String(value.card);
      }
      client.view.listsChanged();
      return true;
    }
    case "group_mute": {
      const seconds = Number(value.seconds) || 0;
      if (seconds === 0) {
        group?.mutes.delete(value.muin);
      } else {
        const until = seconds >= FOREVER ? Infinity : Date.now() + seconds * 1000;
        group?.mutes.set(value.muin, until);
      }
      client.view.listsChanged();
      return true;
    }
    case "group_reaction": {
      const face = String(value.face);
      const isSet = value.op_type !== 0;
      conversation.react(value.reacted_id, value.send_uin, face, isSet);
      client.view.conversationChanged(conversation);
      return true;
    }
    case "group_web_message": {
      const segments = readMarkup(String(value.xml ?? ""));
      const content = { font: DEFAULT_FONT, segments };
      client.events.contentReceived(
        "group",
        value.from_uin,
        value.send_uin,
        value,
        content,
      );
      return true;
    }
    default:
      return false;
  }
}

/**
 * Draw the lists when they are fetched.
 * @param {import("./client.js").Client} client
 * @param {Promise<void>} fetching
 */
function refresh(client, fetching) {
  void fetching.then(
    () => client.view.listsChanged(),
    () => {},
  );
}
