// @ts-check
// Conversations: their messages from polls, from the history and of one's own, each of
// them once and in order.

import { isSameFile } from "./files.js";

/**
 * A message. Those of one's own are on their way ("sending"), "failed" (certainly not
 * delivered) or "unknown" (the answer was lost) before they are "sent".
 * @typedef {object} Message
 * @property {number} id the id that all clients and the history know; 0 if it has none
 * @property {number} sender the uin of the author
 * @property {boolean} isMine
 * @property {number} time Unix seconds
 * @property {import("../wire.js").Segment[]} segments
 * @property {import("../wire.js").Font} font
 * @property {"sent" | "sending" | "failed" | "unknown"} state
 * @property {number} msgId the counter of the sender, for pictures
 * @property {string} [sendId] by which the server knows an own message that is sent again
 *   (docs/protocol.md 2.2.11)
 * @property {Upload} [upload] a file, or a picture that is not uploaded yet
 * @property {{from: number, to: number}} [shrunk] the sizes of an own picture that was
 *   made smaller, in bytes
 * @property {string} [problem] the code of a failure
 * @property {string} [reason] the words of the server about it
 * @property {boolean} [isRecalled]
 * @property {number} [recaller] the uin of who has recalled it
 * @property {Map<string, Set<number>>} [reactions] the members who have reacted, by the
 *   emoji or the number of an emoticon
 */

/**
 * What is uploaded before a message is sent.
 * @typedef {object} Upload
 * @property {File} file
 * @property {boolean} isPicture
 * @property {number} progress the part that is uploaded, 0 to 1
 * @property {string} path the server's name for the file, "" until it is uploaded
 * @property {AbortController} cancelling ends the upload
 */

/**
 * A message that is not sent yet.
 * @typedef {object} Draft
 * @property {string} text
 * @property {{name: string, number: number}[]} mentions
 * @property {Message | null} replied
 */

/**
 * @typedef {"friend" | "group" | "discussion"} Kind
 */

/** The number of messages that a conversation keeps while it is not open. */
const KEPT = 500;

/** @param {Kind} kind @param {number} id */
export function keyOf(kind, id) {
  return `${kind}:${id}`;
}

/** The messages with one friend, or in one group or discussion. */
export class Conversation {
  /**
   * @param {Kind} kind
   * @param {number} id a uin, gid or did
   */
  constructor(kind, id) {
    this.kind = kind;
    this.id = id;
    this.key = keyOf(kind, id);
    /** The number of the friend or group, which all sessions know it by; 0 until it is
     * known. */
    this.number = kind === "discussion" ? id : 0;
    /** @type {Message[]} */
    this.messages = [];
    /** @type {Draft | null} */
    this.draft = null;
    this.unread = 0;
    /** Unix seconds of the last message. */
    this.time = 0;
    /** Whether the history has older messages than those that were fetched. */
    this.hasOlder = false;
    this.isLoaded = false;
    /** Whether its messages are on the screen. */
    this.isOpen = false;
    /** Unix seconds: messages until then are in the server's count of unread ones. */
    this.countedUntil = 0;
    /** The id of the message up to which the server knows that it is read. */
    this.readTo = 0;
    this.isMarking = false;
    /** @type {{id: number, type: number} | null} the group (type 0) or discussion (1)
     *   that is shared with an account that is no friend */
    this.shared = null;
    /** @type {WeakSet<Message>} those of others that polls have brought */
    this.polled = new WeakSet();
    /** Unix milliseconds until which the friend is shown as typing. */
    this.typingUntil = 0;
  }

  /**
   * Add a message where its time puts it, unless it is there.
   * @param {Message} message
   * @returns {boolean} whether it is new
   */
  add(message) {
    const { messages } = this;
    const isKnown = (/** @type {Message} */ each) =>
      (message.id !== 0 && each.id === message.id) || isSameFile(each, message);
    const known = messages.find(isKnown);
    if (known !== undefined) {
      this.orderPolled(known);
      return false;
    }
    let at = messages.length;
    while (at > 0 && messages[at - 1].time > message.time) {
      at -= 1;
    }
    messages.splice(at, 0, message);
    this.orderPolled(message);
    this.time = Math.max(this.time, message.time);
    return true;
  }

  /**
   * Put a message that a poll has brought behind those of its second that polls have
   * brought before: it may be known as the newest one, or of the history, before them.
   * @param {Message} message
   */
  orderPolled(message) {
    const { messages } = this;
    const at = messages.indexOf(message);
    const last = messages.findLastIndex(
      (each) => each.time === message.time && this.polled.has(each),
    );
    if (last > at) {
      messages.splice(last, 0, ...messages.splice(at, 1));
    }
    if (!message.isMine) {
      this.polled.add(message);
    }
  }

