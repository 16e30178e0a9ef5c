// How do texts, times and icons get on the page? Always as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

export function read(id) {
  const element = document.getElementById(id);
  return element ? JSON.parse(element.textContent) : null;
}

export const config = read("config") || { words: {}, language: document.documentElement.lang };

/** Make an element; `given` holds attributes, `text`, and `on` {event: handler}. */
export function el(name, given = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "text") made.textContent = value;
    else if (key === "on") for (const [event, act] of Object.entries(value)) made.addEventListener(event, act);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

export function icon(name, label = "") {
  const svg = document.createElementNS(SVG, "svg");
  if (label) svg.setAttribute("aria-label", label);
  else svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** Change a text only if it differs: no needless work for screen readers. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function put(element, name, value) {
  if (value === null || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/** Return the text `name` in the page's language, {placeholders} filled in. */
export function word(name, given = {}) {
  const text = config.words[name] ?? name;
  return text.replace(/\{(\w+)\}/g, (whole, key) => (key in given ? String(given[key]) : whole));
}

const units = ["second", "minute", "hour", "day"].map((unit) =>
  new Intl.NumberFormat(config.language, { style: "unit", unit, unitDisplay: "narrow" }));
const STEPS = [1, 60, 3600, 86400];

/** Return a count-down such as "4:05" or "1:02:03"; days in words. */
export function countdown(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  if (whole >= 86400) return lasting(whole);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] ? parts : parts.slice(1);
  return shown.map((part, at) => (at ? String(part).padStart(2, "0") : String(part))).join(":");
}

/** Return a length of time such as "4m 12s" or "3h 5m". */
export function lasting(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const size = whole < 60 ? 0 : whole < 3600 ? 1 : whole < 86400 ? 2 : 3;
  const big = Math.floor(whole / STEPS[size]);
  const first = units[size].format(big);
  if (size === 0 || big > 9) return first;
  const rest = Math.floor((whole - big * STEPS[size]) / STEPS[size - 1]);
  return rest ? `${first} ${units[size - 1].format(rest)}` : first;
}

const long = new Intl.DateTimeFormat(config.language, { dateStyle: "medium", timeStyle: "medium" });
const clock = new Intl.DateTimeFormat(config.language, { timeStyle: "medium" });
const short = new Intl.DateTimeFormat(config.language, { weekday: "short", hour: "2-digit", minute: "2-digit" });
const far = new Intl.DateTimeFormat(config.language, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

export const fullTime = (moment) => long.format(new Date(moment));
export const clockTime = (moment) => clock.format(new Date(moment));

/** Return a moment briefly: the time today, weekday within the week, else the date. */
export function briefTime(moment) {
  const date = new Date(moment);
  if (date.toDateString() === new Date().toDateString()) return clockTime(moment).replace(/:\d\d(?=$|\s)/, "");
  return Math.abs(date - Date.now()) < 6.5 * 86400e3 ? short.format(date) : far.format(date);
}

/** Show server-rendered times in the reader's own zone. */
export function localTimes(root = document) {
  for (const time of root.querySelectorAll("time[data-moment]")) {
    const given = time.getAttribute("datetime");
    const today = new Date(given).toDateString() === new Date().toDateString();
    say(time, time.dataset.moment === "time" && today ? clockTime(given) : briefTime(given));
    time.title = fullTime(given);
  }
}

/** Show a short message; `act` adds a button {label, run}. */
export function toast(text, { bad = false, act = null, seconds = 6 } = {}) {
  const box = el("div", { class: bad ? "toast bad" : "toast" }, el("span", { text }));
  const leave = () => box.remove();
  if (act) box.append(el("button", { type: "button", text: act.label, on: { click: () => { leave(); act.run(); } } }));
  document.getElementById("toasts").append(box);
  setTimeout(leave, seconds * 1000);
}

export function csrf() {
  return document.querySelector("input[name=csrfmiddlewaretoken]")?.value ?? "";
}
