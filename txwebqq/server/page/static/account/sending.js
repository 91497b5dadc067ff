// @ts-check
// Own messages, and their way to the server.

import { Unsuitable } from "../pictures/shrink.js";
import { Oversized, Refused, Stalled } from "../server.js";
import { DEFAULT_FONT, writeContent } from "../wire.js";
import { PictureRefused } from "./pictures.js";

/** @typedef {import("./conversations.js").Conversation} Conversation */
/** @typedef {import("./conversations.js").Message} Message */
/** @typedef {import("../wire.js").Segment} Segment */

/** The time in milliseconds after which a message in doubt is sent again while there is
 * a connection: only the answer to that one was lost. */
const DOUBT = 5000;

/** The messages that one account sends. */
export class Sending {
  /** @param {import("./client.js").Client} client */
  constructor(client) {
    this.client = client;
    this.counter = 0;
    /** Whether messages in doubt are sent again after a while. */
    this.isWaiting = false;
    /** @type {(milliseconds: number, act: () => void) => void} the clock */
    this.later = (milliseconds, act) => void setTimeout(act, milliseconds);
    /** @type {WeakMap<Conversation, Promise<void>>} the pictures on their way, which keep
     *   the order in which they were chosen */
    this.pictures = new WeakMap();
  }

  /**
   * Send a message; it is in the conversation at once, with its state.
   * @param {Conversation} conversation
   * @param {Segment[]} segments
   */
  send(conversation, segments) {
    return this.deliver(conversation, this.add(conversation, segments));
  }

  /**
   * Send files, or pictures, one after another, and pictures behind those before; all are
   * in the conversation at once.
   * @param {Conversation} conversation
   * @param {File[]} files
   * @param {boolean} arePictures
   */
  async sendFiles(conversation, files, arePictures) {
    const messages = files.map((file) => {
      const { name, size } = file;
      const message = this.add(conversation, [{ type: "file", name, size, key: "" }]);
      const cancelling = new AbortController();
      message.upload = { file, isPicture: arePictures, progress: 0, path: "", cancelling };
      return message;
    });
    this.client.view.conversationChanged(conversation);
    const before = arePictures ? this.pictures.get(conversation) : undefined;
    const delivering = this.deliverAll(conversation, messages, before);
    if (arePictures) {
      this.pictures.set(conversation, delivering);
    }
    await delivering;
  }

  /**
   * @param {Conversation} conversation
   * @param {Message[]} messages
   * @param {Promise<void>} [before]
   */
  async deliverAll(conversation, messages, before) {
    await before?.catch(() => {});
    for (const message of messages) {
      await this.deliver(conversation, message);
    }
  }

  /**
   * Put a message that is to be sent into a conversation.
   * @param {Conversation} conversation
   * @param {Segment[]} segments
   */
  add(conversation, segments) {
    /** @type {Message} */
    const message = {
      id: 0,
      sender: this.client.session.number,
      isMine: true,
      time: this.client.server.now,
      segments,
      font: DEFAULT_FONT,
      state: "sending",
      msgId: 0,
      sendId: randomId(),
    };
    conversation.begin(message, message.time);
    return message;
  }

  /**
   * Send a message once more that was not delivered, or perhaps not. A server that knows
   * its id does not deliver it twice.
   * @param {Conversation} conversation
   * @param {Message} message
   */
  retry(conversation, message) {
    message.state = "sending";
    message.problem = undefined;
    message.reason = undefined;
    conversation.begin(message, this.client.server.now);
    return this.deliver(conversation, message);
  }

  /**
   * Forget a message that is not delivered, or end its upload.
   * @param {Conversation} conversation
   * @param {Message} message
   */
  discard(conversation, message) {
    message.upload?.cancelling.abort();
    conversation.remove(message);
    this.client.unsent.keep();
    this.client.view.conversationChanged(conversation);
  }

  /** Send what is in doubt again; the client does so when a lost connection is back. */
  async repeat() {
    this.isWaiting = false;
    if (this.client.state === "online") {
      await this.client.unsent.sendAgain().catch(() => {});
    }
  }