  /**
   * Add messages of the history, the oldest first.
   * @param {Message[]} older
   * @param {boolean} [areNewer] whether those that are there go before them where times
   *   are the same, rather than behind them
   */
  addHistory(older, areNewer = false) {
    older.filter(isFile).forEach((file) => this.takeFile(file));
    const known = new Map(this.messages.map((each) => [each.id, each]));
    const fresh = older.filter(({ id }) => id === 0 || !known.has(id));
    for (const { id, reactions } of older) {
      const message = known.get(id);
      if (id !== 0 && message !== undefined && reactions !== undefined) {
        message.reactions = reactions;
      }
    }
    // An own message whose answer was lost is known to have arrived now, unless the
    // message of the history is another one, which was known to have arrived before.
    for (const message of fresh) {
      const lost = this.messages.findIndex(
        (each) => each.state === "unknown" && isSameText(each, message),
      );
      if (message.isMine && lost >= 0) {
        this.messages.splice(lost, 1);
      }
    }
    const places = new Map(older.map(({ id }, place) => [id, place]));
    places.delete(0);
    this.orderBy(places);
    const unknown = areNewer ? -1 : Infinity;
    this.messages = mergeByTime(fresh, this.messages, places, unknown);
    this.time = Math.max(this.time, this.messages.at(-1)?.time ?? 0);
  }

  /**
   * Take what the history tells of a file that is here.
   * @param {Message} file
   */
  takeFile(file) {
    const shown = this.messages.find((each) => isSameFile(each, file));
    if (shown === undefined) {
      return;
    }
    shown.id = file.id;
    if (JSON.stringify(shown.segments) !== JSON.stringify(file.segments)) {
      shown.segments = file.segments;
    }
  }

  /**
   * Put the messages that the history has into its order: a poll may bring those of one
   * second after the newest one, which the list of conversations has.
   * @param {Map<number, number>} places of ids
   */
  orderBy(places) {
    const placeOf = (/** @type {Message} */ { id }) => places.get(id);
    const ordered = this.messages
      .filter((each) => placeOf(each) !== undefined)
      .sort((a, b) => (placeOf(a) ?? 0) - (placeOf(b) ?? 0));
    this.messages = this.messages.map((each) =>
      placeOf(each) === undefined ? each : (ordered.shift() ?? each),
    );
  }

  /**
   * The server has taken a message of one's own.
   * @param {Message} message
   * @param {{id: number, time: number}} told
   */
  sent(message, { id, time }) {
    message.state = "sent";
    message.problem = undefined;
    message.id = id;
    message.time = time || message.time;
    this.time = Math.max(this.time, message.time);
    if (!this.messages.includes(message)) {
      return;
    }
    const copy = this.messages.findIndex((each) => each !== message && each.id === id);
    if (id !== 0 && copy >= 0) {
      this.messages.splice(copy, 1);
    }
    this.place(message);
  }

  /**
   * Put an own message that the server has taken just now where the others see it: behind
   * those that it had taken before.
   * @param {Message} message
   */
  place(message) {
    const { time } = message;
    const at = this.messages.indexOf(message);
    this.messages.splice(at, 1);
    const last = this.messages.findLastIndex(
      (each) =>
        each.state === "sent" && (each.time < time || (each.time === time && each.isMine)),
    );
    const next = this.messages.findIndex(
      (each) => each.state === "sent" && each.time > time,
    );
    const latest = next < 0 ? at : Math.min(at, next);
    this.messages.splice(Math.max(last + 1, latest), 0, message);
  }

  /**
   * Put an own message that is sent again behind all others.
   * @param {Message} message
   * @param {number} time Unix seconds
   */
  begin(message, time) {
    message.time = time;
    this.remove(message);
    this.messages.push(message);
    this.time = Math.max(this.time, time);
  }

  /**
   * Return whether a message whose answer was lost is here with its id.
   * @param {Message} message
   */
  hasArrived(message) {
    // The same text may have been sent before.
    return (
      message.state === "unknown" &&
      this.messages.some(
        (each) =>
          each.isMine && each.time >= message.time - 1 && isSameText(each, message),
      )
    );
  }

  /** The id of the newest message that the history has, 0 without one. */
  get newestStored() {
    return this.messages.findLast(isStored)?.id ?? 0;
  }

  /** The id of the oldest message that the history has, 0 without one. */
  get oldestStored() {
    return this.messages.find(isStored)?.id ?? 0;
  }

  /**
   * Forget the messages before another one that the history has as well.
   * @param {Message} first
   */
  forgetBefore({ time }) {
    this.messages = this.messages.filter(
      (each) => each.time >= time || each.id === 0 || isFile(each),
    );
  }

