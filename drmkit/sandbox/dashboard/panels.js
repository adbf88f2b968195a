// The panels of the page: each takes what the admin API says of its part and brings the rows up to date.

import { call } from "./api.js";
import { bytes, clockTime, copyButton, el, icon, lasted, list, many, mark, secret, span, toast, write } from "./dom.js";

const ROLES = { cas: "CAS", keyserver: "key server", speke: "SPEKE", mps: "MPS", license: "license", media: "media", other: "other" };
const AMOUNTS = [["", "always"], [":1", "once"], [":3", "3 times"], [":25%", "25 %"], [":50%", "50 %"]];
const byId = (id) => document.getElementById(id);

export function tiles(data) {
  const running = data.tasks.filter((task) => task.status === "WAITING" || task.status === "PROCESSING").length;
  const on = data.faults.active.length;
  const shown = Object.values(data.faults.counts).reduce((sum, count) => sum + count, 0);
  const facts = [
    { id: "tasks", name: "Tasks", value: data.counts.tasks, note: running ? `${running} in work` : "none in work" },
    { id: "requests", name: "Requests", value: data.counts.requests, note: "since the start" },
    { id: "tickets", name: "Tickets alive", value: data.counts.tickets, note: many(data.counts.logins, "login") },
    { id: "keys", name: "Keys", value: data.counts.keys, note: "handed out" },
    { id: "faults", name: "Faults on", value: on, note: `shown ${many(shown, "time")}`, alarm: on > 0 },
  ];
  list(byId("tiles"), facts, (fact) => fact.id, (fact) => {
    const value = el("strong");
    const note = el("small");
    const node = el("a", { class: "tile", href: `#${fact.id}` }, el("span", {}, fact.name), value, note);
    return {
      node,
      update(now) {
        write(value, String(now.value));
        write(note, now.note);
        mark(node, "data-alarm", now.alarm);
      },
    };
  }, "");
}

export function tasks(data) {
  write(byId("tasks-note"), data.counts.tasks > data.tasks.length ? `the latest ${data.tasks.length}` : "");
  list(byId("tasks-rows"), data.tasks, (task) => task.id, taskRow, "No task yet. ProcessMedia makes the first.");
}

function taskRow(task) {
  const status = el("span", { class: "chip" });
  const times = el("span", { class: "dim" });
  const bar = el("progress", { "aria-label": `Progress of task ${task.id}` });
  const parts = el("div", { class: "parts" });
  const node = el("article", { class: "row task" },
    el("header", {}, status, el("code", { class: "id", title: task.id }, task.id), copyButton(() => task.id, "the task ID"), times), bar, parts);
  return {
    node,
    update(now) {
      const failed = now.subtasks.some((part) => part.status === "FAIL");
      const ended = now.finished !== null;
      write(status, ended && !failed && now.status === "FINISH" ? "done" : ended && failed ? "failed" : now.status.toLowerCase());
      mark(status, "data-kind", now.status === "ABORTED" || failed ? "bad" : ended ? "good" : "busy");
      write(times, ended && now.begun ? `${clockTime(now.created)} · took ${lasted(now.finished - now.begun)}` : clockTime(now.created));
      bar.max = now.subtasks.length * 100;
      bar.value = now.subtasks.reduce((sum, part) => sum + part.percent, 0);
      bar.hidden = ended;
      list(parts, now.subtasks.map((part, index) => ({ ...part, index })), (part) => part.index, partRow, "");
    },
  };
}

