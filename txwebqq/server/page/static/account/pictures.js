// @ts-check
// Pictures in messages, and avatars.

import { isShowable } from "../pictures/formats.js";
import { fitted } from "../pictures/shrink.js";
import { Refused } from "../server.js";

/** @typedef {import("./conversations.js").Conversation} Conversation */
/** @typedef {import("./conversations.js").Message} Message */
/** @typedef {import("../wire.js").Segment} Segment */

/** The server has refused the upload of a picture, with its `ret` as the code. */
export class PictureRefused extends Refused {}

/** A picture of others has too many pixels, or is none that the browser knows. */
export class Unshowable extends Error {}

/** The number of pictures and avatars that are kept. */
const KEPT = 300;

/** The pictures of one account. */
export class Pictures {
  /** @param {import("./client.js").Client} client */
  constructor(client) {
    this.client = client;
    /** @type {Map<string, Promise<Blob>>} */
    this.fetched = new Map();
  }

  /**
   * Return a picture as the server takes it: the same one, or a smaller one.
   * @param {File} file
   * @param {AbortSignal} [signal]
   * @throws {import("../pictures/shrink.js").Unsuitable}
   */
  fitted(file, signal) {
    return fitted(file, this.client.server.limits.picture, signal);
  }

  /**
   * Upload a picture, and return the segment that shows it in a conversation.
   * @param {Conversation} conversation
   * @param {File} file
   * @param {(part: number) => void} progress is told the part that is done, 0 to 1
   * @param {AbortSignal} signal ends the upload
   * @returns {Promise<Segment>}
   */
  async uploadPicture({ kind }, file, progress, signal) {
    const name = await this.uploadFace(file, progress, signal);
    return kind === "friend"
      ? { type: "friendPicture", name }
      : { type: "groupPicture", name, fileId: 0, server: "" };
  }

  /**
   * Upload a picture, and return the name by which the server knows it.
   * @param {File} file
   * @param {(part: number) => void} [progress]
   * @param {AbortSignal} [signal]
   * @returns {Promise<string>}
   */
  async uploadFace(file, progress, signal) {
    const fields = { vfwebqq: this.client.server.vfwebqq };
    const reply = await this.client.server.upload(
      "cgi-bin/cface_upload",
      fields,
      "custom_face",
      file,
      progress,
      signal,
    );
    const name = /^[0-9A-Fa-f]{32}\.\w{3,4}/.exec(String(reply.msg))?.[0];
    if (!(reply.ret === 0 || reply.ret === 4) || name === undefined) {
      throw new PictureRefused(Number(reply.ret), String(reply.msg ?? ""));
    }
    return name;
  }

  /**
   * Fetch the picture of a segment.
   * @param {Conversation} conversation
   * @param {Message} message
   * @param {Segment} segment
   * @returns {Promise<Blob>}
   */
  picture(conversation, message, segment) {
    const key = JSON.stringify([conversation.key, message.sender, segment]);
    return this.kept(key, () => this.fetchPicture(conversation, message, segment));
  }

  /**
   * Return a picture that is kept, or fetch it. Those that were asked for last are kept.
   * @param {string} key
   * @param {() => Promise<Blob>} fetch
   * @returns {Promise<Blob>} fails with {@link Unshowable} for a picture that must not be
   *   decoded
   */
  kept(key, fetch) {
    const found = this.fetched.get(key) ?? fetch().then(checked);
    this.fetched.delete(key);
    this.fetched.set(key, found);
    found.catch(() => this.fetched.delete(key));
    const [oldest] = this.fetched.keys();
    if (this.fetched.size > KEPT) {
      this.fetched.delete(oldest);
    }
    return found;
  }

  /**
   * @param {Conversation} conversation
   * @param {Message} message
   * @param {Segment} segment
   * @returns {Promise<Blob>}
   */
  fetchPicture({ kind, id }, message, segment) {
    const { vfwebqq } = this.client.server;
    const { clientid, psessionid } = this.client.session;
    switch (segment.type) {
      case "groupPicture": {
        if (message.isMine && segment.fileId === 0) {
          const fields = { cmd: 2, bd: segment.name, vfwebqq };
          return this.client.server.picture("cgi-bin/webqq_app/", fields);
        }
        const [rip, rport] = segment.server.split(":");
        const isGroup = kind === "group";
        return this.client.server.picture("cgi-bin/get_group_pic", {
          type: isGroup ? 0 : 1,
          gid: isGroup ? (this.client.roster.groups.get(id)?.code ?? 0) : id,
          uin: message.sender,
          rip: rip ?? "",
          rport: rport ?? "",
          fid: segment.fileId,
          pic: segment.name,
          vfwebqq,
        });
      }
      case "friendPicture":
        if (message.isMine) {
          const fields = { cmd: 2, bd: segment.name, vfwebqq };
          return this.client.server.picture("cgi-bin/webqq_app/", fields);
        }
        return this.client.server.picture("channel/get_cface2", {
          lcid: message.msgId,
          guid: segment.name,
          to: message.sender,
          count: 5,
          time: 1,
          clientid,
          psessionid,
        });
      case "photo":
        return this.client.server.picture("channel/get_offpic2", {
          file_path: segment.path,
          f_uin: message.sender,
          clientid,
          psessionid,
        });
      default:
        return Promise.reject(new Error("not a picture"));
    }
  }

  /**
   * Fetch the avatar of an account again, since it is another one.
   * @param {number} uin
   */
  forgetAvatar(uin) {
    this.fetched.delete(`avatar:false:${uin}`);
  }

  /**
   * Fetch the avatar of an account, or of a group by its code.
   * @param {number} id
   * @param {boolean} isGroup
   */
  avatar(id, isGroup) {
    const key = `avatar:${isGroup}:${id}`;
    return this.kept(key, () =>
      this.client.server.picture("cgi/svr/face/getface", {
        cache: 0,
        type: isGroup ? 4 : 1,
        fid: 0,
        uin: id,
        vfwebqq: this.client.server.vfwebqq,
      }),
    );
  }
}

/** @param {Blob} blob */
async function checked(blob) {
  if (await isShowable(blob)) {
    return blob;
  }
  throw new Unshowable("picture");
}
