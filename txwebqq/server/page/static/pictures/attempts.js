// @ts-check
// The sizes and qualities in which a picture is tried until it is small enough.

/** The numbers of pixels that are tried, the most first. */
const PIXELS = [2048 * 1536, 1600 * 1200, 1280 * 960, 1024 * 768, 800 * 600, 640 * 480];
const LAST_PIXELS = [480 * 360, 320 * 240, 160 * 120];

/** The qualities of JPEG that are tried with each. */
const QUALITIES = [0.85, 0.75, 0.65];

/** What is more times too large does not get small enough by a lower quality alone. */
const WORTH = 2;

/** The longest side of a picture that is drawn. */
const MAX_SIDE = 16_384;

/**
 * @typedef {object} Attempt
 * @property {number} width in pixels
 * @property {number} height
 * @property {number} quality of JPEG, 0 to 1
 */

/**
 * Generate the attempts to make a picture small enough. The one who asks says how large
 * the last one has become, in bytes.
 * @param {number} width
 * @param {number} height
 * @param {number} limit in bytes
 * @returns {Generator<Attempt, void, number>}
 */
export function* attempts(width, height, limit) {
  let before = 0;
  for (const pixels of [...PIXELS, ...LAST_PIXELS]) {
    const size = scaled(width, height, pixels);
    // All that are not larger are the same.
    if (size.width === before) {
      continue;
    }
    before = size.width;
    for (const quality of QUALITIES) {
      const bytes = yield { ...size, quality };
      if (bytes > limit * WORTH) {
        break;
      }
    }
  }
}

/**
 * Return the size of a picture with at most some pixels, in the same shape.
 * @param {number} width
 * @param {number} height
 * @param {number} pixels
 */
function scaled(width, height, pixels) {
  const most = Math.min(1, Math.sqrt(pixels / (width * height)));
  const factor = Math.min(most, MAX_SIDE / Math.max(width, height));
  const side = (/** @type {number} */ each) => Math.max(1, Math.round(each * factor));
  return { width: side(width), height: side(height) };
}

/**
 * Return the sizes through which a picture becomes smaller: by half at most each time,
 * so that all pixels of the larger one count.
 * @param {number} from
 * @param {number} to
 * @returns {number[]} the factors of the steps between, and 1 for the last one
 */
export function halvings(from, to) {
  const factors = [];
  for (let factor = 2; to * factor < from; factor *= 2) {
    factors.unshift(factor);
  }
  return [...factors, 1];
}
