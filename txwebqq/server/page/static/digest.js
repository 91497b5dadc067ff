// @ts-check
// The digest of a password at the sign-on (docs/protocol.md 3.1). Browsers have no MD5.

const SHIFTS = [
  [7, 12, 17, 22],
  [5, 9, 14, 20],
  [4, 11, 16, 23],
  [6, 10, 15, 21],
];

const SINES = Array.from(
  { length: 64 },
  (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32) | 0,
);

/**
 * Return the MD5 of some bytes (RFC 1321), in 16 bytes.
 * @param {Uint8Array} bytes
 * @returns {Uint8Array}
 */
export function md5(bytes) {
  const padded = new Uint8Array((((bytes.length + 8) >> 6) + 1) << 6);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, bytes.length << 3, true);
  view.setUint32(padded.length - 4, Math.floor(bytes.length / 2 ** 29), true);
  let [a, b, c, d] = [0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476];
  for (let start = 0; start < padded.length; start += 64) {
    const [a0, b0, c0, d0] = [a, b, c, d];
    for (let i = 0; i < 64; i += 1) {
      let mixed;
      let word;
      if (i < 16) {
        mixed = (b & c) | (~b & d);
        word = i;
      } else if (i < 32) {
        mixed = (d & b) | (~d & c);
        word = (5 * i + 1) & 15;
      } else if (i < 48) {
        mixed = b ^ c ^ d;
        word = (3 * i + 5) & 15;
      } else {
        mixed = c ^ (b | ~d);
        word = (7 * i) & 15;
      }
      const sum =
        (a + mixed + SINES[i] + view.getUint32(start + 4 * word, true)) | 0;
      const shift = SHIFTS[i >> 4][i & 3];
      [a, d, c] = [d, c, b];
      b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0;
    }
    a = (a + a0) | 0;
    b = (b + b0) | 0;
    c = (c + c0) | 0;
    d = (d + d0) | 0;
  }
  const result = new DataView(new ArrayBuffer(16));
  [a, b, c, d].forEach((word, i) => result.setInt32(4 * i, word, true));
  return new Uint8Array(result.buffer);
}

/** @param {Uint8Array} bytes */
function hexadecimal(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
    .join("")
    .toUpperCase();
}

/**
 * Return the first digest of a password, which is as good as the password.
 * @param {string} password
 */
export function passwordHash(password) {
  return md5(new TextEncoder().encode(password));
}

/**
 * Return the `p` of a login.
 * @param {Uint8Array} hash the result of passwordHash
 * @param {Uint8Array} salt the eight bytes of the account
 * @param {string} code the verify code, or the text of the captcha
 */
export function loginDigest(hash, salt, code) {
  const salted = new Uint8Array(hash.length + salt.length);
  salted.set(hash);
  salted.set(salt, hash.length);
  const text = hexadecimal(md5(salted)) + code.toUpperCase();
  return hexadecimal(md5(new TextEncoder().encode(text)));
}
