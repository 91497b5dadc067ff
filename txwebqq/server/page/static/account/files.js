// @ts-check
// Files for friends and groups: uploads, offers, downloads (docs/protocol.md 2.7.6, 2.7.7).

import { Refused, Unreachable } from "../server.js";

/** @typedef {import("./conversations.js").Conversation} Conversation */

/**
 * A file in a conversation.
 * @typedef {{type: "file", name: string, size: number, key: string}} FileSegment
 */

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
   * @returns {Promise<string>}
   */
  async upload(file, progress) {
    const { server, session } = this.client;
    const fields = {
      callback: "parent.EQQ.Model.ChatMsg.callbackSendOffFile",
      uin: String(session.number),
      fileid: "1",
      vfwebqq: server.vfwebqq,
    };
    const path = "ftn_access/upload_offline_file";
    const reply = await server.upload(path, fields, "file", file, progress);
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
   * Download a file.
   * @param {Conversation} conversation
   * @param {FileSegment} file
   * @param {(part: number) => void} progress
   * @returns {Promise<Blob>}
   */
  async fetch(conversation, { name, size, key }, progress) {
    const { server, session } = this.client;
    const { clientid, psessionid } = session;
    const isGroup = conversation.kind === "group";
    const path = isGroup ? "channel/get_group_file2" : encodeURIComponent(name || "file");
    /** @type {Record<string, string>} */
    const fields = isGroup
      ? { rkey: key, group_uin: String(conversation.id), range: "0", clientid, psessionid }
      : { ver: "2173", rkey: key, range: "0" };
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
}
