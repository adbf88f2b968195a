// Plays one stream with Shaka Player, and keeps a record of what happens.

import { IDENTITY, explain, noModule } from "./errors.js";
import { askedFor, fetchKeys, givenBy, unwrapLicense, wrapFairPlay } from "./license.js";
import { inspect } from "./manifest.js";

const KEY_SYSTEMS = {
  clearkey: "org.w3.clearkey",
  widevine: "com.widevine.alpha",
  playready: "com.microsoft.playready",
  fairplay: "com.apple.fps",
};
const SIGNALED_AS = { widevine: "Widevine", playready: "PlayReady", fairplay: "FairPlay" };
const LICENSE_REQUEST = 2;
const WAIT_FOR_KEY_MS = 3000;
const ONCE = { maxAttempts: 1, timeout: 20000 };
const TWICE = { maxAttempts: 2, baseDelay: 400, backoffFactor: 1, fuzzFactor: 0, timeout: 20000 };
const PROBE = [{
  initDataTypes: ["cenc"],
  videoCapabilities: [{ contentType: 'video/mp4; codecs="avc1.42E01E"' }],
  audioCapabilities: [{ contentType: 'audio/mp4; codecs="mp4a.40.2"' }],
}];

export function emptyState() {
  return {
    phase: "idle",
    error: null,
    type: null,
    schemes: [],
    systems: [],
    system: null,
    aes128: false,
    kids: [],
    asked: [],
    given: [],
    keys: {},
    notes: [],
    variant: null,
    variants: [],
    position: 0,
    duration: 0,
    buffered: 0,
    decodedFrames: 0,
    droppedFrames: 0,
    audioBytes: 0,
    videoBytes: 0,
  };
}

/** One player on one video element; `changed()` is called when its state has, `note(text)` with what happens. */
export class Playback {
  constructor(video, { changed, note }) {
    this.video = video;
    this.state = emptyState();
    this.player = null;
    this.changed = changed;
    this.note = note;
    this.run = 0;
    this.waiting = 0;
    for (const event of ["playing", "pause", "ended", "waitingforkey", "timeupdate"]) {
      video.addEventListener(event, () => this.happened(event));
    }
  }

  /**
   * Load a stream and play it. `wish` holds `manifest`, `license`, `system`, `headers`, `certificate`, `height`.
   * Resolves when it plays, waits for a person to press play, or has failed; the state tells which.
   */
  async load(wish) {
    await this.stop();
    const run = ++this.run;
    this.enter("loading");
    this.note(`loading ${shortUrl(wish.manifest)}`);
    try {
      await this.start(wish, run);
    } catch (error) {
      this.fail(error, run);
    }
  }

  async stop() {
    this.run += 1;
    clearTimeout(this.waiting);
    this.waiting = 0;
    const player = this.player;
    this.player = null;
    this.state = emptyState();
    this.context = {};
    this.changed();
    await player?.destroy();
    this.video.removeAttribute("src");
  }

  async start(wish, run) {
    const found = await this.look(wish.manifest);
    const system = await this.choose(wish, found);
    this.state.system = system && KEY_SYSTEMS[system];
    this.context = {
      system,
      encrypted: Boolean(system),
      aes128: found.aes128,
      identity: found.identity && system === "clearkey",
      kids: this.state.kids,
      systems: this.state.systems,
      undecodable: [...found.codecs].filter((codec) => !decodable(codec)),
    };
    const drm = await this.protection(wish, system, found);
    if (run !== this.run) {
      return;
    }
    const player = new shaka.Player();
    this.player = player;
    player.addEventListener("error", (event) => this.fail(event.detail, run));
    player.addEventListener("keystatuschanged", () => this.measure());
    await player.attach(this.video);
    player.configure({
      drm,
      manifest: { retryParameters: TWICE },
      streaming: { retryParameters: TWICE },
      abr: { enabled: !wish.height },
    });
    this.filter(player.getNetworkingEngine(), wish, system);
    await player.load(wish.manifest);
    if (run !== this.run || this.state.phase === "failed") {
      return;
    }
    this.select(wish.height);
    this.note("loaded");
    await this.play();
  }

