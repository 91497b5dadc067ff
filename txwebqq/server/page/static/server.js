// @ts-check
// Requests to the server: the one module that fetches.

import { MalformedReply, parseUploadReply } from "./wire.js";

/** A refusal of the server, with its code (docs/protocol.md 6). */
export class Refused extends Error {
  /**
   * @param {number} code
   * @param {string} text
   */
  constructor(code, text) {
    super(`${code} ${text}`);
    this.code = code;
    this.text = text;
  }
}

/** The page's own codes of the refusals of discussions. */
const TOO_FEW = -40001;
const TOO_MANY = -40002;
const BAD_NAME = -40003;
const GONE = 100001;

/**
 * The codes of refusals of discussions, which have the `retcode` 0, and a code in the
 * result; those of other paths are {@link GONE}.
 * @type {Record<string, (number | undefined)[]>}
 */
const DISCUSSION_CODES = {
  "channel/create_discu": [0, TOO_FEW, TOO_MANY],
  "channel/modify_discu_info": [0, GONE, BAD_NAME],
};

/**
 * Fail if a reply is a refusal.
 * @param {string} path
 * @param {any} reply
 * @throws {Refused}
 */
function check(path, { retcode, result, errmsg, tips }) {
  if (retcode !== 0) {
    throw new Refused(retcode, errmsg ?? tips ?? "");
  }
  const code = path.includes("discu") ? Number(result?.error || result?.result || 0) : 0;
  if (code !== 0) {
    throw new Refused(DISCUSSION_CODES[path]?.[code] ?? GONE, "");
  }
}

/** The server could not be asked, or its answer was lost. */
export class Unreachable extends Error {}

/** A file is larger than the server takes. */
export class Oversized extends Error {}

/** An upload has made no progress for {@link STALL} milliseconds. */
export class Stalled extends Unreachable {}

const STALL = 30_000;

/**
 * @typedef {object} Options
 * @property {AbortSignal} [signal] ends the request
 * @property {number} [seconds] the time limit of the request
 */

/**
 * The server, as one tab of a browser asks it. There are no cookies: the header
 * X-WebQQ-Page, which other sites can neither send nor read, carries what would be in
 * them.
 */
export class Server {
  /**
   * @param {typeof fetch} fetchURL
   * @param {string} base the address of the server, with a slash at its end
   */
  constructor(fetchURL, base) {
    this.fetchURL = fetchURL;
    this.base = base;
    /** @type {Map<string, string>} */
    this.jar = new Map();
    this.vfwebqq = "";
    this.leaving = new AbortController();
    /** The milliseconds by which the server's clock is ahead of that of the computer. */
    this.ahead = 0;
    /** Maximum sizes in bytes that the server has told.
     * @type {Record<"picture" | "file" | "message", number>} */
    this.limits = { picture: Infinity, file: Infinity, message: Infinity };
  }

  /** Unix seconds by the clock of the server, as the times of its messages are. */
  get now() {
    return Math.floor((Date.now() + this.ahead) / 1000);
  }

  /** End all requests, whose replies are about an account that has signed off. */
  forget() {
    this.leaving.abort();
    this.leaving = new AbortController();
    this.jar.clear();
    this.vfwebqq = "";
  }

