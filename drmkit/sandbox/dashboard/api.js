// The admin API: one function for a call; the token lives in this tab alone.

const STORED = "drmkit-sandbox-token";
let token = "";

export class Refused extends Error {
  constructor(status, message, hint) {
    super(message);
    this.status = status;
    this.hint = hint;
  }
}

// Take the token from the fragment of the address, which no browser sends anywhere, and take it out of there.
export function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    history.replaceState(null, "", location.pathname + location.search);
    keepToken(given);
  } else {
    token = sessionStorage.getItem(STORED) ?? "";
  }
  return token !== "";
}

export function keepToken(value) {
  token = value.trim();
  sessionStorage.setItem(STORED, token);
}

export function forgetToken() {
  token = "";
  sessionStorage.removeItem(STORED);
}

export async function call(method, path, body) {
  const headers = { Authorization: `Bearer ${token}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(`/admin/${path}`, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: "no-store",
    credentials: "omit",
    redirect: "error",
    signal: AbortSignal.timeout(8000),
  });
  const data = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, data.error ?? `the sandbox answered HTTP ${answer.status}`, data.hint);
  return data;
}