  /** Forget the oldest of many messages; the history has them. */
  forgetOldest() {
    const first = this.messages.length - KEPT;
    if (first <= 0) {
      return;
    }
    const { length } = this.messages;
    this.messages = this.messages.filter(
      (each, place) => place >= first || each.id === 0 || isFile(each),
    );
    this.hasOlder ||= this.messages.length < length;
  }

  /**
   * Take the server's number of unread messages, and the newest message.
   * @param {number} unread
   * @param {Message} last
   */
  count(unread, last) {
    // Later ones have come by a poll meanwhile.
    const later = this.messages.filter(
      (each) => !each.isMine && each.time > last.time && isStored(each),
    );
    this.unread = unread + later.length;
    this.countedUntil = last.time;
    if (!this.isLoaded) {
      this.addHistory([last]);
    }
  }

  /** @param {Message} message */
  remove(message) {
    this.messages = this.messages.filter((each) => each !== message);
  }

  /**
   * @param {number} id
   * @param {number} by the uin of who has recalled it
   */
  recall(id, by) {
    const message = this.messages.find((each) => each.id === id);
    if (message !== undefined) {
      const others = this.messages.filter((each) => !each.isMine && isStored(each));
      if (this.unread > 0 && others.slice(-this.unread).includes(message)) {
        this.unread -= 1;
      }
      message.isRecalled = true;
      message.recaller = by;
      message.segments = [];
      message.reactions = undefined;
    }
  }

  /**
   * A member has reacted to a message, or has taken a reaction back.
   * @param {number} id
   * @param {number} uin
   * @param {string} face
   * @param {boolean} isSet
   */
  react(id, uin, face, isSet) {
    const message = this.messages.find((each) => each.id === id);
    if (message === undefined || message.isRecalled) {
      return;
    }
    message.reactions ??= new Map();
    const uins = message.reactions.get(face) ?? new Set();
    message.reactions.set(face, uins);
    if (isSet) {
      uins.add(uin);
    } else {
      uins.delete(uin);
    }
  }
}

/** @param {Message} message */
export function isFile({ segments }) {
  return segments[0]?.type === "file";
}

/** Whether the history has a message. @param {Message} message */
function isStored(message) {
  const { id, state, isRecalled } = message;
  return id !== 0 && state === "sent" && isRecalled !== true && !isFile(message);
}

/** @param {Message} a @param {Message} b */
function isSameText(a, b) {
  return (
    Math.abs(a.time - b.time) <= 120 && writtenBy(a.segments) === writtenBy(b.segments)
  );
}

/**
 * Return segments as a text, without what the server tells of a file.
 * @param {import("../wire.js").Segment[]} segments
 */
function writtenBy(segments) {
  const own = segments.map((segment) =>
    segment.type === "file" ? [segment.name, segment.size] : segment,
  );
  return JSON.stringify(own);
}

/**
 * @param {Message[]} first
 * @param {Message[]} second
 * @param {Map<number, number>} places the order of ids where times are the same
 * @param {number} unknown the place of others in the second
 */
function mergeByTime(first, second, places, unknown) {
  const merged = [];
  let i = 0;
  let j = 0;
  while (i < first.length || j < second.length) {
    const takesFirst =
      j >= second.length || (i < first.length && isBefore(first[i], second[j]));
    merged.push(takesFirst ? first[i++] : second[j++]);
  }
  return merged;

  /** @param {Message} a @param {Message} b */
  function isBefore(a, b) {
    const place = places.get(b.id) ?? unknown;
    return a.time === b.time
      ? (places.get(a.id) ?? -1) < place
      : a.time < b.time;
  }
}

/** All conversations of the account. */
export class Conversations {
  constructor() {
    /** @type {Map<string, Conversation>} */
    this.all = new Map();
  }

  /**
   * Return a conversation, which is made if it is not there.
   * @param {Kind} kind
   * @param {number} id
   */
  get(kind, id) {
    const key = keyOf(kind, id);
    let found = this.all.get(key);
    if (found === undefined) {
      found = new Conversation(kind, id);
      this.all.set(key, found);
    }
    return found;
  }

  /** The conversations with messages or drafts, the latest first. */
  get recent() {
    return [...this.all.values()]
      .filter(({ draft, time }) => time > 0 || draft !== null)
      .sort((a, b) => b.time - a.time);
  }

  get unread() {
    return [...this.all.values()].reduce((sum, each) => sum + each.unread, 0);
  }

  /** Forget all, because the ids of a new session are others. */
  clear() {
    this.all.clear();
  }
}