  /**
   * Ask, and return the response.
   * @param {string} path without a slash at its beginning
   * @param {BodyInit} body
   * @param {Options} options
   * @returns {Promise<Response>}
   */
  async fetch(path, body, { signal, seconds = 30 } = {}) {
    const jar = [...this.jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const limit = AbortSignal.timeout(seconds * 1000);
    const ends = [limit, this.leaving.signal, ...(signal ? [signal] : [])];
    try {
      const response = await this.fetchURL(new URL(path, this.base), {
        method: "POST",
        headers: { "X-WebQQ-Page": jar },
        body,
        credentials: "omit",
        cache: "no-store",
        referrerPolicy: "no-referrer",
        signal: AbortSignal.any(ends),
      });
      for (const [name, value] of response.headers) {
        if (name.startsWith("x-webqq-")) {
          this.jar.set(name.slice("x-webqq-".length), value);
        } else if (name === "date") {
          this.ahead = Date.parse(value) - Date.now() || 0;
        }
      }
      return response;
    } catch (error) {
      throw new Unreachable(String(error));
    }
  }

  /**
   * Fetch a file, whose address has its key.
   * @param {URL} url
   * @returns {Promise<Response>}
   */
  async get(url) {
    try {
      const response = await this.fetchURL(url, {
        credentials: "omit",
        cache: "no-store",
        referrerPolicy: "no-referrer",
        signal: this.leaving.signal,
      });
      if (!response.ok) {
        throw new Refused(response.status, "");
      }
      return response;
    } catch (error) {
      throw error instanceof Refused ? error : new Unreachable(String(error));
    }
  }

  /**
   * Ask with fields, and return the text of the reply.
   * @param {string} path
   * @param {Record<string, string | number>} fields
   * @param {Options} [options]
   */
  async text(path, fields, options) {
    const pairs = Object.entries(fields).map(([name, value]) => [name, String(value)]);
    const response = await this.fetch(path, new URLSearchParams(pairs), options);
    if (response.status >= 500) {
      throw new Unreachable(`HTTP ${response.status}`);
    }
    try {
      return await response.text();
    } catch (error) {
      throw new Unreachable(String(error));
    }
  }

  /**
   * Ask with fields, and return the reply of JSON, whatever its code is.
   * @param {string} path
   * @param {Record<string, string | number>} fields
   * @param {Options} [options]
   * @returns {Promise<any>}
   */
  async reply(path, fields, options) {
    const text = await this.text(path, fields, options);
    try {
      return JSON.parse(text);
    } catch {
      throw new MalformedReply(`the reply to ${path} is not JSON`);
    }
  }

  /**
   * Ask with fields, and return the reply of JSON, unless it is a refusal.
   * @param {string} path
   * @param {Record<string, string | number>} fields
   * @param {Options} [options]
   * @returns {Promise<any>}
   */
  async accepted(path, fields, options) {
    const reply = await this.reply(path, fields, options);
    check(path, reply);
    return reply;
  }

  /**
   * Ask with fields, and return the `result`.
   * @param {string} path
   * @param {Record<string, string | number>} fields
   * @param {Options} [options]
   * @returns {Promise<any>}
   */
  async ask(path, fields, options) {
    const { result } = await this.accepted(path, fields, options);
    return result;
  }

  /**
   * Ask with one field `r` of JSON, and return the `result`.
   * @param {string} path
   * @param {object} values
   * @param {Options} [options]
   */
  askJSON(path, values, options) {
    return this.ask(path, { r: JSON.stringify(values) }, options);
  }

  /**
   * Upload a file in a form. There is no time limit but for an upload that stalls.
   * @param {string} path
   * @param {Record<string, string>} fields
   * @param {string} name the name of the file's field
   * @param {File} file
   * @param {(part: number) => void} [progress] is told the part that is done, 0 to 1
   * @param {AbortSignal} [signal] ends the upload
   * @returns {Promise<any>}
   */
  async upload(path, fields, name, file, progress = () => {}, signal) {
    const form = new FormData();
    for (const [field, value] of Object.entries(fields)) {
      form.append(field, value);
    }
    form.append(name, file, file.name);
    const url = new URL(path, this.base);
    const ends = [this.leaving.signal, ...(signal ? [signal] : [])];
    return parseUploadReply(await sendForm(url, form, progress, AbortSignal.any(ends)));
  }

  /**
   * Fetch a picture.
   * @param {string} path
   * @param {Record<string, string | number>} fields
   * @returns {Promise<Blob>}
   */
  async picture(path, fields) {
    const pairs = Object.entries(fields).map(([name, value]) => [name, String(value)]);
    const response = await this.fetch(path, new URLSearchParams(pairs));
    const type = response.headers.get("content-type") ?? "";
    if (!response.ok || !/^image\/(?:png|jpeg|gif|bmp|webp)\b/.test(type)) {
      throw new Refused(response.status, "not a picture");
    }
    return response.blob();
  }
}

/**
 * Send a form, and return the text of the reply. `fetch` tells no progress.
 * @param {URL} url
 * @param {FormData} form
 * @param {(part: number) => void} progress
 * @param {AbortSignal} signal ends it
 * @returns {Promise<string>}
 */
function sendForm(url, form, progress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    /** @type {AbortSignal | null} */
    let limit = null;
    const stalled = (/** @type {Event} */ { target }) => {
      if (target === limit) {
        reject(new Stalled("upload"));
        request.abort();
      }
    };
    const moved = () => {
      limit = AbortSignal.timeout(STALL);
      limit.addEventListener("abort", stalled);
    };
    const leave = () => request.abort();
    const end = () => {
      limit = null;
      signal.removeEventListener("abort", leave);
      reject(new Unreachable("upload"));
    };
    request.open("POST", url);
    request.setRequestHeader("X-WebQQ-Page", "");
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      moved();
      progress(total > 0 ? loaded / total : 0);
    });
    request.addEventListener("progress", moved);
    request.addEventListener("load", () => resolve(request.responseText));
    request.addEventListener("loadend", end);
    signal.addEventListener("abort", leave);
    moved();
    request.send(form);
  });
}
