// The page: the form, the session, and what is shown of a playback.

import { uuid } from "./bytes.js";
import { licenseHeaders } from "./license.js";
import { Playback, shortUrl } from "./playback.js";

const OWN_LICENSE = "/license/clearkey";
const REFRESH_MS = 250;
const MOST_EVENTS = 200;
const PHASES = {
  idle: ["idle", "Nothing is loaded", "Enter the URL of a DASH or HLS manifest and press Play."],
  loading: ["idle", "Loading", "Reading the manifest and asking for keys."],
  ready: ["warn", "Ready", "The browser wants a person to start the sound: press play in the picture."],
  playing: ["good", "Playing", ""],
  paused: ["idle", "Paused", ""],
  ended: ["good", "Played to the end", ""],
};

const element = (id) => document.getElementById(id);
const field = (id) => element(id).value;
const playback = new Playback(element("video"), { changed: show, note });
let session = document.documentElement.dataset.session;

function show() {
  const { state } = playback;
  document.documentElement.dataset.phase = state.phase;
  document.documentElement.dataset.error = state.error?.code ?? "";
  showBanner(state);
  put("fact-type", state.type ?? "–");
  put("fact-codecs", state.variant?.codecs ?? "–");
  put("fact-position", state.duration ? `${clock(state.position)} of ${clock(state.duration)}` : "–");
  put("fact-buffered", state.duration ? `${state.buffered.toFixed(1)} s ahead` : "–");
  put("fact-frames", state.duration ? `${state.decodedFrames} decoded, ${state.droppedFrames} dropped` : "–");
  put("fact-audio", state.duration ? (state.audioBytes === null ? "this browser does not tell" : size(state.audioBytes)) : "–");
  put("fact-encryption", state.schemes.length ? state.schemes.join(", ") : state.type ? "none" : "–");
  put("fact-systems", state.systems.length ? state.systems.join(", ") : "–");
  put("fact-key-system", state.system ?? "–");
  say("notes", state.notes.join(" "));
  showKeys(state);
  showVariants(state);
  element("stop").disabled = state.phase === "idle";
}

function showBanner({ phase, error, kids, keys, aes128 }) {
  const banner = element("banner");
  const [kind, title, told] = PHASES[phase] ?? [];
  banner.dataset.kind = error ? "error" : kind;
  // An alert interrupts a screen reader; what goes well need not.
  banner.setAttribute("role", error ? "alert" : "status");
  say("banner-title", error ? error.title : title);
  // No number that changes stands here: a screen reader would read out each.
  say("banner-text", error ? error.text : phase === "playing" || phase === "ended" ? summary({ kids, keys, aes128 }) : told);
  say("banner-advice", error?.advice ?? "");
  say("banner-code", error?.code ?? "");
}

function summary({ kids, keys, aes128 }) {
  const usable = Object.values(keys).filter((status) => status === "usable").length;
  const all = Math.max(kids.length, usable);
  if (!usable) {
    return aes128 ? "Decrypted with AES-128." : "It is not encrypted.";
  }
  return `Decrypted with ${all === 1 ? "one key" : usable === all ? `${all} keys` : `${usable} of ${all} keys`}.`;
}

function showKeys({ kids, asked, given, keys, error }) {
  const rows = [...new Set([...kids, ...asked, ...Object.keys(keys)])].sort();
  element("keys").hidden = rows.length === 0;
  const body = element("keys").tBodies[0];
  const answered = given.length > 0 || error;
  const cells = rows.map((kid) => {
    const waiting = asked.includes(kid) ? "asked for" : "not asked for";
    const status = keys[kid] ?? (given.includes(kid) ? "given" : answered && asked.includes(kid) ? "missing" : waiting);
    return [uuid(kid), status];
  });
  if (JSON.stringify(cells) === body.dataset.shown) {
    return;
  }
  body.dataset.shown = JSON.stringify(cells);
  body.replaceChildren(...cells.map(([kid, status]) => {
    const row = document.createElement("tr");
    row.insertCell().textContent = kid;
    const cell = row.insertCell();
    cell.textContent = status === "missing" ? "no key" : status;
    cell.dataset.status = status;
    return row;
  }));
}

function showVariants({ variants, variant }) {
  const select = element("quality");
  const shown = `${variants.join()}/${variant?.height}`;
  select.disabled = variants.length === 0;
  if (select.dataset.shown === shown) {
    return;
  }
  select.dataset.shown = shown;
  const chosen = select.dataset.chosen ?? "";
  const automatic = new Option(variant?.height ? `automatic (${variant.height}p)` : variant ? "sound alone" : "–", "");
  select.replaceChildren(automatic, ...variants.map((height) => new Option(`${height}p`, String(height))));
  select.value = variants.map(String).includes(chosen) ? chosen : "";
}

function put(id, text) {
  const target = element(id);
  if (target.textContent !== text) {
    target.textContent = text;
  }
}

/** Show sentences, with what stands in backquotes as code; nothing at all where there are none. */
function say(id, text) {
  const target = element(id);
  target.hidden = text === "";
  if (target.dataset.said !== text) {
    target.dataset.said = text;
    target.replaceChildren(...text.split("`").map((part, index) => {
      const node = document.createElement(index % 2 ? "code" : "span");
      node.textContent = part;
      return node;
    }));
  }
}

function note(text) {
  const item = document.createElement("li");
  const time = document.createElement("time");
  time.textContent = new Date().toTimeString().slice(0, 8);
  const words = document.createElement("span");
  words.textContent = text;
  item.append(time, words);
  const list = element("events");
  list.append(item);
  while (list.childElementCount > MOST_EVENTS) {
    list.firstElementChild.remove();
  }
  list.scrollTop = list.scrollHeight;
}

