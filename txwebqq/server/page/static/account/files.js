// @ts-check
// Files for friends and groups: uploads, offers, downloads (docs/protocol.md 2.7.6, 2.7.7).

import { Refused, Unreachable } from "../server.js";
import { parseUploadReply } from "../wire.js";

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
   * Upload a file, and offer it to a friend or share it in a group.
   * @param {Conversation} conversation
   * @param {File} file
   * @param {(part: number) => void} progress is told the part that is done, 0 to 1
   * @returns {Promise<FileSegment>}
   */
  async send(conversation, file, progress) {
    const { server, session } = this.client;
    const { clientid, psessionid } = session;
    const form = new FormData();
    form.append("callback", "parent.EQQ.Model.ChatMsg.callbackSendOffFile");
    form.append("uin", String(session.number));
    form.append("fileid", "1");
    form.append("vfwebqq", server.vfwebqq);
    form.append("file", file, file.name);
    const url = new URL("ftn_access/upload_offline_file", server.base);
    const page = await upload(url, form, progress, server.leaving.signal);
    const reply = parseUploadReply(page);
    if (reply.retcode !== 0) {
      throw new Refused(Number(reply.retcode), String(reply.result ?? ""));
    }
    const stored = { file_path: reply.filepath, filename: file.name, clientid, psessionid };
    if (conversation.kind === "friend") {
      const values = { to: conversation.id, to_uin: conversation.id, ...stored };
      await server.askJSON("channel/send_offfile2", values);
      return { type: "file", name: file.name, size: file.size, key: "" };
    }
    const values = { group_uin: conversation.id, ...stored };
    const shared = await server.askJSON("channel/send_group_file2", values);
    return { type: "file", name: file.name, size: file.size, key: String(shared.rkey) };
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

/**
 * Upload a form. `fetch` tells no progress.
 * @param {URL} url
 * @param {FormData} form
 * @param {(part: number) => void} progress
 * @param {AbortSignal} signal ends it
 * @returns {Promise<string>}
 */
function upload(url, form, progress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("X-WebQQ-Page", "");
    request.upload.addEventListener("progress", ({ loaded, total }) =>
      progress(total > 0 ? loaded / total : 0),
    );
    request.addEventListener("load", () => resolve(request.responseText));
    request.addEventListener("error", () => reject(new Unreachable("upload")));
    request.addEventListener("abort", () => reject(new Unreachable("upload")));
    signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}
