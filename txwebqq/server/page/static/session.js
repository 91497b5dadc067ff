// @ts-check
// Signing on and staying on: a session, its polls and its states.

import { loginDigest, passwordHash } from "./digest.js";
import { Refused, Unreachable } from "./server.js";
import { MalformedReply, bytesOf, callArguments } from "./wire.js";

/**
 * The states of a session:
 * - signedOff: nobody has signed on, or has signed off;
 * - signingOn: a sign-on is under way;
 * - online;
 * - reconnecting: the server does not answer, and is asked again and again;
 * - kicked: another client has signed on to the account;
 * - expired: only the password helps.
 * @typedef {"signedOff" | "signingOn" | "online" | "reconnecting" | "kicked"
 *   | "expired"} State
 */

/**
 * The part of a session that outlives a reload of the tab.
 * @typedef {object} Kept
 * @property {number} number
 * @property {string} ptwebqq
 * @property {string} clientid
 * @property {string} psessionid
 * @property {number} ack the last reply whose events were shown
 * @property {string} status
 */

/**
 * @typedef {object} Listener
 * @property {(state: State, detail: string) => void} stateChanged
 * @property {(isNew: boolean) => Promise<void>} joined a session is open; its lists have
 *   to be fetched if it is new
 * @property {(events: {poll_type: string, value: any}[]) => void} eventsReceived the
 *   oldest first
 */

const KEPT = "webqq-session";
export const APPID = 1003903;

/** The time limit of a poll in seconds; a server holds it for 50. */
const POLL_SECONDS = 75;

const LOWEST_WAIT = 500;
const HIGHEST_WAIT = 15000;

/** The codes of a login after which another one may succeed by itself. */
const LATER = new Set([1, 6]);

/** The codes of polls after which the session can be resumed. */
const RESUMABLE = new Set([120, 121, 100006, 100, 103, 100000]);
const LEFT = new Set([109, 110]);

/** The code of requests with a ticket that another sign-on has replaced. */
const REPLACED = 100;

/** A login that was refused. */
export class LoginRefused extends Error {
  /**
   * @param {number} code
   */
  constructor(code) {
    super(`login refused: ${code}`);
    this.code = code;
  }
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
    if (signal.aborted) {
      done();
    }
  });
}

/** One account, signed on in this tab. */
export class Session {
  /**
   * @param {import("./server.js").Server} server
   * @param {Storage} storage of the tab
   * @param {Listener} listener
   */
  constructor(server, storage, listener) {
    this.server = server;
    this.storage = storage;
    this.listener = listener;
    /** @type {State} */
    this.state = "signedOff";
    /** @type {Kept | null} */
    this.kept = null;
    /** @type {Uint8Array | null} */
    this.hash = null;
    this.stopping = new AbortController();
    this.waking = new AbortController();
    this.polling = new AbortController();
  }

  get number() {
    return this.kept?.number ?? 0;
  }

  get clientid() {
    return this.kept?.clientid ?? "";
  }

  get psessionid() {
    return this.kept?.psessionid ?? "";
  }

  /**
   * @param {State} state
   * @param {string} [detail]
   */
  become(state, detail = "") {
    this.state = state;
    this.listener.stateChanged(state, detail);
  }

  keep() {
    if (this.kept !== null) {
      this.storage.setItem(KEPT, JSON.stringify(this.kept));
    }
  }

  forget() {
    this.kept = null;
    this.hash = null;
    this.storage.removeItem(KEPT);
    this.server.forget();
  }

  /**
   * Return the session that this tab had before it was reloaded.
   * @returns {Kept | null}
   */
  stored() {
    try {
      const kept = JSON.parse(this.storage.getItem(KEPT) ?? "null");
      return kept !== null && Number.isInteger(kept.number) ? kept : null;
    } catch {
      return null;
    }
  }

  /**
   * Find out whether an account needs a captcha.
   * @param {number} number
   * @returns {Promise<{captcha: Blob | null, code: string, salt: Uint8Array}>}
   */
  async challenge(number) {
    const text = await this.server.text("check", {
      uin: number,
      appid: APPID,
      r: Math.random(),
    });
    const [flag, code, salt] = callArguments(text);
    if (salt === undefined) {
      throw new MalformedReply("check");
    }
    const captcha =
      flag === "0"
        ? null
        : await this.server.picture("getimage", {
            aid: APPID,
            r: Math.random(),
            uin: number,
          });
    return { captcha, code, salt: bytesOf(salt) };
  }

