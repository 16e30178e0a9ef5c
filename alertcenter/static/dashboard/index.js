// How does the list work? Frames in, rows out; filters, keys, selection, bulk.

import "./chrome.js";
import { fitting, perform } from "./acts.js";
import { config, el, icon, put, say, word } from "./dom.js";
import { Live } from "./live.js";
import "./push.js";
import { Row } from "./rows.js";
import { silence } from "./silence.js";
import { Store } from "./store.js";

const $ = (id) => document.getElementById(id);
const list = $("groups");
const rows = new Map();
const selected = new Set();
const store = new Store(changed);
const HOLD = 2500; // while the pointer moves over the list nothing jumps under it
const ANNOUNCE = 5000;
const KEPT_RESOLVED = 3600e3;

let active = null;
let paused = false;
let pointer = 0;
let waiting = new Set();
let cursor = "";
let known = false;
let soon = 0;
const news = [];

// --- filters live in the address ---

const filter = { state: "", severities: new Set(), text: "" };

function readAddress() {
  const query = new URLSearchParams(location.search);
  filter.state = query.get("state") ?? "";
  filter.severities = new Set((query.get("severity") ?? "").split(",").filter(Boolean).map(Number));
  filter.text = query.get("q") ?? "";
  $("search").value = filter.text;
}

function writeAddress() {
  const query = new URLSearchParams(location.search);
  const values = { state: filter.state, severity: [...filter.severities].sort().join(","), q: filter.text };
  for (const [name, value] of Object.entries(values)) value ? query.set(name, value) : query.delete(name);
  const text = query.toString();
  history.replaceState(null, "", text ? `?${text}` : location.pathname);
  draw();
}

function fits(group) {
  if (filter.state === "quiet" ? !isQuiet(group) : filter.state && group.state !== filter.state) return false;
  if (filter.severities.size && !filter.severities.has(group.severity)) return false;
  return !filter.text || filter.text.toLowerCase().split(/\s+/).every((part) => meets(group, part));
}

const isQuiet = (group) => Boolean(group.quiet) && group.state !== "resolved";

/** `service:name` and `p1` ask for just that; any other word is looked for everywhere. */
function meets(group, part) {
  if (/^p[1-5]$/.test(part)) return group.priority === Number(part[1]);
  if (part.startsWith("service:")) return (group.service_slug || "none").toLowerCase() === part.slice(8);
  return haystack(group).includes(part);
}

function haystack(group) {
  const labels = Object.entries(group.labels).map(([name, value]) => `${name}=${value}`).join(" ");
  return `#${group.number} ${group.title} ${labels} ${group.service} ${group.acked_by} ${group.resolved_by} ${group.assignee} route=${group.route}`.toLowerCase();
}

// --- drawing ---

// As the server reads them: what is heard before what is quiet, then priority, severity,
// the newest (alerts/worst_first.py).
const hushed = (group) => group.firing_count > 0 && group.quiet_count >= group.firing_count;
const rank = (group) => (group.state === "resolved" ? 0 : (hushed(group) ? 0 : 100) + (6 - group.priority) * 10 + group.severity);

function order(a, b) {
  return rank(b) - rank(a)
    || (rank(a) ? b.opened_at.localeCompare(a.opened_at) : (b.resolved_at ?? "").localeCompare(a.resolved_at ?? ""))
    || b.number - a.number;
}

function changed(ids) {
  for (const id of ids) {
    const group = store.now(id);
    if (group && rows.has(id)) rows.get(id).update(group);
    else waiting.add(id);
    // A row that no longer fits its place or filter waits too.
    if (group) waiting.add(id);
  }
  showStorms(ids);
  cancelAnimationFrame(soon);
  soon = requestAnimationFrame(flush);
  count();
}

/** Keep the banner of each storm that is not resolved. */
function showStorms(ids) {
  for (const id of ids) {
    const group = store.now(id);
    if (group && group.storm !== "own") continue;
    let line = document.querySelector(`#storms [data-id="${CSS.escape(id)}"]`);
    if (!group || group.state === "resolved") {
      if (group) line?.remove();
      continue;
    }
    if (!line) {
      line = el("li", { "data-id": id }, icon(5), el("a", { href: `/t/${config.slug}/groups/${group.number}` }));
      $("storms").append(line);
    }
    say(line.querySelector("a"), word("stormOn", { route: group.route, count: group.alert_count }));
  }
}

function held() {
  return paused || (Date.now() - pointer < HOLD && list.matches(":hover"));
}

/** Bring the list in order, unless somebody is about to click. */
function flush() {
  const moved = [...waiting].filter((id) => misplaced(id));
  if (held() && known && moved.length) {
    if (paused) say($("news"), word("newsWaiting", { count: moved.length }));
    $("news").hidden = !paused;
    if (!paused) setTimeout(flush, HOLD);
    return;
  }
  $("news").hidden = true;
  waiting.clear();
  draw();
}

