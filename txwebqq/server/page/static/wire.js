// @ts-check
// The formats of replies and of contents: calls of JavaScript, the log of a friend,
// replies to uploads, and the elements of a message (docs/protocol.md 2.1, 2.8.2, 4).

/**
 * A part of a message.
 * @typedef {{type: "text", text: string}
 *   | {type: "face", id: number}
 *   | {type: "mention", number: number, name: string}
 *   | {type: "reply", id: number}
 *   | {type: "link", url: string, text: string}
 *   | {type: "groupPicture", name: string, fileId: number, server: string}
 *   | {type: "friendPicture", name: string}
 *   | {type: "photo", path: string, name: string, size: number, ok: boolean}
 *   | import("./account/files.js").FileSegment
 *   | {type: "unknown"}} Segment
 */

/**
 * @typedef {{name: string, size: number, color: string, style: number[]}} Font
 */

/** @type {Font} */
export const DEFAULT_FONT = { name: "宋体", size: 10, color: "000000", style: [0, 0, 0] };

/** A reply that has another form than the protocol says. */
export class MalformedReply extends Error {}

const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|([^]))/g;
const ESCAPED = { n: "\n", r: "\r", t: "\t" };

/** @param {string} text */
function unescape(text) {
  return text.replace(ESCAPE, (_, byte, unit, other) => {
    if (other !== undefined) {
      return ESCAPED[/** @type {keyof typeof ESCAPED} */ (other)] ?? other;
    }
    return String.fromCharCode(parseInt(byte ?? unit, 16));
  });
}

/**
 * Return the arguments of a call such as `ptuiCB('0','0','')`, all of them texts.
 * @param {string} text
 * @returns {string[]}
 */
export function callArguments(text) {
  const call = /^\s*\w+\s*\(([^]*)\)\s*;?\s*$/.exec(text);
  if (call === null) {
    throw new MalformedReply("not a call");
  }
  const found = [];
  for (const [, argument] of call[1].matchAll(/'((?:[^'\\]|\\[^])*)'/g)) {
    found.push(unescape(argument));
  }
  return found;
}

/**
 * Return the bytes that a text of `\xNN` stands for.
 * @param {string} text
 */
export function bytesOf(text) {
  return Uint8Array.from(text, (unit) => unit.charCodeAt(0) & 255);
}

/**
 * Return the object in the page that answers an upload.
 * @param {string} text
 * @returns {any}
 */
export function parseUploadReply(text) {
  const object = text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1);
  try {
    return JSON.parse(object.includes('"') ? object : object.replaceAll("'", '"'));
  } catch {
    throw new MalformedReply("the reply to the upload is not readable");
  }
}

/** @param {any} value @returns {Font} */
function fontOf(value) {
  const { name, size, color, style } = value ?? {};
  return {
    name: typeof name === "string" ? name : DEFAULT_FONT.name,
    size: Math.min(Math.max(Number(size) || DEFAULT_FONT.size, 1), 72),
    color: /^[0-9a-f]{6}$/i.test(color) ? color : DEFAULT_FONT.color,
    style: Array.isArray(style) ? style.map((bit) => Number(bit) || 0) : [0, 0, 0],
  };
}

/** @param {any[]} element @returns {Segment} */
function segmentOf([kind, first, second]) {
  switch (kind) {
    case "face":
      return { type: "face", id: Number(first) };
    case "at":
      return { type: "mention", number: Number(first), name: String(second) };
    case "reply":
      return { type: "reply", id: Number(first) };
    case "cface":
      if (first !== null && typeof first === "object") {
        return {
          type: "groupPicture",
          name: String(first.name),
          fileId: Number(first.file_id) || 0,
          server: String(first.server ?? ""),
        };
      }
      return { type: "friendPicture", name: String(first) };
    case "offpic": {
      const { success, file_path: path } = first ?? {};
      return {
        type: "photo",
        path: String(path ?? ""),
        name: "",
        size: 0,
        ok: success === 1,
      };
    }
    default:
      return { type: "unknown" };
  }
}

/**
 * Read the content of an event, or of a message in the history. The last text loses the
 * space that servers add.
 * @param {unknown} elements
 * @returns {{font: Font, segments: Segment[]}}
 */