function partRow() {
  const drm = el("span", { class: "drm" });
  const status = el("span", { class: "chip" });
  const path = el("code", { class: "path" });
  const message = el("p", { class: "error" });
  const play = el("a", { class: "button play", target: "_blank", rel: "noopener" }, icon("play"), "Play");
  const node = el("div", { class: "part" }, el("div", { class: "line" }, drm, status, path, play), message);
  return {
    node,
    update(now) {
      const what = now.kind === "AdaptiveDynamicStreaming" ? now.drm ?? "no DRM" : now.kind;
      write(drm, `${what} · ${now.definition ?? "-"}`);
      write(status, now.status.toLowerCase());
      mark(status, "data-kind", now.status === "FAIL" ? "bad" : now.status === "SUCCESS" ? "good" : "busy");
      write(path, now.path ? `${now.bucket}${now.path}` : now.status === "PROCESSING" ? `${now.stage}, ${now.percent} %` : "");
      write(message, now.status === "FAIL" ? `${now.error}: ${now.message}` : "");
      play.hidden = !now.play;
      mark(play, "href", now.play);
      mark(play, "aria-label", now.path ? `Play ${now.path}` : null);
    },
  };
}

export function requests(data) {
  const role = byId("requests-role").value;
  const words = byId("requests-filter").value.trim().toLowerCase();
  const wanted = (item) => !role || (role.startsWith("-") ? item.role !== role.slice(1) : item.role === role);
  const found = data.requests.filter((item) => wanted(item) && (!words || searched(item).includes(words)));
  const empty = data.requests.length ? "No request fits the filter." : "No request yet. Point a client at this sandbox.";
  const shorten = (target) => target.replace(data.account.organization, "…").replace(/^\/media\/.+\//, "/media/…/");
  list(byId("requests-rows"), found, (item) => item.number, (item) => requestRow(item, shorten(item.target)), empty);
}

function searched(item) {
  return [item.method, item.target, item.what, item.status, item.outcome, ...item.faults].join(" ").toLowerCase();
}

function requestRow(item, target) {
  const status = el("span", { class: "status" });
  const time = el("span", { class: "dim took" });
  const faults = el("span", { class: "tags" });
  const what = el("span", { class: "what" });
  const details = el("div", { class: "details", id: `request-${item.number}`, hidden: true });
  const button = el("button", { type: "button", class: "line", "aria-expanded": "false", "aria-controls": details.id },
    el("span", { class: "dim at" }, clockTime(item.at)), el("span", { class: "role", "data-role": item.role }, ROLES[item.role] ?? item.role),
    el("span", { class: "method" }, item.method), el("code", { class: "path", title: item.target }, target), status, time, what, faults);
  button.addEventListener("click", () => {
    details.hidden = !details.hidden;
    button.setAttribute("aria-expanded", String(!details.hidden));
    if (!details.hidden && !details.childElementCount) details.append(...requestDetails(item));
  });
  return {
    node: el("article", { class: "row request" }, button, details),
    update(now) {
      const good = now.status !== null && now.status < 400 && !now.dropped;
      write(status, now.dropped ? `${now.status ?? ""} cut`.trim() : String(now.status ?? "…"));
      mark(status, "data-kind", now.seconds === null ? "busy" : good ? "good" : "bad");
      write(time, lasted(now.seconds));
      write(what, [now.what, /^\d+$/.test(now.outcome ?? "") || now.outcome === "ok" ? null : now.outcome].filter(Boolean).join(" · "));
      if (faults.childElementCount !== now.faults.length) faults.replaceChildren(...now.faults.map((name) => el("span", { class: "tag" }, name)));
    },
  };
}

function requestDetails(item) {
  const whole = el("div", { class: "whole" });
  const button = el("button", { type: "button", class: "small" }, "Reveal the whole exchange");
  button.addEventListener("click", async () => {
    if (whole.childElementCount) {
      whole.replaceChildren();
      button.textContent = "Reveal the whole exchange";
      return;
    }
    try {
      const data = await call("POST", `requests/${item.number}/reveal`);
      whole.replaceChildren(
        ...message("Request", `${item.method} ${data.target}`, data.request),
        ...message("Response", "", data.response));
      button.textContent = "Hide it again";
    } catch (error) {
      toast(error.message, "bad");
    }
  });
  return [el("p", {}, el("code", {}, `${item.method} ${item.target}`)), el("p", { class: "dim" }, `Number ${item.number}. Its headers, bodies and whole URL may hold secrets.`), button, whole];
}

function message(title, line, part) {
  const text = part.text ?? `${part.hex} (hex)`;
  const head = [line, ...part.headers.map(([name, value]) => `${name}: ${value}`)].filter(Boolean).join("\n");
  const rest = part.complete ? "" : `\n… the first part of ${bytes(part.size)}`;
  return [
    el("h4", {}, title, copyButton(() => (part.size ? text : head), `the ${title.toLowerCase()}'s ${part.size ? "body" : "head"}`)),
    el("pre", { tabindex: "0", "aria-label": `${title}: head` }, head || "nothing was sent"),
    part.size ? el("pre", { tabindex: "0", "aria-label": `${title}: body` }, text + rest) : null,
  ].filter(Boolean);
}

export function tickets(data) {
  write(byId("tickets-note"), `${many(data.counts.tickets, "service ticket")} and ${many(data.counts.logins, "login")} alive`);
  const items = data.tickets.map((ticket) => ({ ...ticket, now: data.now }));
  list(byId("tickets-rows"), items, (ticket) => ticket.number, ticketRow, "No ticket yet. A login at /cas/v1/tickets makes the first.");
}

function ticketRow(ticket) {
  const status = el("span", { class: "chip" });
  const life = el("span", { class: "dim" });
  const service = ticket.service ? new URL(ticket.service).pathname.replace(/^\/frontend\/cpix\/v1\/[^/]+/, "…") : "ticket-granting ticket";
  const node = el("article", { class: "row ticket" },
    el("div", { class: "line" }, status, el("strong", {}, `${ticket.kind}-${ticket.number}`), el("code", { class: "path", title: ticket.service }, service)),
    el("div", { class: "line" }, life, secret(`ticket ${ticket.number}`, async () => (await call("POST", `tickets/${ticket.number}/reveal`)).ticket)));
  return {
    node,
    update(now) {
      const used = now.kind === "ST" ? (now.uses ? `used ${many(now.uses, "time")}` : "not used") : `gave ${many(now.uses, "ticket")}`;
      const refused = now.refusals ? `, refused ${many(now.refusals, "time")}` : "";
      const ends = now.status !== "alive" ? "" : now.ends === null ? " · never ends" : ` · ends in ${span(now.ends - now.now)}`;
      write(status, now.status === "alive" && now.single_use ? "alive, once" : now.status);
      mark(status, "data-kind", now.status === "alive" ? "good" : "off");
      write(life, used + refused + ends);
      mark(node, "data-over", now.status !== "alive");
    },
  };
}

export function keys(data) {
  write(byId("keys-note"), data.counts.keys > data.keys.length ? `the latest ${data.keys.length} of ${data.counts.keys}` : "");
  const groups = new Map();
  for (const key of data.keys) {
    const name = key.content ?? "";
    if (!groups.has(name)) groups.set(name, { name, keys: [] });
    groups.get(name).keys.unshift(key);
  }
  list(byId("keys-rows"), [...groups.values()], (group) => group.name, keyGroup, "No key yet. The key server and SPEKE hand them out.");
}

function keyGroup(group) {
  const rows = el("div", { class: "parts" });
  return {
    node: el("article", { class: "row keys" }, el("h3", {}, group.name || "without an asset ID"), rows),
    update: (now) => list(rows, now.keys, (key) => key.kid, keyRow, ""),
  };
}

function keyRow(key) {
  const tracks = el("span", { class: "dim" });
  const node = el("div", { class: "part" },
    el("div", { class: "line" }, el("span", { class: "role" }, key.stream_type ?? "SPEKE"), el("code", { class: "kid" }, key.kid), copyButton(() => key.kid, "the key ID")),
    el("div", { class: "line" }, tracks, secret(`key ${key.kid}`, async () => (await call("POST", `keys/${key.kid}/reveal`)).key)));
  return {
    node,
    update: (now) => write(tracks, now.tracks.length ? `encrypts ${now.tracks.join(", ")}` : now.protects),
  };
}

export function account(data) {
  const known = data.account;
  const names = [["User name", known.username], ["Organization", known.organization], ["CPIX config", known.cpix_config], ["MPS SecretId", known.secret_id]];
  const facts = byId("account-facts");
  if (facts.childElementCount) return;
  for (const [name, value] of names) facts.append(el("dt", {}, name), el("dd", {}, el("code", {}, value), copyButton(() => value, name)));
  for (const [name, field] of [["Password", "password"], ["MPS SecretKey", "secret_key"]]) {
    facts.append(el("dt", {}, name), el("dd", {}, secret(name, async () => (await call("POST", "credentials/reveal"))[field])));
  }
}

export function faults(data, change) {
  const counts = data.faults.counts;
  const active = data.faults.active.map((setting) => ({ ...setting, count: counts[setting.name] ?? 0 }));
  byId("faults-off").hidden = !active.length;
  list(byId("faults-active"), active, (item) => item.name, (item) => activeRow(item, change), "None is on: every vendor behaves.");
  for (const box of document.querySelectorAll("#faults-rows [data-fault]")) {
    const name = box.dataset.fault;
    mark(box.querySelector("[role=switch]"), "aria-checked", active.some((item) => item.name === name));
    write(box.querySelector(".shown"), counts[name] ? `shown ${many(counts[name], "time")}` : "");
  }
}

function activeRow(item, change) {
  const amount = el("span", { class: "dim" });
  const off = el("button", { type: "button", class: "small", "aria-label": `Switch off ${item.name}` }, "Off");
  off.addEventListener("click", () => change("DELETE", `faults/${item.name}`));
  const node = el("article", { class: "row fault" }, el("div", { class: "line" }, el("div", { class: "words" }, el("code", { class: "name" }, item.name), amount), off));
  return {
    node,
    update(now) {
      const often = now.times !== null ? `${now.times} more` : now.probability < 1 ? `${Math.round(now.probability * 100)} %` : "always";
      write(amount, `${often} · shown ${many(now.count, "time")}`);
    },
  };
}

export function catalog(data, change) {
  write(byId("catalog-count"), String(data.faults.length));
  byId("profiles").replaceChildren(...data.profiles.flatMap((profile) => {
    const words = el("p", { id: `profile-${profile.name}` }, profile.summary);
    const chip = el("button", { type: "button", class: "chip-button", "aria-describedby": words.id, title: profile.settings.join(", ") }, profile.name);
    chip.addEventListener("click", () => change("POST", "faults", { profile: profile.name }));
    return [chip, words];
  }));
  const roles = [...new Set(data.faults.map((fault) => fault.role))];
  byId("faults-rows").replaceChildren(...roles.map((role) => el("section", { class: "of-role" }, el("h3", {}, ROLES[role] ?? role),
    ...data.faults.filter((fault) => fault.role === role).map((fault) => faultRow(fault, change)))));
}

function faultRow(fault, change) {
  const amount = el("select", { "aria-label": `How often ${fault.name} shows` }, ...AMOUNTS.map(([value, text]) => el("option", { value }, text)));
  const toggle = el("button", { type: "button", role: "switch", "aria-checked": "false", "aria-label": fault.name, class: "switch" });
  toggle.addEventListener("click", () => {
    if (toggle.getAttribute("aria-checked") === "true") change("DELETE", `faults/${fault.name}`);
    else change("POST", "faults", { setting: fault.name + amount.value });
  });
  return el("div", { class: "row catalog-row", "data-fault": fault.name },
    toggle, el("div", { class: "words" }, el("code", { class: "name" }, fault.name), el("p", {}, fault.summary), el("span", { class: "shown" })), amount);
}

export function filterCatalog() {
  const words = byId("faults-filter").value.trim().toLowerCase();
  for (const section of document.querySelectorAll("#faults-rows .of-role")) {
    const boxes = [...section.querySelectorAll("[data-fault]")];
    for (const box of boxes) box.hidden = !box.textContent.toLowerCase().includes(words);
    section.hidden = boxes.every((box) => box.hidden);
  }
}
