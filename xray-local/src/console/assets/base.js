// Common to all pages: local times, the theme's switch, lines to copy, keys, and files that are dropped.

export const $ = (selector, from = document) => from.querySelector(selector);
export const all = (selector, from = document) => [...from.querySelectorAll(selector)];

// Text as the server writes it: without characters that turn the order of what people read.
export const inOrder = (text) => text.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, "\ufffd");

// 1 document, 2 documents
export const counted = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

// An element with attributes and children; strings become text nodes.
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : name === "title" ? inOrder(value) : value);
  }
  element.append(...children.map((child) => typeof child === "string" ? inOrder(child) : child));
  return element;
}

// 850 µs, 12.3 ms, 1.23 s, 2 m 5 s: as the server writes lengths.
export function length(us) {
  if (us <= 0) return "0 ms";
  if (us < 1e3) return `${us} µs`;
  if (us < 1e4) return `${(us / 1e3).toFixed(2)} ms`;
  if (us < 1e5) return `${(us / 1e3).toFixed(1)} ms`;
  if (us < 1e6) return `${(us / 1e3).toFixed(0)} ms`;
  if (us < 6e7) return `${(us / 1e6).toFixed(2)} s`;
  return `${Math.floor(us / 6e7)} m ${Math.floor(us / 1e6) % 60} s`;
}

let said = 0;
// Says something in a corner, and to screen readers.
export function say(sentence) {
  const toast = $("#toast");
  toast.textContent = inOrder(sentence);
  toast.classList.add("shown");
  clearTimeout(said);
  said = setTimeout(() => toast.classList.remove("shown"), 5000);
}

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "local time";
const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hour12: false,
});
const full = new Intl.DateTimeFormat(undefined, {
  year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
  hour12: false, timeZoneName: "short",
});
const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });

// Writes the times below an element in the browser's zone.
export function localise(from = document) {
  const today = new Date().toDateString();
  for (const time of all("time[datetime]:not([title])", from)) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.valueOf())) continue;
    time.title = full.format(at);
    const short = at.toDateString() === today ? clock.format(at) : `${day.format(at)}, ${clock.format(at)}`;
    time.textContent = time.hasAttribute("data-full") ? full.format(at) : short;
  }
}

// Inputs of absolute times hold UTC as the server writes them; people see and write their own zone.
for (const input of all("input[data-instant]")) {
  const pad = (number) => String(number).padStart(2, "0");
  if (input.value) {
    const at = new Date(`${input.value}Z`);
    input.value = `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}T${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
  }
  input.form.addEventListener("formdata", (event) => {
    const at = new Date(input.value);
    if (!Number.isNaN(at.valueOf())) event.formData.set(input.name, at.toISOString());
  });
}

export function isTyping(event) {
  const target = event.target;
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
  return answer.json();
}

// Sends demo traffic.
export async function demo() {
  const answer = await post("/console/demo", {});
  say(`${counted(answer.sent, "document")} sent, ${answer.refused.length} refused on purpose`);
}

const PIECE = 1_500_000;

// Sends what a file holds: lines of documents, a capture of datagrams, or an answer of BatchGetTraces.
export async function upload(file) {
  const content = await file.text();
  let documents;
  try {
    const whole = JSON.parse(content);
    const traces = Array.isArray(whole) ? whole : whole.Traces;
    documents = (traces || [whole]).flatMap((one) => one.Segments
      ? one.Segments.map((segment) => segment.Document).filter((document) => !JSON.parse(document).inferred)
      : [JSON.stringify(one)]);
  } catch {
    documents = content.split("\n").map((line) => line.trim()).filter((line) => line && !line.startsWith('{"format"'));
  }
  let sent = 0;
  let refused = 0;
  let trace = "";
  for (let at = 0; at < documents.length;) {
    const piece = [];
    for (let bytes = 0; at < documents.length && (piece.length === 0 || bytes + documents[at].length < PIECE); at += 1) {
      piece.push(documents[at]);
      bytes += documents[at].length;
    }
    const answer = await post("/console/upload", piece);
    sent += answer.sent;
    refused += answer.refused.length;
    trace = answer.trace || trace;
    for (const reason of answer.refused.slice(0, 3)) say(`Refused: ${reason}`);
  }
  if (sent === 0) say(`${file.name}: no segment documents in it`);
  else if (refused === 0 && trace) location.assign(`/trace/${trace}`);
  else say(`${file.name}: ${counted(sent, "document")} sent, ${refused} refused (see Problems)`);
}

const THEMES = ["", "light", "dark"];
function showTheme() {
  const theme = document.documentElement.dataset.theme || "";
  const words = { "": "as the system", light: "light", dark: "dark" };
  const button = $("#theme");
  button.setAttribute("aria-label", `Theme: ${words[theme]}`);
  button.title = `Theme: ${words[theme]}`;
  button.textContent = { "": "◐", light: "☀", dark: "☾" }[theme];
}

$("#theme").addEventListener("click", () => {
  const theme = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme || "") + 1) % 3];
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  try {
    if (theme) localStorage.setItem("theme", theme);
    else localStorage.removeItem("theme");
  } catch { /* storage may be off */ }
  showTheme();
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (button) {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      say("Copied");
    } catch {
      say("The browser does not let this page copy; select the line instead");
    }
  }
  if (event.target.closest?.("[data-demo]")) {
    try {
      await demo();
    } catch (error) {
      say(`Demo traffic was not sent: ${error.message}`);
    }
  }
});

document.addEventListener("keydown", (event) => {
  if (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "?") {
    event.preventDefault();
    $("#help").showModal();
  } else if (event.key === "/") {
    const box = $("[data-slash]") || $(".find input");
    if (box) {
      event.preventDefault();
      box.focus();
      box.select?.();
    }
  }
});

const keys = $("#page-keys");
if (keys) $("#keys").append(keys.content.cloneNode(true));

document.addEventListener("dragover", (event) => {
  if (event.dataTransfer?.types.includes("Files")) {
    event.preventDefault();
    document.body.classList.add("dropping");
  }
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("dropping");
});
document.addEventListener("drop", async (event) => {
  document.body.classList.remove("dropping");
  if (!event.dataTransfer?.files.length) return;
  event.preventDefault();
  for (const file of event.dataTransfer.files) {
    try {
      await upload(file);
    } catch (error) {
      say(`${file.name} was not imported: ${error.message}`);
    }
  }
});
for (const input of all("input[type=file][data-upload]")) {
  input.addEventListener("change", () => [...input.files].forEach((file) => upload(file).catch((error) => say(error.message))));
}

showTheme();
$("#zone").textContent = `Times in ${zone}`;
localise();
