// @ts-check
// Kinds of pictures, their sizes, and whether they move, from their bytes.

/**
 * A picture as its head describes it.
 * @typedef {object} Description
 * @property {"jpeg" | "png" | "gif" | "bmp" | "webp" | "heif" | ""} kind "" for others
 * @property {number} width in pixels; 0 if it is not known
 * @property {number} height
 * @property {boolean} isAnimated
 */

/** The most pixels of a picture that is decoded, which takes 256 MiB of memory. */
export const MAX_PIXELS = 2 ** 26;

/** The bytes in which it is found out what a picture is: also whether a GIF moves. */
const HEAD = 2 ** 24;

/** A side that is so many times shorter than the other is hardly to be seen. */
const STRIP = 16;

/** The kinds that all WebQQ clients can show, so that servers take them. */
const COMMON = ["jpeg", "png", "gif", "bmp"];

const PNG_CHUNK = 12;
const GIF_IMAGE = 0x2c;
const GIF_EXTENSION = 0x21;

/** @param {Description} description */
export function isCommon({ kind }) {
  return COMMON.includes(kind);
}

/**
 * Describe the picture in a file.
 * @param {Blob} blob
 */
export async function describeBlob(blob) {
  return describe(new Uint8Array(await blob.slice(0, HEAD).arrayBuffer()));
}

/**
 * Return whether a picture is not too large for the browser, before it is decoded.
 * @param {Blob} blob
 */
export async function isShowable(blob) {
  const { width, height } = await describeBlob(blob);
  // What has no size may be of any.
  return width * height > 0 && width * height <= MAX_PIXELS;
}

/**
 * Return whether a picture is so long that nothing of it is to be seen when it is shown
 * smaller.
 * @param {number} width
 * @param {number} height
 */
export function isStrip(width, height) {
  return Math.max(width, height) > STRIP * Math.min(width, height);
}

/**
 * Describe a picture. One whose bytes end too early is described as far as they go.
 * @param {Uint8Array} bytes
 * @returns {Description}
 */
export function describe(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const begin = String.fromCharCode(...bytes.subarray(0, 12));
  try {
    if (begin.startsWith("\xff\xd8\xff")) {
      return describeJPEG(view);
    }
    if (begin.startsWith("\x89PNG\r\n\x1a\n")) {
      return describePNG(view);
    }
    if (/^GIF8[79]a/.test(begin)) {
      return describeGIF(view);
    }
    if (begin.startsWith("BM")) {
      return describeBMP(view);
    }
    if (/^RIFF[^]{4}WEBP/.test(begin)) {
      return describeWebP(view);
    }
    if (/^[^]{4}ftyp/.test(begin)) {
      return describeHEIF(view);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) {
      throw error;
    }
  }
  return described("", 0, 0);
}

/**
 * @param {Description["kind"]} kind
 * @param {number} width
 * @param {number} height
 * @param {boolean} [isAnimated]
 * @returns {Description}
 */
function described(kind, width, height, isAnimated = false) {
  return { kind, width, height, isAnimated };
}

/** @param {DataView} view @param {number} at */
function textAt(view, at) {
  return String.fromCharCode(...[0, 1, 2, 3].map((each) => view.getUint8(at + each)));
}

/** @param {DataView} view */
function describeJPEG(view) {
  let at = 2;
  for (;;) {
    const marker = view.getUint8(at + 1);
    // Others of these markers have tables.
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return described("jpeg", view.getUint16(at + 7), view.getUint16(at + 5));
    }
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2);
  }
}

/** @param {DataView} view */
function describePNG(view) {
  const width = view.getUint32(16);
  const height = view.getUint32(20);
  let at = 8;
  // An animation says so before the first picture.
  while (at + PNG_CHUNK <= view.byteLength && textAt(view, at + 4) !== "IDAT") {
    if (textAt(view, at + 4) === "acTL") {
      return described("png", width, height, true);
    }
    at += PNG_CHUNK + view.getUint32(at);
  }
  return described("png", width, height);
}

/** @param {DataView} view */
function describeGIF(view) {
  let width = view.getUint16(6, true);
  let height = view.getUint16(8, true);
  const tableSize = (/** @type {number} */ flags) =>
    (flags & 0x80) === 0 ? 0 : 3 << ((flags & 7) + 1);
  let at = 13 + tableSize(view.getUint8(10));
  let count = 0;
  try {
    while (count < 2) {
      const kind = view.getUint8(at);
      if (kind === GIF_IMAGE) {
        count += 1;
        if (count === 1) {
          // Browsers enlarge the picture to that of its first part.
          width = Math.max(width, view.getUint16(at + 1, true) + view.getUint16(at + 5, true));
          height = Math.max(height, view.getUint16(at + 3, true) + view.getUint16(at + 7, true));
        }
        at += 11 + tableSize(view.getUint8(at + 9));
      } else if (kind === GIF_EXTENSION) {
        at += 2;
      } else {
        break;
      }
      while (view.getUint8(at) !== 0) {
        at += 1 + view.getUint8(at);
      }
      at += 1;
    }
  } catch {
    // The last picture is cut off.
  }
  return described("gif", width, height, count > 1);
}

/** @param {DataView} view */
function describeBMP(view) {
  const isOld = view.getUint32(14, true) === 12;
  return isOld
    ? described("bmp", view.getUint16(18, true), view.getUint16(20, true))
    : // A picture whose first row is the upper one has a negative height.
      described("bmp", view.getInt32(18, true), Math.abs(view.getInt32(22, true)));
}

/** @param {DataView} view */
function describeWebP(view) {
  switch (textAt(view, 12)) {
    case "VP8X": {
      const size = (/** @type {number} */ at) =>
        1 + view.getUint16(at, true) + (view.getUint8(at + 2) << 16);
      return described("webp", size(24), size(27), (view.getUint8(20) & 2) !== 0);
    }
    case "VP8L": {
      const bits = view.getUint32(21, true);
      return described("webp", 1 + (bits & 0x3fff), 1 + ((bits >>> 14) & 0x3fff));
    }
    default:
      return described(
        "webp",
        view.getUint16(26, true) & 0x3fff,
        view.getUint16(28, true) & 0x3fff,
      );
  }
}

/**
 * Describe an HEIC or AVIF picture: by the largest of its parts, which are named in its
 * head.
 * @param {DataView} view
 */
function describeHEIF(view) {
  const [found, head] = [described("heif", 0, 0), Math.min(view.byteLength - 16, 1 << 16)];
  for (let at = 12; at <= head; at += 1) {
    if (view.getUint32(at) === 0x69737065) {
      found.width = Math.max(found.width, view.getUint32(at + 8));
      found.height = Math.max(found.height, view.getUint32(at + 12));
    }
  }
  return found;
}