  /** Read the manifest for what it says about keys; where it cannot be read, Shaka Player will say why. */
  async look(url) {
    const nothing = { type: null, schemes: new Set(), kids: new Set(), systems: new Set(), aes128: false, common: false, identity: false, codecs: new Set() };
    const found = await inspect(url).catch(() => nothing);
    this.state.type = found.type;
    this.state.schemes = [...found.schemes].sort();
    this.state.systems = [...found.systems].sort();
    this.state.kids = [...found.kids].sort();
    this.state.aes128 = found.aes128;
    this.state.notes = found.identity ? [IDENTITY] : [];
    this.changed();
    return found;
  }

  /** The DRM system to use, or null for none. */
  async choose(wish, found) {
    if (wish.system !== "auto") {
      if (wish.system in SIGNALED_AS && !(await available(wish.system))) {
        throw { explained: noModule(wish.system, this.state.systems) };
      }
      return wish.system === "none" ? null : wish.system;
    }
    if (!found.kids.size && !found.systems.size) {
      return null;
    }
    if (!wish.license || new URL(wish.license, location.href).origin === location.origin) {
      return "clearkey";
    }
    const fitting = Object.keys(SIGNALED_AS).filter((name) => found.systems.has(SIGNALED_AS[name]));
    for (const name of fitting) {
      if (await available(name)) {
        return name;
      }
    }
    throw { explained: noModule(fitting[0], this.state.systems) };
  }

  /** Shaka Player's DRM configuration. */
  async protection(wish, system, found) {
    const drm = { retryParameters: ONCE };
    if (!system) {
      return drm;
    }
    if (!wish.license) {
      throw { code: 6012, category: 6, severity: 2 };
    }
    const license = new URL(wish.license, location.href).href;
    if (system === "clearkey" && found.kids.size && !found.common) {
      // The browser's ClearKey asks a server only for what a common PSSH box names; HLS has no such box.
      this.asked(this.state.kids);
      const keys = await fetchKeys(license, this.state.kids, wish.headers);
      this.note(`the license server has given ${count(Object.keys(keys).length, "key")}`);
      wish.answered = true;
      this.state.given = Object.keys(keys);
      return { ...drm, clearKeys: keys };
    }
    drm.servers = { [KEY_SYSTEMS[system]]: license };
    if (wish.certificate) {
      drm.advanced = { [KEY_SYSTEMS[system]]: { serverCertificateUri: new URL(wish.certificate, location.href).href } };
    }
    return drm;
  }

  /** Add the headers and forms of the license server, and note what is asked. */
  filter(engine, wish, system) {
    const castlabs = /(^|\.)drmtoday\.com$/.test(hostOf(wish.license)) || /license-server-fairplay/.test(wish.license);
    engine.registerRequestFilter((type, request) => {
      if (type !== LICENSE_REQUEST) {
        return;
      }
      Object.assign(request.headers, wish.headers);
      if (system === "clearkey" && !wish.answered) {
        request.headers["Content-Type"] = "application/json";
        this.asked(askedFor(request.body));
      }
      if (castlabs && system === "fairplay") {
        request.headers["Content-Type"] = "application/x-www-form-urlencoded";
        request.body = wrapFairPlay(request.body);
      }
      if (!wish.answered) {
        this.note("asking the license server");
      }
    });
    engine.registerResponseFilter((type, response) => {
      if (type === LICENSE_REQUEST && !wish.answered) {
        this.note("the license server has answered");
        this.state.given = [...this.state.given, ...givenBy(response.data)];
        response.data = castlabs ? unwrapLicense(response.data, system) : response.data;
      }
    });
  }

  asked(kids) {
    this.state.asked = [...new Set([...this.state.asked, ...kids])];
    if (kids.length) {
      this.note(`asking for ${count(kids.length, "key")}`);
    }
  }

