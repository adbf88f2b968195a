// The page: asks for the token where it has none, looks at the sandbox once a second, and shows what it sees.

import { call, forgetToken, keepToken, takeToken } from "./api.js";
import { clockTime, span, toast, write } from "./dom.js";
import * as panels from "./panels.js";

const PERIOD = 1000;
const LONGEST = 8000;
const byId = (id) => document.getElementById(id);
let latest = null;
let timer = 0;
let failures = 0;
let paused = false;
let looking = false;

function connection(state, text) {
  byId("connection").dataset.state = state;
  write(byId("connection-text"), text);
}

function show(data) {
  latest = data;
  write(byId("version"), data.version);
  write(byId("clock"), clockTime(data.now) + (data.advanced ? ` (+${span(data.advanced)})` : ""));
  panels.tiles(data);
  panels.tasks(data);
  panels.requests(data);
  panels.tickets(data);
  panels.keys(data);
  panels.account(data);
  panels.faults(data, change);
}

function ask(error) {
  clearTimeout(timer);
  connection("off", "locked");
  byId("content").hidden = true;
  byId("actions").hidden = true;
  byId("gate").hidden = false;
  byId("gate-error").textContent = error ?? "";
  byId("token").focus();
}

async function look() {
  if (looking) return;
  looking = true;
  clearTimeout(timer);
  try {
    show(await call("GET", "state"));
    failures = 0;
    connection(paused ? "waiting" : "live", paused ? "paused" : "live");
  } catch (error) {
    if (error.status === 401) {
      forgetToken();
      ask(`${error.message}${error.hint ? `: ${error.hint}` : ""}`);
      return;
    }
    failures += 1;
    connection("bad", error.status ? error.message : "no answer; trying again");
  } finally {
    looking = false;
  }
  next();
}

function next() {
  clearTimeout(timer);
  if (paused || document.hidden || !byId("gate").hidden) return;
  timer = setTimeout(look, Math.min(LONGEST, PERIOD * 2 ** Math.min(failures, 3)));
}

async function change(method, path, body) {
  try {
    await call(method, path, body);
  } catch (error) {
    toast(error.hint ? `${error.message}: ${error.hint}` : error.message, "bad");
  }
  await look();
}

async function open() {
  byId("gate").hidden = true;
  try {
    panels.catalog(await call("GET", "faults"), change);
  } catch (error) {
    if (error.status === 401) {
      forgetToken();
      ask(`${error.message}${error.hint ? `: ${error.hint}` : ""}`);
      return;
    }
    connection("bad", "no answer; trying again");
    timer = setTimeout(open, LONGEST / 4);
    return;
  }
  byId("content").hidden = false;
  byId("actions").hidden = false;
  await look();
}

byId("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  keepToken(byId("token").value);
  byId("token").value = "";
  open();
});
for (const button of document.querySelectorAll("[data-advance]")) {
  button.addEventListener("click", () => change("POST", "clock", { advance: Number(button.dataset.advance) }));
}
byId("pause").addEventListener("click", () => {
  paused = !paused;
  byId("pause").setAttribute("aria-pressed", String(paused));
  byId("pause").textContent = paused ? "Resume" : "Pause";
  connection("waiting", paused ? "paused" : "connecting");
  if (!paused) look();
});
byId("reset").addEventListener("click", () => byId("confirm").showModal());
byId("confirm-no").addEventListener("click", () => byId("confirm").close());
byId("confirm-yes").addEventListener("click", async () => {
  byId("confirm").close();
  await change("POST", "reset", undefined);
  toast("The sandbox started over.");
});
byId("faults-off").addEventListener("click", () => change("DELETE", "faults"));
byId("faults-filter").addEventListener("input", panels.filterCatalog);
for (const id of ["requests-role", "requests-filter"]) byId(id).addEventListener("input", () => latest && panels.requests(latest));
document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : byId("content").hidden || paused || look()));
addEventListener("hashchange", () => {
  if (location.hash.startsWith("#token=") && takeToken()) open();
});

if (takeToken()) open();
else ask();