  /**
   * Sign on, and stay on until the account signs off.
   * @param {number} number
   * @param {Uint8Array} hash of the password
   * @param {{code: string, salt: Uint8Array}} challenge
   * @param {string} status
   * @throws {LoginRefused}
   */
  async signOn(number, hash, challenge, status) {
    this.stopping = new AbortController();
    this.become("signingOn");
    try {
      await this.logIn(number, hash, challenge);
      this.hash = hash;
      await this.join({
        number,
        ptwebqq: this.server.jar.get("ptwebqq") ?? "",
        clientid: String(10000000 + Math.floor(Math.random() * 89999999)),
        psessionid: "",
        ack: 0,
        status,
      });
      await this.listener.joined(true);
    } catch (error) {
      this.forget();
      this.become("signedOff");
      throw error;
    }
    this.become("online");
    void this.stayOn();
  }

  /**
   * @param {number} number
   * @param {Uint8Array} hash
   * @param {{code: string, salt: Uint8Array}} challenge
   */
  async logIn(number, hash, { code, salt }) {
    const text = await this.server.text("login", {
      u: number,
      p: loginDigest(hash, salt, code),
      verifycode: code,
      webqq_type: 10,
      aid: APPID,
    });
    const result = Number(callArguments(text)[0]);
    if (result !== 0) {
      throw new LoginRefused(result);
    }
  }

  /**
   * Open a session, or resume it.
   * @param {Kept} kept
   */
  async join(kept) {
    const result = await this.server.askJSON("channel/login2", {
      status: kept.status,
      ptwebqq: kept.ptwebqq,
      passwd_sig: "",
      clientid: kept.clientid,
      psessionid: kept.psessionid || null,
    });
    if (result.uin !== kept.number) {
      // Another account's session must not be taken for ours.
      throw new Refused(103, "another account");
    }
    this.server.vfwebqq = result.vfwebqq;
    this.server.jar.set("uin", `o${String(kept.number).padStart(10, "0")}`);
    this.kept = { ...kept, psessionid: result.psessionid, status: result.status };
    this.keep();
  }

  /**
   * Resume the session that this tab had before it was reloaded.
   * @returns {Promise<boolean>} whether there was one
   */
  async resume() {
    const kept = this.stored();
    if (kept === null) {
      return false;
    }
    this.stopping = new AbortController();
    this.kept = kept;
    this.become("signingOn");
    if (await this.rejoin(true)) {
      void this.stayOn();
    }
    return true;
  }

  /** Sign off. */
  async signOff() {
    const kept = this.kept;
    this.stopping.abort();
    this.forget();
    this.become("signedOff");
    if (kept !== null) {
      const { clientid, psessionid, ack } = kept;
      const fields = { ids: "", clientid, psessionid, ack };
      await this.server.ask("channel/logout2", fields, { seconds: 5 }).catch(() => {});
    }
  }

  /** Try at once what would be tried again later, because the network is back. */
  wake() {
    this.waking.abort();
    this.waking = new AbortController();
    if (this.state === "reconnecting") {
      this.polling.abort();
    }
  }

  /** Give up the poll, because the network is gone. */
  interrupt() {
    this.polling.abort();
  }

  async stayOn() {
    const { signal } = this.stopping;
    let wait = LOWEST_WAIT;
    let failures = 0;
    while (!signal.aborted) {
      try {
        if (this.state === "reconnecting") {
          // A poll that is held for a minute does not tell that the server is back.
          await this.listener.joined(false);
          if (signal.aborted) {
            return;
          }
          this.become("online");
        }
        const goesOn = await this.poll(signal);
        wait = LOWEST_WAIT;
        failures = 0;
        if (!goesOn) {
          return;
        }
      } catch (error) {
        if (signal.aborted) {
          return;
        }
        failures += 1;
        const isGone = error instanceof Refused && RESUMABLE.has(error.code);
        if (isGone || failures > 3) {
          failures = 0;
          if (!(await this.rejoin(false))) {
            return;
          }
          continue;
        }
        this.become("reconnecting", String(error));
        await pause(wait, AbortSignal.any([signal, this.waking.signal]));
        wait = Math.min(wait * 2, HIGHEST_WAIT);
      }
    }
  }

  /**
   * Ask for events once.
   * @param {AbortSignal} signal
   * @returns {Promise<boolean>} whether the session goes on
   */
  async poll(signal) {
    const kept = /** @type {Kept} */ (this.kept);
    const { clientid, psessionid, ack } = kept;
    this.polling = new AbortController();
    const reply = await this.server.reply(
      "channel/poll2",
      { r: JSON.stringify({ clientid, psessionid, key: 0, ids: [], ack }) },
      {
        signal: AbortSignal.any([signal, this.polling.signal]),
        seconds: POLL_SECONDS,
      },
    );
    if (signal.aborted) {
      return false;
    }
    if (reply.retcode === 116) {
      kept.ptwebqq = reply.p;
      this.keep();
      return true;
    }
    if (reply.retcode === 102) {
      return true;
    }
    if (LEFT.has(reply.retcode)) {
      this.forget();
      this.become("expired");
      return false;
    }
    if (reply.retcode !== 0) {
      throw new Refused(reply.retcode, reply.errmsg ?? "");
    }
    return this.take(reply);
  }

