// Reads what a manifest says about its encryption: which keys a player will need, before it needs them.

import { fromBase64, hexOf } from "./bytes.js";

const CENC = "urn:mpeg:cenc:2013";
const COMMON = ["urn:uuid:1077efec-c0b2-4d02-ace3-3c1e52e2fb4b", "urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e"];
const SYSTEMS = {
  "edef8ba9-79d6-4ace-a3c8-27dcd51d21ed": "Widevine",
  "9a04f079-9840-4286-ab92-e65be0885f95": "PlayReady",
  "94ce86fb-07ff-4f43-adb8-93d2fa968ca2": "FairPlay",
  "1077efec-c0b2-4d02-ace3-3c1e52e2fb4b": "W3C Common",
  "e2719d58-a985-b3c9-781a-b030af78d30e": "ClearKey",
  "5e629af5-38da-4063-8977-97ffbd9902d4": "Marlin",
};
const HLS_FORMATS = { "com.apple.streamingkeydelivery": "FairPlay", "com.microsoft.playready": "PlayReady", identity: "identity" };
const MOST_PLAYLISTS = 24;
const INIT_BYTES = 65536;

/**
 * What a manifest says: `type` ("DASH", "HLS" or null), `schemes`, `kids` (hexadecimal), `systems` (names),
 * `aes128`, `common` (the browser's ClearKey can ask for its keys itself), `identity` (key tags that mislead players),
 * `codecs` (RFC 6381).
 */
export async function inspect(url) {
  const body = await load(url);
  const found = { type: null, schemes: new Set(), kids: new Set(), systems: new Set(), aes128: false, common: false, identity: false, codecs: new Set() };
  if (body.text.trimStart().startsWith("#EXTM3U")) {
    found.type = "HLS";
    await readHls(body.text, body.url, found);
  } else if (/<(\w+:)?MPD[\s/>]/.test(body.text.slice(0, 20000))) {
    found.type = "DASH";
    readDash(body.text, found);
  }
  return found;
}

async function load(url) {
  const response = await fetch(url, { referrerPolicy: "no-referrer", credentials: "omit" });
  if (!response.ok) {
    throw new Error(`HTTP ${response.status}`);
  }
  return { text: await response.text(), url: response.url || url };
}

function readDash(text, found) {
  const document = new DOMParser().parseFromString(text, "application/xml");
  let sets = 0;
  let common = 0;
  for (const element of document.getElementsByTagNameNS("*", "ContentProtection")) {
    const scheme = (element.getAttribute("schemeIdUri") ?? "").toLowerCase();
    for (const kid of (element.getAttributeNS(CENC, "default_KID") ?? "").split(/\s+/).filter(Boolean)) {
      found.kids.add(kid.toLowerCase().replace(/-/g, ""));
    }
    if (scheme === "urn:mpeg:dash:mp4protection:2011") {
      sets += 1;
      found.schemes.add((element.getAttribute("value") ?? "cenc").toLowerCase());
    } else if (scheme.startsWith("urn:uuid:")) {
      common += COMMON.includes(scheme);
      found.systems.add(SYSTEMS[scheme.slice("urn:uuid:".length)] ?? scheme.slice("urn:uuid:".length));
      if (!sets) {
        found.schemes.add("cenc");
      }
    }
  }
  found.common = common > 0 && common >= sets;
  for (const name of ["AdaptationSet", "Representation"]) {
    for (const element of document.getElementsByTagNameNS("*", name)) {
      addCodecs(element.getAttribute("codecs"), found);
    }
  }
}

async function readHls(text, url, found) {
  const playlists = new Set();
  for (const line of lines(text)) {
    const uri = line.startsWith("#") ? attributes(line, "#EXT-X-MEDIA:", "#EXT-X-I-FRAME-STREAM-INF:")?.URI : line;
    addCodecs(attributes(line, "#EXT-X-STREAM-INF:")?.CODECS, found);
    if (uri && text.includes("#EXT-X-STREAM-INF")) {
      playlists.add(new URL(uri, url).href);
    }
  }
  await readPlaylist(text, url, found);
  await Promise.all([...playlists].slice(0, MOST_PLAYLISTS).map(async (playlist) => {
    const body = await load(playlist);
    await readPlaylist(body.text, body.url, found);
  }));
}

