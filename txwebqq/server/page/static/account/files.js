// @ts-check
// Files for friends and groups: uploads, offers, downloads (docs/protocol.md 2.7.6, 2.7.7).

import { Refused, Unreachable } from "../server.js";

/** @typedef {import("./conversations.js").Conversation} Conversation */

/**
 * A file in a conversation.
 * @typedef {object} FileSegment
 * @property {"file"} type
 * @property {string} name
 * @property {number} size 0 if it is not known
 * @property {string} key to download it with, or ""
 * @property {boolean} [isGone] whether the server has it no longer
 * @property {number} [offer] the id of the transfer, for a file that a friend offers
 *   without an upload
 * @property {string} [end] the word that says how the offer has ended
 */

/** What hides the end of a name: `tea\u202egpj.exe` looks like `teaexe.jpg`. */
const HIDING = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Return the name of a file of others, in which each character is where it is seen.
 * @param {unknown} name
 */
export function visibleName(name) {
  return String(name ?? "").replaceAll(HIDING, "\ufffd");
}

/**
 * Return the file of an event or of the history.
 * @param {any} value
 * @returns {FileSegment}
 */
export function readFile({ name, size, rkey }) {
  return {
    type: "file",
    name: visibleName(name),
    size: Number(size) || 0,
    key: String(rkey ?? ""),
  };
}

/**
 * Return whether two messages are of the same file: the event and the answer to an upload
 * do not tell all that the history tells.
 * @param {import("./conversations.js").Message} shown
 * @param {import("./conversations.js").Message} told
 */
export function isSameFile(shown, told) {
  const [a] = shown.segments;
  const [b] = told.segments;
  if (a?.type !== "file" || b?.type !== "file" || shown.state !== "sent") {
    return false;
  }
  if (shown.id !== 0 && told.id !== 0) {
    return shown.id === told.id;
  }
  if (a.key !== "" && b.key !== "") {
    return a.key === b.key;
  }
  const isEqual = a.name === b.name && a.size === b.size && a.offer === b.offer;
  return isEqual && shown.sender === told.sender && shown.time === told.time;
}

/** The files of one account. */
export class Files {
  /** @param {import("./client.js").Client} client */
  constructor(client) {
    this.client = client;
  }

  /**
   * Upload a file, and return the server's name for it.
   * @param {File} file
   * @param {(part: number) => void} progress is told the part that is done, 0 to 1
   * @param {AbortSignal} signal ends the upload
   * @returns {Promise<string>}
   */
  async upload(file, progress, signal) {
    const { server, session } = this.client;
    const fields = {
      callback: "parent.EQQ.Model.ChatMsg.callbackSendOffFile",
      uin: String(session.number),
      fileid: "1",
      vfwebqq: server.vfwebqq,
    };
    const path = "ftn_access/upload_offline_file";
    const reply = await server.upload(path, fields, "file", file, progress, signal);
    if (reply.retcode !== 0) {
      throw new Refused(Number(reply.retcode), String(reply.result ?? ""));
    }
    return String(reply.filepath);
  }

  /**
   * Return the request that offers an uploaded file to a friend, or shares it in a group.
   * @param {Conversation} conversation
   * @param {string} name
   * @param {string} path the server's name for the file
   * @returns {[string, Record<string, unknown>]} the path, and the fields
   */
  request({ kind, id }, name, path) {
    const stored = { file_path: path, filename: name };
    return kind === "friend"
      ? ["channel/send_offfile2", { to: id, to_uin: id, ...stored }]
      : ["channel/send_group_file2", { group_uin: id, ...stored }];
  }

  /**
   * Refuse a file that a friend offers.
   * @param {Conversation} conversation
   * @param {number} offer
   */
  async refuse({ id }, offer) {
    const { server, session } = this.client;
    const { clientid, psessionid } = session;
    const fields = { to: id, lcid: offer, clientid, psessionid };
    await server.ask("channel/refuse_file2", fields);
  }

  /**
   * Download a file.
   * @param {Conversation} conversation
   * @param {FileSegment} file
   * @param {(part: number) => void} progress
   * @returns {Promise<Blob>}
   */
  async fetch(conversation, file, progress) {
    const { server } = this.client;
    const { size } = file;
    const [path, fields] = this.place(conversation, file);
    const url = new URL(path, server.base);
    url.search = new URLSearchParams(fields).toString();
    const response = await server.get(url);
    if (response.body === null) {
      throw new Unreachable("no content");
    }
    /** @type {BlobPart[]} */
    const parts = [];
    let received = 0;
    for await (const part of response.body) {
      parts.push(part);
      received += part.length;
      progress(size > 0 ? Math.min(received / size, 1) : 0);
    }
    if (size > 0 && received < size) {
      throw new Unreachable("the file ended too early");
    }
    return new Blob(parts);
  }

  /**
   * Return where a file is: a path, and its parameters.
   * @param {Conversation} conversation
   * @param {FileSegment} file
   * @returns {[string, Record<string, string>]}
   */
  place({ kind, id }, { name, key, offer }) {
    const { clientid, psessionid } = this.client.session;
    if (offer !== undefined) {
      const fields = { lcid: String(offer), guid: name, to: String(id), count: "1", time: "0" };
      return ["channel/get_file2", { ...fields, psessionid, clientid }];
    }
    return kind === "group"
      ? [
          "channel/get_group_file2",
          { rkey: key, group_uin: String(id), range: "0", clientid, psessionid },
        ]
      : [encodeURIComponent(name || "file"), { ver: "2173", rkey: key, range: "0" }];
  }
}