  /** Play the variant of a height, or let Shaka Player choose for 0. */
  select(height) {
    this.player?.configure({ abr: { enabled: !height } });
    const tracks = this.player?.getVariantTracks() ?? [];
    const track = tracks.filter((item) => item.height === height).sort((one, other) => other.bandwidth - one.bandwidth)[0];
    if (track && !track.active) {
      this.player.selectVariantTrack(track, true);
    }
  }

  async play() {
    try {
      await this.video.play();
    } catch (error) {
      if (error.name === "NotAllowedError" && this.state.phase === "loading") {
        this.enter("ready");
      } else if (error.name !== "AbortError" && !this.video.error) {
        throw error;
      }
    }
  }

  happened(event) {
    const { phase } = this.state;
    if (!this.player || phase === "failed") {
      return;
    }
    if (event === "waitingforkey") {
      this.note("the browser waits for a key");
      this.waiting ||= setTimeout(() => this.fail({ code: 4012, category: 4, severity: 2 }, this.run), WAIT_FOR_KEY_MS);
    } else if (event === "timeupdate") {
      clearTimeout(this.waiting);
      this.waiting = 0;
    } else {
      this.enter({ playing: "playing", pause: this.video.ended ? "ended" : "paused", ended: "ended" }[event]);
    }
  }

  fail(error, run) {
    if (run !== this.run || this.state.phase === "failed") {
      return;
    }
    if (error?.severity === 1) {
      this.note(`passed over: ${explain(error, this.context).title}`);
      return;
    }
    if (error?.code === 7000) {
      return;
    }
    console.warn("drmkit player:", error?.code ?? error);
    clearTimeout(this.waiting);
    this.measure();
    this.state.error = explain(error, this.context ?? {});
    this.video.pause();
    this.state.phase = "failed";
    this.note(this.state.error.title);
    this.changed();
    // The numbers stay as they were; a spinner over a dead picture would promise something.
    const player = this.player;
    this.player = null;
    player?.destroy();
  }

  enter(phase) {
    this.state.phase = phase;
    this.measure();
  }

  /** Take the numbers of the moment into the state. */
  measure() {
    const { video, player, state } = this;
    if (!player) {
      this.changed();
      return;
    }
    const quality = video.getVideoPlaybackQuality();
    state.position = video.currentTime;
    state.duration = Number.isFinite(video.duration) ? video.duration : 0;
    state.buffered = ahead(video);
    state.decodedFrames = quality.totalVideoFrames;
    state.droppedFrames = quality.droppedVideoFrames;
    state.audioBytes = video.webkitAudioDecodedByteCount ?? null;
    state.videoBytes = video.webkitVideoDecodedByteCount ?? null;
    state.keys = player.getKeyStatuses();
    const tracks = player.getVariantTracks();
    state.variants = [...new Set(tracks.map((track) => track.height).filter(Boolean))].sort((one, other) => other - one);
    const active = tracks.find((track) => track.active);
    state.variant = active && { height: active.height, width: active.width, bandwidth: active.bandwidth, codecs: active.codecs };
    this.changed();
  }
}

async function available(system) {
  try {
    await navigator.requestMediaKeySystemAccess(KEY_SYSTEMS[system], PROBE);
    return true;
  } catch {
    return false;
  }
}

function ahead(video) {
  for (let index = 0; index < video.buffered.length; index += 1) {
    if (video.buffered.start(index) <= video.currentTime + 0.1 && video.currentTime <= video.buffered.end(index)) {
      return video.buffered.end(index) - video.currentTime;
    }
  }
  return 0;
}

function hostOf(url) {
  try {
    return new URL(url, location.href).hostname;
  } catch {
    return "";
  }
}

/** A URL without its query, which can hold a token. */
export function shortUrl(url) {
  return url.split(/[?#]/)[0].split("/").slice(-2).join("/");
}

function count(number, what) {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

/** Whether the browser can decode a codec in any container. */
function decodable(codec) {
  const source = globalThis.MediaSource ?? globalThis.ManagedMediaSource;
  return ["mp4", "webm"].some((container) => source?.isTypeSupported(`video/${container}; codecs="${codec}"`));
}