function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}.${Math.floor((seconds % 1) * 10)}`;
}

function size(bytes) {
  return bytes < 10000 ? `${bytes} bytes` : bytes < 1e7 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** What the form asks for. Throws an Error whose `field` names the field that is wrong. */
function wish() {
  const headers = licenseHeaders({
    token: field("token"),
    merchant: field("merchant"),
    user: field("user"),
    session: field("drm-session"),
    other: field("headers"),
  });
  const license = field("license").trim() && webAddress("license");
  return {
    manifest: webAddress("manifest"),
    license: license && withSession(license),
    system: field("system"),
    headers,
    certificate: field("certificate").trim() && webAddress("certificate"),
    height: Number(element("quality").dataset.chosen ?? 0),
  };
}

function webAddress(id) {
  const names = { manifest: "manifest", license: "license", certificate: "certificate" };
  let url = null;
  try {
    url = new URL(field(id).trim(), location.href);
  } catch {
    url = null;
  }
  if (!field(id).trim() || !url || !/^https?:$/.test(url.protocol)) {
    throw Object.assign(new Error(`Enter the ${names[id]} URL: it begins with https://, http:// or /.`), { field: id });
  }
  return url.href;
}

/** Show the session to the page's own license server, and to no other. */
function withSession(license) {
  const url = new URL(license);
  if (session && url.origin === location.origin && url.pathname === OWN_LICENSE && !url.searchParams.has("session")) {
    url.searchParams.set("session", session);
  }
  return url.href;
}

async function submit() {
  for (const input of document.querySelectorAll("[aria-invalid]")) {
    input.removeAttribute("aria-invalid");
    input.removeAttribute("aria-describedby");
  }
  say("form-error", "");
  let asked;
  try {
    asked = wish();
  } catch (error) {
    complain(error);
    return;
  }
  if (!(await shakaIsHere)) {
    return;
  }
  put("name", shortUrl(asked.manifest));
  document.title = `${shortUrl(asked.manifest)} – drmkit player`;
  await playback.load(asked);
}

function complain(error) {
  const input = element(error.field);
  input?.setAttribute("aria-invalid", "true");
  input?.setAttribute("aria-describedby", "form-error");
  const folded = input?.closest("details");
  if (folded) {
    folded.open = true;
  }
  input?.focus();
  say("form-error", error.message);
}

function announce(error) {
  playback.state.error = error;
  playback.state.phase = "failed";
  show();
}

/** Load Shaka Player, or say how to get it; resolves to whether it is here. */
function loadShaka() {
  return new Promise((resolve) => {
    const script = document.createElement("script");
    script.src = "shaka-player.js";
    script.addEventListener("load", () => {
      if (!globalThis.shaka?.Player) {
        announce({ title: "The file is not Shaka Player", text: "drmkit serves a file that does not define shaka.Player.", advice: "Name shaka-player.compiled.js with `--player-js` or `DRMKIT_PLAYER_JS`.", code: "" });
        resolve(false);
        return;
      }
      shaka.polyfill.installAll();
      put("versions", `Shaka Player ${shaka.Player.version}`);
      if (!shaka.Player.isBrowserSupported()) {
        announce({ title: "This browser is too old", text: "It lacks what Shaka Player plays with (Media Source Extensions).", advice: "Use another browser.", code: "" });
      }
      resolve(shaka.Player.isBrowserSupported());
    });
    script.addEventListener("error", () => {
      announce({
        title: "Shaka Player is missing",
        text: "The page plays with Shaka Player, which is not part of drmkit, and nothing is loaded from elsewhere.",
        advice: "Install it with `npm install shaka-player`, in the folder where drmkit runs or above; or name the file with `--player-js` or `DRMKIT_PLAYER_JS`. Then reload the page.",
        code: "",
      });
      resolve(false);
    });
    document.head.append(script);
  });
}

/** Take the session out of the link's fragment, so that it stands in the address bar no longer. */
async function takeSession() {
  const given = new URLSearchParams(location.hash.slice(1));
  if (given.has("session")) {
    session = given.get("session");
  } else if (given.has("code")) {
    const answer = await fetch("/license/session", { method: "POST", body: given.get("code") });
    session = answer.ok ? (await answer.json()).session : "";
  } else {
    session ||= history.state?.session ?? "";
  }
  // The state of this tab's history outlives a reload, and is in no storage.
  history.replaceState({ session }, "", location.pathname + location.search);
}

function fillIn() {
  const query = new URLSearchParams(location.search);
  element("manifest").value = query.get("manifest") ?? "";
  element("license").value = query.get("license") ?? OWN_LICENSE;
  if (["auto", "clearkey", "widevine", "playready", "fairplay", "none"].includes(query.get("system"))) {
    element("system").value = query.get("system");
  }
  if (/^\d{1,5}$/.test(query.get("height") ?? "")) {
    element("quality").dataset.chosen = query.get("height");
  }
  element("drmtoday").open = /(^|\.)drmtoday\.com\//.test(field("license"));
}

element("form").addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
element("stop").addEventListener("click", () => playback.stop());
element("quality").addEventListener("change", (event) => {
  event.target.dataset.chosen = event.target.value;
  playback.select(Number(event.target.value));
});
setInterval(() => playback.player && playback.measure(), REFRESH_MS);

fillIn();
const shakaIsHere = loadShaka();
globalThis.drmkit = {
  get state() {
    return structuredClone(playback.state);
  },
  get player() {
    return playback.player;
  },
};
await takeSession();
if (field("manifest")) {
  await submit();
}
