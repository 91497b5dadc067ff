// @ts-check
// The sentences of news and requests.

import { hasWord, word } from "../words.js";

/** @typedef {import("../account/news.js").Notice} Notice */

/** The `op_type` of a group that was dissolved, of a member who was removed, and of
 * another owner (docs/protocol.md 5.10). */
const DISSOLVED = 1;
const REMOVED = 3;
const OWNER = 255;

/** The `op_type` of the answer to a request to join a group that was refused. */
const REFUSED = 3;

/**
 * Return the name and the number of an account, as far as they are known.
 * @param {Notice["who"]} who
 */
export function personText({ name, number }) {
  if (name !== "" && number !== 0) {
    return word("nameAndNumber", { name, number });
  }
  return name || (number === 0 ? word("aMember") : String(number));
}

/**
 * Return the key of the sentence of news, "" without any.
 * @param {Notice} notice
 */
function keyOf({ kind, value }) {
  switch (kind) {
    case "group_leave":
      if (value.op_type === DISSOLVED) {
        return "groupDissolved";
      }
      return value.op_type === REMOVED ? "groupRemoved" : kind;
    case "group_admin_op":
      if (value.op_type === OWNER) {
        return "groupOwner";
      }
      return value.op_type % 2 === 1 ? "groupAdmin" : "groupNoAdmin";
    case "group_request_answered":
      // There is other news of one who has joined.
      return value.op_type === REFUSED ? kind : "";
    case "group_edit":
      return value.name !== undefined
        ? "groupName"
        : value.memo !== undefined
          ? "groupMemo"
          : kind;
    default:
      return kind;
  }
}

/**
 * Return whether news say that the account may not answer requests of a group any more.
 * @param {Notice} notice
 * @param {number} me the account
 */
export function isDismissal({ kind, value }, me) {
  if (kind !== "group_admin_op") {
    return false;
  }
  const isOwn = value.op_type === OWNER ? value.old_uin === me : value.uin === me;
  return isOwn && (value.op_type === OWNER || value.op_type % 2 === 0);
}

/**
 * Return whether news answer a request that the account has sent.
 * @param {Notice} notice
 * @param {number} me the account
 */
export function isAnswer({ kind, who }, me) {
  const isJoin = kind === "group_join" && who.uin === me;
  return isJoin || /^(verify_(pass|rejected)|group_request_join_(agree|deny))/.test(kind);
}

/**
 * Return the sentence of news, "" for those that tell the account nothing new.
 * @param {Notice} notice
 * @param {number} me the account
 */
export function newsText(notice, me) {
  const { by, kind, value, who } = notice;
  if (kind === "group_create" && who.uin === me) {
    return "";
  }
  if (kind === "group_request_answered" && value.op_uin === me) {
    return "";
  }
  const key = keyOf(notice);
  const isOwn = who.uin === me && hasWord(`${key}Own`);
  if (!hasWord(key)) {
    return "";
  }
  const person = kind === "group_edit" && who.uin === 0 ? word("operator") : personText(who);
  const name = notice.name || word("aGroup");
  const plain = isOwn ? `${key}Own` : key;
  const shown = by !== "" && hasWord(`${plain}By`) ? `${plain}By` : plain;
  return withText(word(shown, { who: person, name, by: by || word("aMember") }), notice);
}

/**
 * Return the sentence of a request.
 * @param {Notice} notice
 */
export function requestText(notice) {
  const { kind, name, who } = notice;
  const text = word(kind, { who: personText(who), name: name || word("aGroup") });
  return withText(text, notice);
}

/**
 * Return a sentence with the text that the other account has written, if any.
 * @param {string} sentence
 * @param {Notice} notice
 */
function withText(sentence, { value }) {
  const said = String(value.msg ?? "").trim();
  return said === "" ? sentence : sentence.replace(/[.。]$/, "") + word("said", { said });
}