function misplaced(id) {
  const group = store.now(id);
  const shown = rows.get(id)?.element.isConnected ?? false;
  if (!group || shown !== fits(group)) return true;
  if (!shown) return false;
  const { previousSibling: before, nextSibling: after } = rows.get(id).element;
  return (before && order(store.now(before.dataset.id) ?? group, group) > 0)
    || (after && order(group, store.now(after.dataset.id) ?? group) > 0);
}

function draw() {
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  const wanted = store.all().filter(fits).sort(order);
  const shown = new Set(wanted.map((group) => group.id));
  for (const [id, row] of rows) {
    if (shown.has(id)) continue;
    row.element.remove();
    if (!store.rows.has(id)) {
      rows.delete(id);
      selected.delete(id);
    }
  }
  let place = list.firstChild;
  for (const group of wanted) {
    const element = rowOf(group).element;
    if (element === place) place = place.nextSibling;
    else list.insertBefore(element, place);
  }
  if (focused && document.activeElement !== focused && focused.isConnected) focused.focus({ preventScroll: true });
  showEmpty(wanted.length);
  showSelection();
  showFilters();
}

function rowOf(group) {
  let row = rows.get(group.id);
  if (!row) {
    row = new Row(group, { act: (name, id) => act(name, [id]), pick, label: addLabel });
    rows.set(group.id, row);
    if (known) {
      row.element.classList.add("fresh");
      setTimeout(() => row.element.classList.remove("fresh"), 2500);
      news.push(group.title);
    }
  }
  return row;
}

function showEmpty(number) {
  const filtered = filter.state || filter.severities.size || filter.text;
  $("empty").hidden = number > 0 || !known;
  $("empty").classList.toggle("calm", !filtered);
  say($("empty"), word(filtered ? "nothingFound" : "nothing"));
}

function showFilters() {
  for (const button of $("states").children) put(button, "aria-pressed", String(button.dataset.state === filter.state));
  for (const button of $("severities").children) put(button, "aria-pressed", String(filter.severities.has(Number(button.dataset.severity))));
}

/** Count for buttons, the tab's title and the screen reader. */
function count() {
  const all = store.all();
  const states = {};
  const severities = {};
  for (const group of all) {
    states[group.state] = (states[group.state] ?? 0) + 1;
    if (isQuiet(group)) states.quiet = (states.quiet ?? 0) + 1;
    if (group.state === "firing") severities[group.severity] = (severities[group.severity] ?? 0) + 1;
  }
  const plus = cursor ? "+" : "";
  for (const button of $("states").children) {
    const number = button.dataset.state ? states[button.dataset.state] ?? 0 : all.length;
    say(button.querySelector("b"), number ? `${number}${button.dataset.state === "resolved" ? "" : plus}` : "");
  }
  for (const button of $("severities").children) {
    const number = severities[button.dataset.severity] ?? 0;
    say(button.querySelector("b"), String(number || ""));
    button.classList.toggle("none", !number);
  }
  const name = document.title.replace(/^\(\d+\+?\) /, "");
  document.title = states.firing ? `(${states.firing}${plus}) ${name}` : name;
}

function announce() {
  if (!known || !news.length) return;
  const all = store.all();
  const number = (state) => all.filter((group) => group.state === state).length;
  const latest = news.splice(0).pop();
  say($("announcer"), `${word("announceNew", { title: latest })}. ${word("announce", { firing: number("firing"), acknowledged: number("acknowledged") })}`);
}

// --- acting ---

async function act(name, ids) {
  const groups = ids.map((id) => store.now(id)).filter(Boolean);
  if (name === "silence") {
    const open = groups.filter((group) => fitting(group.state).length);
    if (open.length) silence(...open);
    return;
  }
  if (name === "resolve" && groups.length > 1 && !(await sure(groups.length))) return;
  perform(name, groups, live, store);
  for (const id of ids) selected.delete(id);
  showSelection();
}

function sure(number) {
  const dialog = $("confirm");
  say($("confirm-text"), word("selected", { count: number }));
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
}

function pick(id, on) {
  on ? selected.add(id) : selected.delete(id);
  showSelection();
}

function showSelection() {
  for (const [id, row] of rows) {
    const on = selected.has(id);
    row.element.classList.toggle("selected", on);
    row.parts.pick.checked = on;
  }
  $("bulk").hidden = !selected.size;
  say($("bulk-count"), word("selected", { count: selected.size }));
  const may = new Set([...selected].flatMap((id) => fitting(store.now(id)?.state ?? "resolved")));
  if (may.size) may.add("silence");
  for (const button of $("bulk-acts").children) button.disabled = !may.has(button.dataset.act);
}

