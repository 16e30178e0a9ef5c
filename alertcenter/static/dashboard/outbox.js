// What was sent? Cards as Slack draws them, mails in a locked frame, all others plainly; and the storm.

import "./chrome.js";
import { briefTime, csrf, el, fullTime, read, say, toast } from "./dom.js";

const texts = read("texts");
const cards = document.getElementById("cards");
const drawn = new Map();
let version = "";
const SHOWN_REPLIES = 4;

// --- drawing ---

function span(piece) {
  let node = document.createTextNode(piece.text);
  if (piece.pre) node = el("span", { class: "pre" }, node);
  if (piece.code) node = el("code", {}, node);
  for (const name of ["b", "i", "s"]) if (piece[name]) node = el(name, {}, node);
  if (piece.href) node = el("a", { href: piece.href, rel: "noopener noreferrer", target: "_blank" }, node);
  return node;
}

const spans = (pieces) => pieces.map(span);

const BLOCKS = {
  header: (block) => [el("div", { class: "b-header" }, ...spans(block.spans))],
  divider: () => [el("hr", { class: "b-divider" })],
  context: (block) => [el("div", { class: "b-context" }, ...block.parts.flatMap((part, at) => (at ? [" · ", ...spans(part)] : spans(part))))],
  section: (block) => [
    ...(block.spans.length ? [el("div", { class: "b-section" }, ...spans(block.spans))] : []),
    ...(block.fields?.length ? [el("div", { class: "b-fields" }, ...block.fields.map((field) => el("div", { class: "b-field" }, ...spans(field))))] : []),
  ],
  actions: (block, card) => [el("div", { class: "b-actions" }, ...block.buttons.map((item) => button(item, block, card)), ...(block.menus ?? []).map((item) => menu(item, block, card)))],
};

/** Draw a menu; who may be chosen is who can press. */
function menu(item, block, card) {
  const people = [...document.querySelectorAll("#user option")].filter((one) => one.value).map((one) => ({ text: one.textContent, value: one.value }));
  const options = item.type === "users_select" ? people : item.options;
  const first = el("option", { value: "", text: item.text || texts.person });
  const chosen = (event) => {
    const { value } = event.target;
    event.target.selectedIndex = 0;
    if (value) press(event.target, { ...item, value }, block, card);
  };
  return el("select", { class: "b-menu", "aria-label": item.text || texts.person, on: { change: chosen } }, first, ...options.map((one) => el("option", { value: one.value, text: one.text })));
}

function button(item, block, card) {
  if (item.url) return el("a", { class: "button", href: item.url, target: "_blank", rel: "noopener noreferrer", text: item.text });
  return el("button", { type: "button", class: item.style ? `s-${item.style === "primary" ? "primary" : "danger"}` : "", text: item.text, on: { click: (event) => press(event.target, item, block, card) } });
}

const blocks = (found, card) => found.flatMap((block) => BLOCKS[block.type]?.(block, card) ?? []);
const moment = (at) => el("time", { datetime: at, title: fullTime(at), text: briefTime(at) });

function slackCard(card) {
  const body = el("div", { class: card.colour ? "blocks coloured" : "blocks" }, ...blocks(card.blocks, card));
  if (card.colour) body.style.borderInlineStartColor = card.colour;
  const name = el("div", { class: "author-name" }, el("span", { text: "AlertCenter" }), el("span", { class: "bot", text: "APP" }));
  const inner = el("div", { class: "author-text" }, name, body);
  if (card.edited) inner.append(el("span", { class: "edited", text: texts.edited, title: fullTime(card.edited) }));
  const mark = document.querySelector(".brand .mark").cloneNode(true);
  const post = el("div", { class: "post-body" }, el("div", { class: "author" }, mark, inner));
  post.append(...thread(card.replies.map((reply) => drawReply(reply, card))));
  return [head("Slack", card.place, card.at), post];
}

/** Draw the lines below a message; the earlier ones are folded. */
function thread(lines) {
  if (!lines.length) return [];
  const earlier = lines.slice(0, -SHOWN_REPLIES);
  const latest = lines.slice(-SHOWN_REPLIES);
  if (earlier.length) latest.unshift(el("details", {}, el("summary", { text: texts.earlier.replace("{count}", earlier.length) }), ...earlier));
  return [el("div", { class: "thread" }, ...latest)];
}

function drawReply(reply, card) {
  const remarks = [reply.broadcast && texts.broadcast, reply.ephemeral && texts.onlyYou].filter(Boolean);
  return el("div", { class: reply.ephemeral ? "reply ephemeral" : "reply" }, moment(reply.at),
    ...remarks.flatMap((text) => [" ", el("small", { text })]),
    el("div", { class: "blocks" }, ...blocks(reply.blocks, card)));
}

function mailCard(card) {
  const inner = el("div", { class: "post-body" }, el("div", { class: "mail-subject", text: card.subject }), el("div", { class: "mail-to", text: `${texts.to} ${card.to}` }));
  const parts = [head(texts.mail, card.to, card.at), inner];
  if (card.html) parts.push(el("iframe", { src: card.html, sandbox: "allow-popups allow-popups-to-escape-sandbox", loading: "lazy", title: card.subject }));
  parts.push(el("details", {}, el("summary", { text: texts.plainText }), el("pre", { text: card.text })));
  if (card.headers.length) parts.push(el("details", {}, el("summary", { text: texts.headers }), el("pre", { text: card.headers.join("\n") })));
  return parts;
}