function addCodecs(text, found) {
  for (const codec of (text ?? "").split(",").map((word) => word.trim()).filter(Boolean)) {
    found.codecs.add(codec);
  }
}

async function readPlaylist(text, url, found) {
  const maps = new Map();
  for (const line of lines(text)) {
    const key = attributes(line, "#EXT-X-KEY:", "#EXT-X-SESSION-KEY:");
    if (key) {
      readKeyTag(key, found);
    }
    const map = attributes(line, "#EXT-X-MAP:");
    if (map?.URI) {
      maps.set(new URL(map.URI, url).href, map.BYTERANGE);
    }
  }
  // A playlist can be silent about samples that are encrypted, so the segments are asked too.
  await Promise.all([...maps].map(([href, range]) => readInit(href, range, found)));
}

/** Note what a key tag says. */
function readKeyTag(key, found) {
  if (key.METHOD === "NONE") {
    return;
  }
  if (/^AES-(128|256)/.test(key.METHOD ?? "")) {
    found.aes128 = true;
    found.schemes.add(key.METHOD.toLowerCase());
    return;
  }
  const format = (key.KEYFORMAT ?? "identity").toLowerCase();
  const system = HLS_FORMATS[format] ?? SYSTEMS[format.replace("urn:uuid:", "")] ?? format;
  if (system === "identity") {
    // Its URI is the way to the key itself (RFC 8216, 4.3.2.4); Shaka Packager writes the key ID there.
    found.identity = found.identity || (key.URI ?? "").startsWith("data:");
  } else {
    found.systems.add(system);
  }
  found.schemes.add(key.METHOD === "SAMPLE-AES-CTR" ? "cenc" : "cbcs");
  if (/^0x[0-9a-f]{32}$/i.test(key.KEYID ?? "")) {
    found.kids.add(key.KEYID.slice(2).toLowerCase());
  }
  const skd = /^skd:\/\/([A-Za-z0-9+/_=-]{22,24})$/.exec(key.URI ?? "");
  if (skd) {
    const bytes = fromBase64(skd[1]);
    if (bytes.length === 16) {
      found.kids.add(hexOf(bytes));
    }
  }
}

/** Take the key ID from the `tenc` box of an initialization segment (ISO/IEC 23001-7, clause 8.2). */
async function readInit(href, range, found) {
  const [length, start] = (range ?? "").split("@").map(Number);
  const headers = range ? { Range: `bytes=${start || 0}-${(start || 0) + length - 1}` } : {};
  const response = await fetch(href, { headers, referrerPolicy: "no-referrer", credentials: "omit" });
  if (!response.ok) {
    return;
  }
  const bytes = new Uint8Array(await response.arrayBuffer()).subarray(0, INIT_BYTES);
  for (const body of boxes(bytes, "tenc")) {
    if (body.length >= 24 && body[6] === 1) {
      found.kids.add(hexOf(body.subarray(8, 24)));
    }
  }
  for (const body of boxes(bytes, "schm")) {
    found.schemes.add(String.fromCharCode(...body.subarray(4, 8)));
  }
}

/** The bodies of all boxes of a type, wherever they stand. */
function boxes(bytes, type) {
  const mark = [...type].map((character) => character.charCodeAt(0));
  const found = [];
  for (let at = 4; at + 4 <= bytes.length; at += 1) {
    if (mark.every((code, index) => bytes[at + index] === code)) {
      const size = new DataView(bytes.buffer, bytes.byteOffset + at - 4).getUint32(0);
      found.push(bytes.subarray(at + 4, at - 4 + size));
    }
  }
  return found;
}

function lines(text) {
  return text.split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
}

/** The attributes of an HLS tag (RFC 8216, 4.2), or null if the line is another. */
function attributes(line, ...tags) {
  const tag = tags.find((name) => line.startsWith(name));
  if (!tag) {
    return null;
  }
  const found = {};
  for (const match of line.slice(tag.length).matchAll(/([A-Z0-9-]+)=("[^"]*"|[^",]*)/g)) {
    found[match[1]] = match[2].replace(/^"|"$/g, "");
  }
  return found;
}

