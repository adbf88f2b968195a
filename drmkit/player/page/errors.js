// Turns what went wrong into what a person should see: what it was, why, and what to do.

import { LicenseError, refusal } from "./license.js";

const MANIFEST = 0;
const LICENSE = 2;
const CERTIFICATE = 5;
const KEY = 6;
const WHAT = { [MANIFEST]: "manifest", 1: "media segment", [LICENSE]: "license", [CERTIFICATE]: "server certificate", [KEY]: "key" };
const SYSTEM_NAMES = { clearkey: "ClearKey", widevine: "Widevine", playready: "PlayReady", fairplay: "FairPlay" };

export const IDENTITY = "The playlist holds a key tag of format identity whose URI is the key ID. Players take what is there as the key itself.";
const SEGMENT_TOO_SHORT = "The file is cut short or is no media. Package the stream again.";

/** Shaka Player's codes that need no more than their name; the sentences are [title, text, advice]. */
const PLAIN = {
  1003: ["The network is too slow", "A request took too long.", "Check that the server answers, then press Play again."],
  2003: ["Subtitles cannot be read", "Their character encoding is unknown.", "Save them as UTF-8."],
  3000: ["A media file is damaged", "A box in it ends too early.", SEGMENT_TOO_SHORT],
  3014: ["The browser refused a media segment", "It could not be added to the buffer.", "The segment is damaged, or its codec is not what the manifest says."],
  3015: ["The browser refused the stream's codec", "No buffer could be made for it.", "Check the codecs in the manifest, or use another browser."],
  3017: ["The browser's buffer is full", "It has no room for another segment.", "Use shorter segments or a lower bitrate."],
  3018: ["A transport stream could not be converted", "Its segments hold what the player cannot repackage.", "Package with fMP4 segments, or use H.264 with AAC."],
  4000: ["This is no manifest", "The address gives neither DASH nor HLS.", "Give the URL of an .mpd or .m3u8 file."],
  4001: ["The DASH manifest is broken", "It is no well-formed XML, or its root is not MPD.", "Package the stream again."],
  4002: ["The DASH manifest is broken", "A representation has no segments.", "Package the stream again."],
  4003: ["The DASH manifest is broken", "An adaptation set is empty.", "Package the stream again."],
  4007: ["The DASH manifest is broken", "A cenc:pssh is no Base64.", "Look at it with `drmkit pssh show`."],
  4009: ["The DASH manifest is broken", "One representation names several key IDs.", "Give each its own, with a cenc:default_KID."],
  4010: ["The DASH manifest contradicts itself", "Two elements name different key IDs for one representation.", "Package the stream again."],
  4015: ["The HLS playlist is broken", "It does not begin with #EXTM3U.", "Package the stream again."],
  4016: ["The HLS playlist is broken", "A tag in it cannot be read.", "Package the stream again."],
  4023: ["The HLS playlist is broken", "A tag lacks an attribute that it must have.", "Package the stream again."],
  4024: ["The HLS playlist is broken", "It lacks a tag that it must have.", "Package the stream again."],
  4026: ["This browser cannot use the stream's keys", "No key format of the HLS playlist is known here.", "Package with Widevine signaling, or use the browser whose DRM the playlist names."],
  4032: ["This browser cannot decode the stream", "None of its codecs is supported here.", "Try another browser, or package H.264 and AAC, which all support (Chromium has no HEVC)."],
  4036: ["There is nothing to play", "The manifest lists no variant.", "Package the stream again."],
  4040: ["Encrypted transport streams do not play here", "HLS with SAMPLE-AES in .ts files plays in Safari alone.", "Package with fMP4 segments."],
  4041: ["This stream needs Safari's own player", "Its keys are for Apple's older key system.", "Open it in Safari."],
  4042: ["AES-128 needs a secure context", "The browser decrypts only on https, localhost and 127.0.0.1.", "Open the page at 127.0.0.1, or by https."],
  4048: ["The IV in the playlist is wrong", "AES-128 takes an IV of 16 bytes.", "Write it as 0x and 32 hexadecimal digits."],
  4049: ["The AES-128 key is wrong", "The key file has not the 16 bytes that AES-128 takes.", "Check what the URI of EXT-X-KEY answers: it must be the key alone, as bytes, not as text."],
  4053: ["The HLS playlist is empty", "It lists no segment.", "Package the stream again."],
  6000: ["The stream's DRM is unknown", "The manifest names no DRM system that the player knows.", "Package with Widevine, PlayReady, FairPlay or W3C Common signaling."],
  6002: ["The browser's DRM did not start", "Its module could not be made.", "Check that protected content is allowed in the browser's settings."],
  6003: ["The browser's DRM did not start", "It could not be joined to the video.", "Reload the page."],
  6004: ["The server certificate is refused", "The browser's DRM does not accept it.", "Check the certificate URL."],
  6005: ["The browser's DRM did not start a session", "Too many may be open.", "Close other players, then reload the page."],
  6006: ["No license could be asked for", "The browser's DRM does not understand the stream's PSSH box.", "Look at it with `drmkit pssh show`: it must be of the key system in use."],
  6008: ["The license is refused", "The browser's DRM does not accept what the license server answered.", "Check that the license URL is for this DRM system, and that it answers the license itself."],
  6010: ["The stream is encrypted, but the manifest does not say so", "No DRM system is named for encrypted media.", "Package again with signaling, or choose ClearKey above."],
  6012: ["No license server is set", "The stream is encrypted, and nothing says where its keys are.", "Enter a license URL."],
  6014: ["The license has expired", "Its keys may not be used any more.", "Press Play to ask for a new one."],
  6015: ["A server certificate is needed", "FairPlay asks for it before any license.", "Enter the server certificate URL."],
  6017: ["The server certificate could not be fetched", "Its address does not answer.", "Check the certificate URL."],
  6020: ["This browser has no DRM here", "Encrypted Media Extensions work on https, localhost and 127.0.0.1 alone.", "Open the page at 127.0.0.1, or by https."],
};

