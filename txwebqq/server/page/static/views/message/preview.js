// @ts-check
// The line below a recent conversation: its newest message, or the draft in it.

import { isolated, shortened } from "../../dom.js";
import { faceName } from "../../faces.js";
import { plainText } from "../../wire.js";
import { language, word } from "../../words.js";

/** @typedef {import("../../account/conversations.js").Conversation} Conversation */

/** The number of characters of a line. */
const LENGTH = 80;

/**
 * Return some segments as one text.
 * @param {import("../../wire.js").Segment[]} segments
 */
export function shownText(segments) {
  return plainText(segments, (id) => faceName(id, language), word("picture"));
}

/**
 * Return the line of a conversation.
 * @param {import("../../account/client.js").Client} client
 * @param {Conversation} conversation
 */
export function previewOf(client, conversation) {
  const { draft, isOpen, kind } = conversation;
  // That of an open conversation is in the field, and may be another one by now.
  if (draft !== null && !isOpen) {
    return `[${word("draft")}] ${lineOf(draft.text)}`;
  }
  const message = conversation.messages.at(-1);
  if (message === undefined) {
    return "";
  }
  const { isMine, isRecalled, segments, sender, state } = message;
  const text = isRecalled ? word("recalled") : lineOf(shownText(segments));
  if (state === "failed" || state === "unknown") {
    return `[${word(state)}] ${text}`;
  }
  const name = client.roster.nameOf(sender, client.membersOf(conversation));
  return kind === "friend" || isMine || name === "?" ? text : `${isolated(name)}: ${text}`;
}

/**
 * Return the beginning of a text, without line ends.
 * @param {string} text
 */
export function lineOf(text) {
  const begin = text.slice(0, 4 * LENGTH);
  const line = begin.replaceAll(/\s+/g, " ").trim();
  const shown = shortened(line, LENGTH);
  return shown === line && begin === text ? line : `${shown}…`;
}
