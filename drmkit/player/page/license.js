// What is sent to license servers: ClearKey requests, and the headers and forms of DRMtoday.

import { base64, base64url, bytesOfHex, fromBase64, hexOf, text, utf8 } from "./bytes.js";

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** A license server's refusal, in its own words. */
export class LicenseError extends Error {
  constructor(status, code, message) {
    super(message);
    this.name = "LicenseError";
    this.status = status;
    this.code = code;
  }
}

/** Read the JSON of a refusal; a server of another kind may have answered anything. */
export function refusal(status, body) {
  let found = {};
  try {
    found = JSON.parse(body) ?? {};
  } catch {
    found = {};
  }
  const word = (value) => (typeof value === "string" ? value : "");
  return new LicenseError(status, word(found.error), word(found.message));
}

/** Ask a ClearKey license server for keys; resolves to an object of hexadecimal key IDs and keys. */
export async function fetchKeys(url, kids, headers) {
  const body = JSON.stringify({ kids: kids.map((kid) => base64url(bytesOfHex(kid))), type: "temporary" });
  let response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body,
      referrerPolicy: "no-referrer",
      credentials: "omit",
    });
  } catch {
    throw new LicenseError(0, "unreachable", "");
  }
  const answer = await response.text();
  if (!response.ok) {
    throw refusal(response.status, answer);
  }
  let keys;
  try {
    keys = JSON.parse(answer).keys.filter((entry) => entry.kty === "oct");
    return Object.fromEntries(keys.map((entry) => [hexOf(fromBase64(entry.kid)), hexOf(fromBase64(entry.k))]));
  } catch {
    throw new LicenseError(response.status, "malformed", "");
  }
}

/** The key IDs, in hexadecimal, of the keys in a ClearKey license; none of another answer. */
export function givenBy(data) {
  try {
    return JSON.parse(text(data)).keys.map((entry) => hexOf(fromBase64(entry.kid)));
  } catch {
    return [];
  }
}

/** The key IDs, in hexadecimal, that a ClearKey license request of the browser asks for; none of another request. */
export function askedFor(body) {
  try {
    return JSON.parse(text(body)).kids.map((kid) => hexOf(fromBase64(kid)));
  } catch {
    return [];
  }
}

/**
 * The headers that a form asks for. A token stands alone, since DRMtoday wants one of the two and not both.
 * Throws an Error whose `field` names the field that is wrong.
 */
export function licenseHeaders({ token = "", merchant = "", user = "", session = "", other = "" }) {
  const headers = {};
  for (const line of other.split("\n").map((row) => row.trim()).filter(Boolean)) {
    const colon = line.indexOf(":");
    if (colon < 1 || !HEADER_NAME.test(line.slice(0, colon).trim())) {
      throw wrong("headers", "Write each header as Name: value, one a line.");
    }
    headers[line.slice(0, colon).trim()] = line.slice(colon + 1).trim();
  }
  const custom = [merchant, user, session].map((value) => value.trim());
  if (token.trim()) {
    if (/[^!-~]/.test(token.trim())) {
      throw wrong("token", "A token is one word of ASCII characters. Copy it again.");
    }
    headers["x-dt-auth-token"] = token.trim();
  } else if (custom.some(Boolean)) {
    const missing = ["merchant", "user", "drm-session"].find((_, index) => !custom[index]);
    if (missing) {
      throw wrong(missing, "DRMtoday's custom data needs all three: merchant, user ID and session ID.");
    }
    const [merchantId, userId, sessionId] = custom;
    headers["x-dt-custom-data"] = base64(utf8(JSON.stringify({ merchant: merchantId, userId, sessionId })));
  }
  return headers;
}

function wrong(field, message) {
  return Object.assign(new Error(message), { field });
}

/** DRMtoday's FairPlay server takes the request as a form field. */
export function wrapFairPlay(body) {
  return utf8(`spc=${encodeURIComponent(base64(body))}`);
}

/** DRMtoday's FairPlay server answers Base64, its Widevine server JSON around Base64; others answer the license itself. */
export function unwrapLicense(data, system) {
  const answer = text(data).trim();
  if (system === "widevine" && answer.startsWith("{")) {
    try {
      const { license } = JSON.parse(answer);
      return typeof license === "string" ? fromBase64(license) : data;
    } catch {
      return data;
    }
  }
  if (system === "fairplay" && /^[A-Za-z0-9+/=\s]+$/.test(answer)) {
    return fromBase64(answer.replace(/\s/g, ""));
  }
  return data;
}
