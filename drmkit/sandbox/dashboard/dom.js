// Small helpers for the page: elements without markup in strings, lists that keep their rows, words for numbers.

const SVG = "http://www.w3.org/2000/svg";
const PATHS = {
  play: "M5 3.5v9l7.5-4.5z",
  copy: "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z",
  off: "M4 4l8 8M12 4l-8 8",
};
export const MASK = "••••••••";

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", "0 0 16 16");
  drawing.setAttribute("class", `icon icon-${name}`);
  drawing.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  drawing.append(path);
  return drawing;
}

// Write a text only where it differs, so that a selection in the page survives the next look at the sandbox.
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function mark(node, name, value) {
  if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

const lists = new WeakMap();

// Show one row for each item and keep the rows that stay, with their focus and what is open in them.
export function list(container, items, key, make, empty) {
  const known = lists.get(container) ?? new Map();
  const next = new Map();
  if (!items.length) {
    if (!container.querySelector(":scope > .empty")) container.replaceChildren(el("p", { class: "empty" }, empty));
    lists.set(container, next);
    return;
  }
  container.querySelector(":scope > .empty")?.remove();
  let place = container.firstElementChild;
  for (const item of items) {
    const name = key(item);
    const row = known.get(name) ?? make(item);
    known.delete(name);
    row.update(item);
    if (row.node === place) place = place.nextElementSibling;
    else container.insertBefore(row.node, place);
    next.set(name, row);
  }
  for (const row of known.values()) row.node.remove();
  lists.set(container, next);
}

export function copyButton(text, what) {
  const button = el("button", { type: "button", class: "quiet", "aria-label": `Copy ${what}`, title: `Copy ${what}` }, icon("copy"));
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text());
      button.dataset.done = "true";
      setTimeout(() => delete button.dataset.done, 1200);
    } catch {
      toast("The browser did not let the page copy.");
    }
  });
  return button;
}

// A secret: masked until it is asked for, and gone from the page when it is hidden again.
export function secret(what, load) {
  const value = el("code", { class: "secret" }, MASK);
  const copy = copyButton(() => value.textContent, what);
  copy.hidden = true;
  const button = el("button", { type: "button", class: "small", "aria-label": `Reveal ${what}` }, "Reveal");
  button.addEventListener("click", async () => {
    if (value.dataset.revealed) {
      delete value.dataset.revealed;
      value.textContent = MASK;
    } else {
      try {
        value.textContent = await load();
        value.dataset.revealed = "true";
      } catch (error) {
        toast(error.message, "bad");
        return;
      }
    }
    const shown = Boolean(value.dataset.revealed);
    button.textContent = shown ? "Hide" : "Reveal";
    button.setAttribute("aria-label", `${button.textContent} ${what}`);
    copy.hidden = !shown;
  });
  return el("span", { class: "secret-field" }, value, copy, button);
}

export function toast(text, kind = "info") {
  const note = el("p", { class: "toast", "data-kind": kind }, text);
  document.getElementById("toasts").append(note);
  setTimeout(() => note.remove(), 5000);
}

export function clockTime(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour12: false });
}

export function span(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
}

export function lasted(seconds) {
  if (seconds === null) return "…";
  return seconds < 1 ? `${Math.max(1, Math.round(seconds * 1000))} ms` : `${seconds.toFixed(1)} s`;
}

export function bytes(count) {
  return count < 1024 ? `${count} B` : count < 1048576 ? `${(count / 1024).toFixed(1)} KiB` : `${(count / 1048576).toFixed(1)} MiB`;
}

export function many(count, one, more = `${one}s`) {
  return `${count} ${count === 1 ? one : more}`;
}