  /**
   * @param {any} reply
   * @returns {boolean} whether the session goes on
   */
  take(reply) {
    const kept = /** @type {Kept} */ (this.kept);
    const events = Array.isArray(reply.result) ? reply.result : [];
    const isKnown = typeof reply.ack === "number" && reply.ack <= kept.ack;
    // The newest comes first.
    const ordered = isKnown ? [] : inOrder(events);
    const kick = ordered.some((event) => event.poll_type === "kick_message");
    this.listener.eventsReceived(ordered);
    if (typeof reply.ack === "number" && reply.ack > kept.ack) {
      kept.ack = reply.ack;
      this.keep();
    }
    if (kick) {
      this.stopping.abort();
      this.forget();
      this.become("kicked");
    }
    return !kick;
  }

  /**
   * Resume the session, or sign on anew if that is refused.
   * @param {boolean} isNew whether the lists have to be fetched anyway
   * @returns {Promise<boolean>} whether there is a session now
   */
  async rejoin(isNew) {
    const { signal } = this.stopping;
    let wait = LOWEST_WAIT;
    let mustLogIn = false;
    let isJoined = false;
    while (!signal.aborted) {
      const kept = /** @type {Kept} */ (this.kept);
      try {
        if (!isJoined && mustLogIn) {
          await this.logInAgain(kept);
        } else if (!isJoined) {
          await this.join(kept);
        }
        isJoined = true;
        await this.listener.joined(isNew || mustLogIn);
        if (signal.aborted) {
          return false;
        }
        this.become("online");
        return true;
      } catch (error) {
        if (signal.aborted) {
          return false;
        }
        if (isJoined && error instanceof Refused && RESUMABLE.has(error.code)) {
          // The session is gone again.
          isJoined = false;
        } else if (error instanceof Refused && !isJoined && !mustLogIn) {
          const isReplaced = await this.isReplaced(kept);
          if (signal.aborted) {
            return false;
          }
          if (isReplaced === true) {
            this.forget();
            this.become("kicked");
            return false;
          }
          mustLogIn = isReplaced === false;
          if (mustLogIn && this.hash !== null) {
            continue;
          }
        }
        const isFinal =
          (mustLogIn && !isJoined && this.hash === null) ||
          error instanceof CaptchaNeeded ||
          (error instanceof LoginRefused && !LATER.has(error.code));
        if (isFinal) {
          this.forget();
          this.become("expired", String(error));
          return false;
        }
        this.become("reconnecting", String(error));
        await pause(wait, AbortSignal.any([signal, this.waking.signal]));
        wait = Math.min(wait * 2, HIGHEST_WAIT);
      }
    }
    return false;
  }

  /**
   * Return whether another client has signed on, which a page that slept may not have
   * been told; null if the server does not answer.
   * @param {Kept} kept
   */
  async isReplaced({ clientid, psessionid }) {
    try {
      await this.server.ask("channel/get_online_buddies2", { clientid, psessionid });
      return false;
    } catch (error) {
      return error instanceof Refused ? error.code === REPLACED : null;
    }
  }

  /** @param {Kept} kept */
  async logInAgain(kept) {
    const challenge = await this.challenge(kept.number);
    if (challenge.captcha !== null) {
      throw new CaptchaNeeded();
    }
    const hash = /** @type {Uint8Array} */ (this.hash);
    await this.logIn(kept.number, hash, challenge);
    const ptwebqq = this.server.jar.get("ptwebqq") ?? "";
    await this.join({ ...kept, ptwebqq, psessionid: "" });
  }
}

/** A sign-on in the background needs a captcha, which only a person can read. */
export class CaptchaNeeded extends Error {}

/**
 * Return the events of a reply, the oldest first.
 * @param {{poll_type: string, value: any}[]} events the newest first
 */
export function inOrder(events) {
  const time = (/** @type {{value: any}} */ event) => Number(event.value?.time) || 0;
  return [...events].reverse().sort((a, b) => {
    const isKickA = a.poll_type === "kick_message" ? 1 : 0;
    const isKickB = b.poll_type === "kick_message" ? 1 : 0;
    return isKickA - isKickB || time(a) - time(b);
  });
}

export { Refused, Unreachable, passwordHash };
