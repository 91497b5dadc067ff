// @ts-check
// Files that friends offer without an upload: the server passes them on while both are
// online (docs/protocol.md 2.7.5, 5.12, 5.13).

import { DEFAULT_FONT } from "../wire.js";
import { visibleName } from "./files.js";

/** @typedef {import("./files.js").FileSegment} FileSegment */

/** How an offer has ended, by the status of its transfer. */
const ENDS = new Map([
  [0, "offerDone"],
  [50, "offerFailed"],
  [51, "offerLate"],
  [53, "offerRefused"],
]);

/** How an offer has ended, by the reason that is given before the status. */
const REASONS = new Map([
  [1, "offerWithdrawn"],
  [3, "offerLate"],
]);

/**
 * Take a step of a transfer between friends.
 * @param {import("./client.js").Client} client
 * @param {any} value
 */
export function fileStepReceived(client, value) {
  const { cancel_type: reason, from_uin: uin, mode, name, session_id: session, time } = value;
  if (mode === "recv") {
    /** @type {FileSegment} */
    const file = { type: "file", name: visibleName(name), size: 0, key: "", offer: session };
    const content = { font: DEFAULT_FONT, segments: [file] };
    client.events.contentReceived("friend", uin, uin, { time }, content);
  } else if (mode === "refuse") {
    offerEnded(client, uin, session, REASONS.get(reason));
  }
}

/**
 * Take the progress of a transfer between friends.
 * @param {import("./client.js").Client} client
 * @param {any} value
 */
export function transferChanged(client, value) {
  const { file_infos: files, from_uin: uin, lc_id: session } = value;
  offerEnded(client, uin, session, ENDS.get(files?.[0]?.file_status));
}

/**
 * @param {import("./client.js").Client} client
 * @param {number} uin
 * @param {number} session
 * @param {string | undefined} end
 */
function offerEnded(client, uin, session, end) {
  const conversation = client.conversations.get("friend", uin);
  for (const message of conversation.messages) {
    const [file] = message.segments;
    const isOpen = file?.type === "file" && file.end === undefined;
    if (isOpen && file.offer === session && end !== undefined) {
      message.segments = [{ ...file, end }];
      client.view.conversationChanged(conversation);
    }
  }
}