/**
 * What a person should see: `{title, text, advice, code}`. `context` holds `system`, `encrypted`, `aes128`,
 * `identity`, `kids`, `systems` and `undecodable` (codecs that the browser does not have).
 */
export function explain(error, context = {}) {
  if (error instanceof LicenseError) {
    return licence(error);
  }
  if (error?.explained) {
    return error.explained;
  }
  if (typeof error?.code === "number" && typeof error?.category === "number") {
    return { ...shaka(error, context), code: `Shaka Player error ${error.code}${name(error)}` };
  }
  if (context.aes128 && (error?.name === "OperationError" || error?.code === 0)) {
    return { ...wrongAesKey(), code: error.name };
  }
  const told = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { title: "The player failed", text: "Something happened that it does not foresee.", advice: "Reload the page, and look at the browser's console.", code: told };
}

function shaka(error, context) {
  switch (error.code) {
    case 1001:
    case 1002:
      return network(error);
    case 1010:
      return { title: "The server does not answer", text: "Every attempt has failed.", advice: "Check that it runs." };
    case 3016:
      return decoder(error, context);
    case 4012:
      return missingKey(context);
    case 6001:
      // The browser is asked for DRM system and codecs at once, and does not say which of them it lacks.
      return context.undecodable?.length ? undecodable(context.undecodable) : noModule(context.system, context.systems);
    case 6007:
      return error.data?.[0]?.code ? network(error.data[0], LICENSE) : unreachable("license");
    default: {
      const [title, text, advice] = PLAIN[error.code] ?? ["The stream does not play", "The player has no more to say than its code.", "Look the code up in Shaka Player's documentation."];
      return { title, text, advice };
    }
  }
}

function network(error, kind) {
  const [uri, second, body] = error.data ?? [];
  const type = kind ?? (error.code === 1001 ? error.data?.[4] : error.data?.[2]);
  const what = WHAT[type] ?? "file";
  if (error.code !== 1001) {
    return unreachable(what, uri);
  }
  if (type === LICENSE) {
    return licence(refusal(second, typeof body === "string" ? body : ""));
  }
  const where = `${address(uri)} answers HTTP ${second}.`;
  if (second === 404 || second === 410) {
    return { title: `The ${what} is not there`, text: where, advice: type === KEY ? "Check the URI of EXT-X-KEY." : "Check the URL, and that the folder is complete." };
  }
  if (second === 401 || second === 403) {
    return { title: `The ${what} is refused`, text: where, advice: "The server wants a login or a signed URL, or the URL has expired." };
  }
  return { title: `The ${what} could not be fetched`, text: where, advice: "Look at the server's log." };
}