export function readContent(elements) {
  let font = DEFAULT_FONT;
  /** @type {Segment[]} */
  const segments = [];
  for (const element of Array.isArray(elements) ? elements : []) {
    if (typeof element === "string") {
      segments.push({ type: "text", text: element.replaceAll(/\r\n?/g, "\n") });
    } else if (Array.isArray(element)) {
      if (element[0] === "font") {
        font = fontOf(element[1]);
      } else {
        segments.push(segmentOf(element));
      }
    }
  }
  const last = segments.at(-1);
  if (last?.type === "text" && /[ \n]$/.test(last.text)) {
    last.text = last.text.slice(0, -1);
  }
  return {
    font,
    segments: segments.filter((each) => each.type !== "text" || each.text !== ""),
  };
}

/**
 * Return the elements of a message to send, without its font.
 * @param {Segment[]} segments
 */
function elementsOf(segments) {
  /** @type {any[]} */
  const elements = [];
  for (const segment of segments) {
    switch (segment.type) {
      case "text":
        elements.push(segment.text);
        break;
      case "face":
        elements.push(["face", segment.id]);
        break;
      case "mention":
        elements.push(["at", segment.number, segment.name]);
        break;
      case "reply":
        elements.push(["reply", segment.id]);
        break;
      case "groupPicture":
        elements.push(["cface", "group", segment.name]);
        break;
      case "friendPicture":
        elements.push(["cface", segment.name]);
        break;
      case "photo":
        elements.push(["offpic", segment.path, segment.name, segment.size]);
        break;
    }
  }
  return elements;
}

/**
 * Return the `content` of a message to send: a text that holds JSON.
 * @param {Segment[]} segments
 */
export function writeContent(segments) {
  const elements = elementsOf(segments);
  // Servers refuse a message without any text.
  if (!elements.some((each) => typeof each === "string")) {
    elements.push("");
  }
  const { name, size, style, color } = DEFAULT_FONT;
  elements.push(["font", { name, size: String(size), style, color }]);
  return JSON.stringify(elements);
}

/**
 * Return the size of a content in bytes, as the server limits it (docs/protocol.md 4).
 * @param {Segment[]} segments
 */
export function contentSize(segments) {
  const encoder = new TextEncoder();
  return elementsOf(segments)
    .map((each) => (typeof each === "string" ? each : JSON.stringify(each)))
    .reduce((sum, text) => sum + encoder.encode(text).length, 0);
}

/**
 * Return the plain text of some segments, for lists and notifications.
 * @param {Segment[]} segments
 * @param {(id: number) => string} faceName
 * @param {string} picture the word for a picture
 */
export function plainText(segments, faceName, picture) {
  return segments
    .map((segment) => {
      switch (segment.type) {
        case "text":
          return segment.text;
        case "face":
          return `[${faceName(segment.id)}]`;
        case "mention":
          return `@${segment.name}`;
        case "groupPicture":
        case "friendPicture":
        case "photo":
          return `[${picture}]`;
        case "file":
          return segment.name;
        case "link":
          return segment.text;
        default:
          return "";
      }
    })
    .join("");
}

/**
 * Read the markup of a link that was shared in a group: texts, and links with titles.
 * @param {string} markup
 * @returns {Segment[]}
 */
export function readMarkup(markup) {
  /** @type {Segment[]} */
  const segments = [];
  for (const [, attributes] of markup.matchAll(/<n\b([^>]*)>/g)) {
    const values = new Map(
      [...attributes.matchAll(/(\w+)\s*=\s*"([^"]*)"/g)].map(([, name, value]) => [
        name,
        withoutEntities(value),
      ]),
    );
    const text = values.get("s") ?? "";
    const url = values.get("u") ?? "";
    if (/^https?:\/\//i.test(url)) {
      segments.push({ type: "link", url, text: text || url });
    } else if (text !== "") {
      segments.push({ type: "text", text });
    }
  }
  if (segments.length === 0) {
    const [url] = markup.match(/https?:\/\/[^\s"'<>]+/i) ?? [];
    if (url !== undefined) {
      const address = withoutEntities(url);
      segments.push({ type: "link", url: address, text: address });
    } else {
      segments.push({ type: "text", text: withoutEntities(markup.replaceAll(/<[^>]*>/g, " ")).trim() });
    }
  }
  return segments;
}

/** @param {string} text */
function withoutEntities(text) {
  /** @type {Record<string, string>} */
  const named = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
  return text.replaceAll(/&(#\d{1,7}|\w+);/g, (entity, name) => {
    if (name.startsWith("#")) {
      const code = Number(name.slice(1));
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : entity;
    }
    return named[name] ?? entity;
  });
}