function addLabel(text) {
  if (!filter.text.split(/\s+/).includes(text)) filter.text = `${filter.text} ${text}`.trim();
  $("search").value = filter.text;
  writeAddress();
}

// --- the keyboard ---

function step(by) {
  const ids = [...list.children].map((element) => element.dataset.id);
  if (!ids.length) return;
  const at = ids.indexOf(active);
  activate(ids[Math.min(ids.length - 1, Math.max(0, at < 0 ? 0 : at + by))]);
}

function activate(id) {
  rows.get(active)?.element.classList.remove("active");
  active = id;
  const row = rows.get(id);
  row.element.classList.add("active");
  row.parts.title.focus({ preventScroll: true });
  row.element.scrollIntoView({ block: "nearest" });
}

const targets = () => (selected.size ? [...selected] : active && rows.get(active)?.element.isConnected ? [active] : []);
const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  x: () => active && pick(active, !selected.has(active)),
  a: () => act("acknowledge", targets()),
  r: () => act("resolve", targets()),
  s: () => act("snooze", targets()),
  m: () => act("silence", targets()),
  u: () => act("unacknowledge", targets()),
  e: () => act("escalate", targets()),
  p: () => pause(!paused),
  "/": () => $("search").focus(),
  "?": () => $("help").showModal(),
  Escape: () => { selected.clear(); showSelection(); },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.matches("input:not([type=checkbox]), select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const run = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!run) return;
  event.preventDefault();
  run();
});

function pause(on) {
  paused = on;
  put($("pause"), "aria-pressed", String(on));
  if (on) {
    put(live.pill, "data-state", "paused");
    say(live.pill.querySelector("b"), word("paused"));
  } else {
    live.show(live.state);
    flush();
  }
}

// --- beginning ---

for (const severity of [5, 4, 3, 2, 1]) {
  const name = word(`severity${severity}`);
  $("severities").append(el("button", {
    type: "button", class: `sev-${severity}`, "data-severity": severity, title: name, "aria-label": name, "aria-pressed": "false",
    on: { click: () => { filter.severities.delete(severity) || filter.severities.add(severity); writeAddress(); } },
  }, icon(severity), el("b")));
}
for (const name of ["acknowledge", "snooze", "silence", "unacknowledge", "resolve"]) {
  $("bulk-acts").append(el("button", { type: "button", "data-act": name, on: { click: () => act(name, [...selected]) } }, icon(name), el("span", { text: word(name) })));
}
$("states").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  filter.state = button.dataset.state;
  writeAddress();
});
$("search").addEventListener("input", (event) => { filter.text = event.target.value; writeAddress(); });
$("bulk-clear").addEventListener("click", KEYS.Escape);
$("help-button").addEventListener("click", KEYS["?"]);
$("pause").addEventListener("click", KEYS.p);
$("news").addEventListener("click", () => pause(false));
list.addEventListener("pointermove", () => { pointer = Date.now(); });
list.addEventListener("focusin", (event) => {
  const id = event.target.closest(".row")?.dataset.id;
  if (id && id !== active) {
    rows.get(active)?.element.classList.remove("active");
    active = id;
  }
});
$("more").addEventListener("click", async () => {
  const answer = await fetch(`/t/${config.slug}/more/?after=${encodeURIComponent(cursor)}`);
  if (!answer.ok) return;
  const page = await answer.json();
  cursor = page.more;
  showMore();
  store.merge(page.groups);
});

function showMore() {
  $("more").hidden = !cursor;
  say($("more"), word("more"));
}

function arrived() {
  const note = $("waiting");
  if (!note || note.hidden || !store.rows.size) return;
  note.classList.add("arrived");
  say(note.querySelector("b"), word("firstArrived"));
  put($("first-alert"), "class", "done");
  put($("first-alert").querySelector("use"), "href", "#i-resolve");
}

readAddress();
addEventListener("popstate", () => { readAddress(); draw(); });
const live = new Live({
  snapshot(frame) {
    cursor = frame.more;
    showMore();
    store.replace(frame.groups);
    known ? flush() : draw();
    known = true;
    list.removeAttribute("aria-busy");
    showEmpty(list.children.length);
    arrived();
  },
  delta(frame) {
    store.merge(frame.groups, frame.gone);
    arrived();
  },
});

setInterval(() => {
  if (document.hidden) return;
  const now = Date.now();
  for (const row of rows.values()) if (row.element.isConnected) row.tick(now);
}, 1000);
setInterval(announce, ANNOUNCE);
setInterval(() => {
  const old = store.all().filter((group) => group.resolved_at && Date.now() - new Date(group.resolved_at) > KEPT_RESOLVED);
  if (old.length) store.merge([], old.map((group) => group.id));
}, 60e3);
