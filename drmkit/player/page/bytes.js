// Key IDs, Base64 and UTF-8.

const HEX_KID = /^[0-9a-f]{32}$/;

/** The UUID form of a key ID that is written in hexadecimal, with or without dashes. */
export function uuid(text) {
  const hex = text.toLowerCase().replace(/-/g, "");
  return HEX_KID.test(hex) ? hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5") : text.toLowerCase();
}

export function hexOf(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function bytesOfHex(hex) {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export function base64(bytes) {
  return btoa(Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join(""));
}

export function base64url(bytes) {
  return base64(bytes).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** The bytes of Base64 or Base64url, with or without padding. */
export function fromBase64(text) {
  const plain = text.trim().replace(/-/g, "+").replace(/_/g, "/");
  return Uint8Array.from(atob(plain), (character) => character.charCodeAt(0));
}

export function utf8(text) {
  return new TextEncoder().encode(text);
}

export function text(bytes) {
  return new TextDecoder().decode(bytes);
}
