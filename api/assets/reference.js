// What the reference can do beyond being read: filter, copy, open what an address names, and try a request.
"use strict";

const frame = document.querySelector(".frame");
const words = frame.dataset;
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

// Without this script none of these would do anything, so they are hidden until it runs.
all("#filter, #credentials, .copy, .attempt").forEach((each) => (each.hidden = false));
if (matchMedia("(max-width: 60rem)").matches) document.querySelector(".contents").open = false;

// --- filter ---

const filter = document.getElementById("filter");
const entries = all("details.entry");

function narrow() {
  const wanted = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  for (const entry of entries) {
    const text = entry.dataset.words.toLowerCase();
    const shown = wanted.every((word) => text.includes(word));
    found += shown;
    entry.hidden = !shown;
    document.querySelector(`li[data-entry="${entry.dataset.entry}"]`).hidden = !shown;
  }
  for (const chapter of all("main section.chapter")) {
    const empty = !all("details.entry", chapter).some((entry) => !entry.hidden);
    all(`[data-chapter="${chapter.dataset.chapter}"]`).forEach((each) => (each.hidden = empty));
  }
  document.getElementById("nothing").hidden = found > 0;
  if (wanted.length) document.querySelector(".contents").open = true;
}

filter.addEventListener("input", narrow);
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select");
  if (event.key === "/" && !typing) {
    event.preventDefault();
    filter.focus();
  } else if (event.key === "Escape" && event.target === filter) {
    filter.value = "";
    narrow();
  }
});

// --- the operation that the address names ---

function follow() {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (named?.matches("details.entry")) {
    named.open = true;
    named.scrollIntoView();
  }
  all("nav a[aria-current]").forEach((each) => each.removeAttribute("aria-current"));
  if (named) all("nav a").find((each) => each.hash === location.hash)?.setAttribute("aria-current", "true");
}

addEventListener("hashchange", follow);
follow();

// --- copy ---

for (const button of all(".copy")) {
  const label = button.textContent;
  button.addEventListener("click", async () => {
    const text = button.closest("figure").querySelector("pre").textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without https a browser gives no clipboard: select the text, so that one key copies it.
      getSelection().selectAllChildren(button.closest("figure").querySelector("pre"));
      return;
    }
    button.textContent = words.copied;
    setTimeout(() => (button.textContent = label), 1500);
  });
}

// --- try it ---

function request(form) {
  let path = form.dataset.path;
  const query = new URLSearchParams();
  for (const input of all("input[data-place]", form)) {
    if (input.dataset.place === "path") path = path.replace(`{${input.name}}`, encodeURIComponent(input.value));
    else if (input.value !== "") query.append(input.name, input.value);
  }
  const secret = document.getElementById("secret").value.trim();
  const headers = secret ? { Authorization: `${document.getElementById("scheme").value} ${secret}` } : {};
  const options = { method: form.dataset.method, headers, credentials: "same-origin" };
  const body = form.elements.body?.value;
  const token = document.cookie.match(/(?:^|; )csrftoken=([^;]*)/)?.[1];
  if (!secret && token) headers["X-CSRFToken"] = token;
  if (body !== undefined && form.dataset.kind === "application/json") {
    headers["Content-Type"] = "application/json";
    options.body = body;
  } else if (body !== undefined) {
    const fields = form.dataset.kind.startsWith("multipart") ? new FormData() : new URLSearchParams();
    for (const [name, value] of Object.entries(JSON.parse(body))) fields.append(name, value);
    options.body = fields;
  }
  return [path + (query.size ? `?${query}` : ""), options];
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

async function attempt(form) {
  const status = form.querySelector("output");
  const result = form.querySelector(".result");
  status.textContent = words.sending;
  result.hidden = true;
  const begun = performance.now();
  try {
    const answer = await fetch(...request(form));
    let text = "";
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    // A stream is shown as it comes.
    for (let part = await reader?.read(); part && !part.done; part = await reader.read()) {
      text += part.value;
      result.textContent = text;
      result.hidden = false;
    }
    result.textContent = pretty(text);
    result.hidden = text === "";
    const taken = Math.round(performance.now() - begun);
    status.textContent = `${answer.status} ${answer.statusText} · ${taken} ms`;
  } catch (error) {
    status.textContent = error instanceof SyntaxError ? error.message : words.failed;
  }
}

for (const form of all("form.attempt")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(form);
  });
}
document.getElementById("credentials").addEventListener("submit", (event) => event.preventDefault());
