// @ts-check
// Pictures, decoded before they are sent, and made smaller where the server takes no
// larger ones.

import { attempts, halvings } from "./attempts.js";
import { MAX_PIXELS, describeBlob, isCommon } from "./formats.js";

/** A picture that cannot be sent: nobody could see it, or the server does not take it. */
export class Unsuitable extends Error {
  /**
   * @param {"largePicture" | "animation" | "pixels" | "unreadable"} problem
   * @param {number} limit in bytes
   */
  constructor(problem, limit) {
    super(problem);
    this.problem = problem;
    this.limit = limit;
  }
}

/**
 * Return a picture that the server takes: as it is, or as a smaller JPEG.
 * @param {File} file
 * @param {number} limit in bytes
 * @param {AbortSignal} [signal] ends it between two steps
 * @returns {Promise<File>}
 * @throws {Unsuitable}
 */
export async function fitted(file, limit, signal) {
  const description = await describeBlob(file);
  const isTaken = isCommon(description) && file.size <= limit;
  const { isAnimated, width, height } = description;
  if (isAnimated && !isTaken) {
    throw new Unsuitable("animation", limit);
  }
  if (width * height > MAX_PIXELS) {
    throw new Unsuitable("pixels", limit);
  }
  // What has no size may be of any.
  const bitmap = width * height > 0 ? await decoded(file) : null;
  if (bitmap === null) {
    throw new Unsuitable("unreadable", limit);
  }
  try {
    if (isTaken) {
      return file;
    }
    const blob = await encoded(bitmap, limit, signal);
    const name = `${file.name.replace(/\.[^.]*$/, "")}.jpg`;
    return new File([blob], name, { type: blob.type });
  } catch (error) {
    if (signal?.aborted || error instanceof Unsuitable) {
      throw error;
    }
    // The browser has no memory for it, or makes no JPEG.
    throw new Unsuitable("unreadable", limit);
  } finally {
    bitmap.close();
  }
}

/**
 * Decode a picture, turned as the camera was.
 * @param {File} file
 * @returns {Promise<ImageBitmap | null>} null if the browser cannot read it
 */
async function decoded(file) {
  try {
    return await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return null;
  }
}

/**
 * @param {ImageBitmap} bitmap
 * @param {number} limit
 * @param {AbortSignal} [signal]
 * @returns {Promise<Blob>}
 */
async function encoded(bitmap, limit, signal) {
  const tries = attempts(bitmap.width, bitmap.height, limit);
  /** @type {OffscreenCanvas | null} the largest one, from which the others are made */
  let largest = null;
  /** @type {OffscreenCanvas | null} */
  let canvas = null;
  for (let next = tries.next(); !next.done; ) {
    const { width, height, quality } = next.value;
    if (canvas?.width !== width || canvas.height !== height) {
      canvas = drawn(largest ?? bitmap, width, height);
      largest ??= canvas;
    }
    const blob = await canvas.convertToBlob({ type: "image/jpeg", quality });
    signal?.throwIfAborted();
    if (blob.size <= limit) {
      return blob;
    }
    next = tries.next(blob.size);
  }
  throw new Unsuitable("largePicture", limit);
}

/**
 * Draw a picture smaller, in steps, and on white where it is transparent.
 * @param {ImageBitmap | OffscreenCanvas} source
 * @param {number} width
 * @param {number} height
 */
function drawn(source, width, height) {
  /** @type {ImageBitmap | OffscreenCanvas} */
  let canvas = source;
  for (const factor of halvings(source.width, width)) {
    const smaller = new OffscreenCanvas(width * factor, height * factor);
    const context = smaller.getContext("2d", { alpha: false });
    if (context === null) {
      throw new Error("no canvas");
    }
    // By half at most, the quickest way is good enough; others hold the page up.
    context.imageSmoothingQuality = "low";
    context.fillStyle = "white";
    context.fillRect(0, 0, smaller.width, smaller.height);
    context.drawImage(canvas, 0, 0, smaller.width, smaller.height);
    canvas = smaller;
  }
  return /** @type {OffscreenCanvas} */ (canvas);
}