  /**
   * @param {Conversation} conversation
   * @param {Message} message
   */
  async deliver(conversation, message) {
    const isDiscarded = () => !conversation.messages.includes(message);
    if (isDiscarded()) {
      return;
    }
    this.client.unsent.keep();
    this.client.view.conversationChanged(conversation);
    let isAsked = false;
    try {
      await this.upload(conversation, message);
      if (isDiscarded()) {
        return;
      }
      const [path, values] = await this.request(conversation, message);
      isAsked = true;
      const told = await this.client.server.accepted(path, { r: JSON.stringify(values) });
      if (message.upload !== undefined) {
        message.upload = undefined;
        message.segments = [withKey(message.segments[0], told.result?.rkey)];
      }
      const id = Number(told.msg_id2) || 0;
      conversation.sent(message, { id, time: Number(told.time) || 0 });
    } catch (error) {
      // A reply that is not readable may be that to a message that was delivered.
      message.state = error instanceof Refused || !isAsked ? "failed" : "unknown";
      if (error instanceof Refused) {
        message.reason = error.text;
        if (message.upload !== undefined) {
          // The server may have the file no longer.
          message.upload.path = "";
        }
      }
      message.problem = problemOf(error);
      if (message.state === "unknown" && !this.isWaiting) {
        this.isWaiting = true;
        this.later(DOUBT, () => void this.repeat());
      }
    }
    this.client.unsent.keep();
    this.client.view.conversationChanged(conversation);
  }

  /**
   * Upload what a message has to be uploaded, unless it is.
   * @param {Conversation} conversation
   * @param {Message} message
   */
  async upload(conversation, message) {
    const { upload } = message;
    if (upload === undefined || upload.path !== "") {
      return;
    }
    const progress = (/** @type {number} */ part) => {
      upload.progress = part;
      this.client.view.conversationChanged(conversation);
    };
    const { files, pictures, server } = this.client;
    const { file } = upload;
    const { signal } = upload.cancelling;
    if (upload.isPicture) {
      upload.file = await pictures.fitted(file, signal);
      const { size } = upload.file;
      if (size < file.size) {
        message.shrunk = { from: file.size, to: size };
      }
      message.segments = [
        await pictures.uploadPicture(conversation, upload.file, progress, signal),
      ];
      message.upload = undefined;
    } else if (file.size > server.limits.file) {
      throw new Oversized(file.name);
    } else {
      upload.path = await files.upload(file, progress, signal);
    }
  }

  /**
   * @param {Conversation} conversation
   * @param {Message} message
   * @returns {Promise<[string, Record<string, unknown>]>} the path, and the fields
   */
  async request(conversation, { segments, sendId, upload }) {
    const { kind, id, shared } = conversation;
    const { clientid, psessionid } = this.client.session;
    if (upload !== undefined) {
      const { name } = upload.file;
      const [path, values] = this.client.files.request(conversation, name, upload.path);
      return [path, { ...values, send_id: sendId, clientid, psessionid }];
    }
    this.counter += 1;
    const counter = String(this.counter % 10000).padStart(4, "0");
    const common = {
      content: writeContent(segments),
      send_id: sendId,
      msg_id: Number(`${Math.floor(Date.now() / 1000) % 10000}${counter}`),
      clientid,
      psessionid,
    };
    const hasPicture = segments.some(({ type }) => type === "groupPicture");
    const signature =
      hasPicture && kind !== "friend" ? await this.pictureSignature() : {};
    if (shared !== null && !this.client.roster.friends.has(id)) {
      const { id: sharedId, type } = shared;
      const fields = { id: sharedId, to_uin: id, service_type: type, clientid, psessionid };
      const { value } = await this.client.server.ask("channel/get_c2cmsg_sig2", fields);
      const values = { to: id, group_sig: value, face: 0, service_type: type, ...common };
      return ["channel/send_sess_msg2", values];
    }
    switch (kind) {
      case "friend":
        return ["channel/send_buddy_msg2", { to: id, face: 0, ...common }];
      case "group": {
        const code = this.client.roster.groups.get(id)?.code ?? 0;
        const key = hasPicture ? { group_code: code, ...signature } : {};
        return ["channel/send_qun_msg2", { group_uin: id, ...key, ...common }];
      }
      default:
        return ["channel/send_discu_msg2", { did: id, ...signature, ...common }];
    }
  }

  async pictureSignature() {
    const { clientid, psessionid } = this.client.session;
    const fields = { clientid, psessionid };
    const reply = await this.client.server.ask("channel/get_gface_sig2", fields);
    return { key: reply.gface_key, sig: reply.gface_sig };
  }
}

/**
 * Return the segment of a file with the key by which the members of a group have it.
 * @param {Segment} segment
 * @param {unknown} key undefined for a file for a friend
 * @returns {Segment}
 */
function withKey(segment, key) {
  return segment.type === "file" ? { ...segment, key: String(key ?? "") } : segment;
}

/**
 * Return the name of the words for a failure, "" without any.
 * @param {unknown} error
 */
function problemOf(error) {
  if (error instanceof Oversized) {
    return "largeFile";
  }
  if (error instanceof Unsuitable) {
    return error.problem;
  }
  if (error instanceof PictureRefused) {
    return `picture${error.code}`;
  }
  if (error instanceof Refused) {
    return String(error.code);
  }
  return error instanceof Stalled ? "stalled" : "";
}

/** Return an id of 32 characters that no other message has. */
function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