function unreachable(what, uri) {
  const title = what === "license" ? "The license server does not answer" : `The ${what} could not be fetched`;
  const text = `${uri ? address(uri) : "Its address"} cannot be reached, or does not let this page read it (CORS).`;
  return { title, text, advice: "Check the URL, that the server runs, and that it allows pages of this origin." };
}

function licence(error) {
  const words = error.message ? `The license server says: ${error.message}.` : "";
  const code = error.status ? `license server: HTTP ${error.status}${error.code ? ` ${error.code}` : ""}` : "license server: no answer";
  if (error.code === "session-expired") {
    return { title: "The session has expired", text: "The license server gives no more keys to this page.", advice: "Reload the page to start a new session.", code };
  }
  if (error.code === "session-missing" || error.code === "session-unknown" || error.code === "code-used") {
    return { title: "This page has no session", text: words, advice: "Open the link that drmkit printed.", code };
  }
  if (error.code === "unknown-key" || error.status === 404) {
    return { title: "The key is missing", text: words || "The license server does not know the stream's keys, or is not at this URL.", advice: "Give the CPIX document that the stream was packaged with, or check the license URL.", code };
  }
  if (error.code === "unreachable") {
    return { ...unreachable("license"), code };
  }
  if (error.code === "malformed" && error.status === 200) {
    return { title: "The answer is no license", text: "The license server answered something that is no JSON Web Key Set.", advice: "Check that the license URL is that of a ClearKey license server.", code };
  }
  if (error.status === 401 || error.status === 403) {
    return { title: "The license is refused", text: words || `The license server answers HTTP ${error.status}: the session or token is not, or no longer, good.`, advice: "Get a new token, and check merchant, user and session ID.", code };
  }
  return { title: "The license server failed", text: words || `It answers HTTP ${error.status}.`, advice: "Check the license URL, and the server's log.", code };
}

function decoder(error, context) {
  if (context.identity) {
    return { title: "The playlist misleads the player", text: `${IDENTITY} Then they decrypt to noise.`, advice: "Delete that EXT-X-KEY line." };
  }
  if (context.aes128) {
    return wrongAesKey();
  }
  if (context.encrypted) {
    return { title: "The key is wrong", text: "The license was accepted, but what it decrypts to is no picture or sound.", advice: "The key of this key ID is not the one that the stream was encrypted with. Compare them with `drmkit stream check`." };
  }
  return { title: "The browser cannot decode the stream", text: `Its decoder failed${error.data?.[2] ? ` (${error.data[2]})` : ""}.`, advice: "The file is damaged, or encrypted without saying so." };
}

function wrongAesKey() {
  return { title: "The key is wrong", text: "The AES-128 key does not open the segments.", advice: "Check the key behind the URI of EXT-X-KEY, and the IV: without one, it is the segment's media sequence number." };
}

function missingKey(context) {
  return { title: "The key is missing", text: "The license holds no key for this stream, so nothing of it can be played.", advice: `Give the CPIX document that the stream was packaged with${context.kids?.length ? ": the key IDs that it asks for are listed below" : ""}.` };
}

function undecodable(codecs) {
  const [title, , advice] = PLAIN[4032];
  return { title, text: `It has no decoder for ${codecs.join(" and ")}.`, advice };
}

/** What to say where this browser has no CDM for a system. */
export function noModule(system, signaled) {
  const name = SYSTEM_NAMES[system] ?? "its DRM";
  const homes = { widevine: "Widevine is in Google Chrome, Edge and Firefox, but not in plain Chromium.", playready: "PlayReady is in Edge on Windows.", fairplay: "FairPlay is in Safari." };
  const told = signaled?.length ? ` The stream is signaled for ${signaled.join(", ")}.` : "";
  if (system === "clearkey") {
    return { title: "This browser does not play the stream's DRM", text: `The manifest signals nothing that ClearKey can use.${told}`, advice: "Check that the page found the stream's key IDs." };
  }
  return { title: `This browser has no ${name}`, text: `Its decryption module (CDM) is not here.${told}`, advice: homes[system] ?? "Use a browser that has it, or keys and ClearKey." };
}

function name(error) {
  const names = globalThis.shaka?.util?.Error?.Code ?? {};
  const found = Object.keys(names).find((key) => names[key] === error.code);
  return found ? ` ${found}` : "";
}

/** Where a file is, without its query, which can hold a token. */
function address(uri) {
  try {
    const url = new URL(uri, location.href);
    return url.origin === location.origin ? url.pathname : `${url.origin}${url.pathname}`;
  } catch {
    return "The address";
  }
}
