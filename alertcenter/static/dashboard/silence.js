// How is something silenced from a screen? A dialog, a look at what it mutes, a click.

import { briefTime, config, csrf, el, say, toast, word } from "./dom.js";

const dialog = document.getElementById("silence");
const form = document.getElementById("silence-form");
const at = (name) => `/t/${config.slug}/silences/${name}`;
const part = (id) => document.getElementById(`silence-${id}`);
let timer = 0;
let asked = 0;
const MOST_GROUPS = 200; // that the server reads (alerts/silence_presets.py)

const post = (path, body = new FormData()) =>
  fetch(path, { method: "POST", body, headers: { "X-CSRFToken": csrf() } });

/** Open the dialog, with the conditions that the alerts of the groups share. */
export async function silence(...groups) {
  if (!dialog) return;
  form.reset();
  part("confirm").hidden = true;
  part("scope").hidden = true;
  complain("");
  show({ sentence: "" });
  dialog.showModal();
  if (!groups.length) return;
  const query = groups.slice(0, MOST_GROUPS).map((group) => `group=${group.number}`).join("&");
  try {
    const answer = await fetch(at(`proposal?${query}`));
    if (!answer.ok || !dialog.open) return;
    const told = await answer.json();
    form.elements.matchers.value = told.matchers.join("\n");
    form.elements.group.value = told.group;
    part("scope").hidden = !told.group;
    if (told.sentence) show({ sentence: told.sentence, alarming: true });
    else preview();
  } catch {
    complain(word("failed_unavailable"));
  }
}

function show({ sentence, alarming = false, examples = [] }) {
  const place = part("reach");
  say(place.querySelector("p"), sentence);
  place.classList.toggle("alarming", alarming);
  place.querySelector("ul").replaceChildren(...examples.map((text) => el("li", {}, el("bdi", { text }))));
}

async function preview() {
  const mine = ++asked;
  if (!form.elements.matchers.value.trim()) { show({ sentence: "" }); return; }
  try {
    const answer = await post(at("preview"), new FormData(form));
    if (answer.ok && mine === asked) show(await answer.json());
  } catch {
    // The next change asks again.
  }
}

function complain(text) {
  const place = part("error");
  place.hidden = !text;
  say(place, text);
}

async function send(event) {
  event.preventDefault();
  const button = form.querySelector("button.primary");
  button.disabled = true;
  complain("");
  try {
    const answer = await post(at("new"), new FormData(form));
    const told = await answer.json();
    if (answer.ok) done(told);
    else refuse(told);
  } catch {
    complain(word("failed_unavailable"));
  } finally {
    button.disabled = false;
  }
}

function done({ id, ends_at }) {
  dialog.close();
  const undo = { label: word("undo"), run: () => expire(id) };
  toast(word("silencedUntil", { time: briefTime(ends_at) }), { act: undo, seconds: 10 });
  document.dispatchEvent(new CustomEvent("silenced"));
}

function refuse({ error, sentence }) {
  complain(sentence ?? word("failed_forbidden"));
  if (error !== "broad") return;
  part("confirm").hidden = false;
  part("confirm").querySelector("input").focus();
}

async function expire(id) {
  try {
    const answer = await post(at(`${id}/expire`));
    toast(answer.ok ? word("silenceOver") : word("failed_unavailable"), { bad: !answer.ok });
    document.dispatchEvent(new CustomEvent("silenced"));
  } catch {
    toast(word("failed_unavailable"), { bad: true });
  }
}

if (dialog) {
  form.addEventListener("submit", send);
  form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(preview, 400); });
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
}