function otherCard(card) {
  const inner = el("div", { class: "post-body plain" }, el("div", { class: "b-header", text: card.title }));
  if (card.text) inner.append(el("div", { class: "b-section", text: card.text }));
  if (card.links.length) inner.append(el("div", { class: "b-actions" }, ...card.links.map((link) => button(link))));
  if (card.acts.length) inner.append(el("div", { class: "b-actions" }, ...card.acts.map(([value, text]) => el("button", { type: "button", text, on: { click: (event) => answerPhone(event.target, value, card) } }))));
  if (card.edited) inner.append(el("span", { class: "edited", text: texts.edited, title: fullTime(card.edited) }));
  const lines = card.replies.map((reply) => el("div", { class: "reply" }, moment(reply.at), el("div", { class: "b-section", text: reply.text })));
  inner.append(...thread(lines));
  const parts = [head(card.label, card.place, card.at), inner];
  if (card.sent) {
    const to = card.to && card.to !== card.place ? [el("div", { class: "mail-to", text: `${texts.to} ${card.to}` })] : [];
    parts.push(el("details", {}, el("summary", { text: texts.asSent }), ...to, el("pre", { text: card.sent })));
  }
  return parts;
}

const DRAWN_BY = { slack: slackCard, email: mailCard };

function head(kind, place, at) {
  return el("header", { class: "post-head" }, el("span", { class: "kind", text: kind }), el("span", { class: "place" }, el("bdi", { text: place })), moment(at));
}

/** Draw what changed; what did not keeps its open details and its focus. */
function draw(found) {
  const ids = new Set(found.map((card) => card.id));
  for (const [id, { element }] of drawn) if (!ids.has(id)) { element.remove(); drawn.delete(id); }
  let place = cards.firstChild;
  for (const card of found) {
    const text = JSON.stringify(card);
    const known = drawn.get(card.id);
    let element = known?.element;
    if (!known || known.text !== text) {
      element ??= el("article", { class: card.kind === "slack" ? "post" : "post mail", "data-message": card.id });
      const opened = Boolean(element.querySelector(":scope > details[open]"));
      element.replaceChildren(...(DRAWN_BY[card.kind] ?? otherCard)(card));
      if (opened) element.querySelector(":scope > details")?.setAttribute("open", "");
      if (version) { element.classList.remove("arrived"); void element.offsetWidth; element.classList.add("arrived"); }
      drawn.set(card.id, { element, text });
    }
    if (element === place) place = place.nextSibling;
    else cards.insertBefore(element, place);
  }
  cards.removeAttribute("aria-busy");
  document.getElementById("empty").hidden = found.length > 0;
}

// --- pressing ---

function press(target, item, block, card) {
  return callBack(target, cards.dataset.press, {
    message: card.id, type: item.type ?? "button", action_id: item.action_id, value: item.value, block_id: block.block_id, user: document.getElementById("user").value,
  });
}

const answerPhone = (target, value, card) => callBack(target, cards.dataset.phone, { message: card.id, value });

/** Let the server send the vendor's callback, and say what came of it; a form that it opens is shown. */
async function callBack(target, url, given) {
  const body = new URLSearchParams(given);
  for (const other of target.parentElement.children) other.disabled = true;
  let note;
  try {
    const answer = await fetch(url, { method: "POST", headers: { "X-CSRFToken": csrf() }, body });
    const { status, answer: said, form: opened } = await answer.json();
    if (opened) return location.assign(opened);
    note = status === 200 ? { text: url === cards.dataset.phone && said ? said : texts.pressed } : { text: texts.refused.replace("{status}", status).replace("{answer}", said), bad: true };
  } catch {
    note = { text: texts.unreachable, bad: true };
  }
  for (const other of target.parentElement?.children ?? []) other.disabled = false;
  toast(note.text, { bad: note.bad });
  setTimeout(look, 200);
  return null;
}

// --- looking ---

async function look() {
  try {
    const answer = await fetch(`${cards.dataset.url}?version=${encodeURIComponent(version)}`);
    if (answer.redirected) return location.reload();
    if (answer.status === 200) {
      const found = await answer.json();
      draw(found.cards);
      version = found.version;
    }
  } catch {
    // the server is away; the next look may find it
  }
  return null;
}

const every = (milliseconds, run) => setInterval(() => document.hidden || run(), milliseconds);

// --- the storm ---

const funnel = document.getElementById("funnel");
const form = document.getElementById("storm-form");
const stop = document.getElementById("storm-stop");

function showStorm(storm) {
  funnel.hidden = !storm;
  stop.hidden = !storm?.running;
  document.getElementById("storm-start").disabled = Boolean(storm?.running);
  if (!storm) return;
  for (const [name, number] of Object.entries(storm.funnel)) say(document.getElementById(`f-${name}`), number.toLocaleString(document.documentElement.lang));
  const { alerts, notifications } = storm.funnel;
  const line = storm.running ? texts.running : texts.over;
  say(document.getElementById("funnel-line"), `${line.replace("{title}", storm.title).replace("{seconds}", storm.elapsed)} ${texts.became.replace("{alerts}", alerts).replace("{pages}", notifications)}`);
}

async function ask(url, given) {
  try {
    const answer = await fetch(url, given);
    if (answer.ok || answer.status === 409) showStorm((await answer.json()).storm);
  } catch {
    // shown by the counters standing still
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask(form.action, { method: "POST", headers: { "X-CSRFToken": csrf() }, body: new FormData(form) });
});
stop.addEventListener("click", () => ask(stop.dataset.url, { method: "POST", headers: { "X-CSRFToken": csrf() } }));

look();
ask(funnel.dataset.url);
every(1500, look);
every(1000, () => ask(funnel.dataset.url));
