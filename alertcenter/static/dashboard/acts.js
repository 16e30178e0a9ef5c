// What happens on a click? At once on the screen, then on the server, else undone.

import { config, csrf, toast, word } from "./dom.js";

export const HOUR = 3600;
const NEXT = { acknowledge: "acknowledged", unacknowledge: "firing", resolve: "resolved", snooze: "snoozed", undo: "firing" };
const UNDONE = new Set(["acknowledge", "snooze", "resolve"]);

/** Which acts fit a group in this state? */
export function fitting(state) {
  if (!config.mayAct || state === "resolved") return [];
  if (state === "firing") return ["acknowledge", "snooze", "resolve"];
  return ["unacknowledge", "snooze", "resolve"];
}

/** Act on rows; `live` is the connection, `store` keeps guesses. */
export async function perform(name, rows, live, store) {
  const chosen = rows.filter((row) => name === "undo" || fitting(row.state).includes(name));
  if (!chosen.length) return;
  for (const row of chosen) store.guess(row.id, guess(name));
  const frame = await send({
    do: name,
    groups: chosen.map((row) => row.id),
    versions: chosen.map((row) => row.version),
    ...(name === "snooze" ? { seconds: HOUR } : {}),
  }, live);
  settle(name, chosen, frame, live, store);
}

function guess(name) {
  const state = NEXT[name];
  return { state, acked_by: ["acknowledged", "snoozed"].includes(state) ? config.me ?? "" : "",
    resolved_by: state === "resolved" ? config.me ?? "" : "",
    snooze_until: state === "snoozed" ? new Date(Date.now() + HOUR * 1e3).toISOString() : null, next_at: null };
}

async function send(wanted, live) {
  if (live.isOpen) return live.act(wanted);
  try {
    const answer = await fetch(`/t/${config.slug}/act/`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrf() },
      body: JSON.stringify(wanted),
    });
    return await answer.json();
  } catch {
    return { error: "unavailable" };
  }
}

function settle(name, chosen, frame, live, store) {
  const results = new Map((frame.results ?? []).map((result) => [result.id, result]));
  const done = [];
  const refused = [];
  for (const row of chosen) {
    const result = results.get(row.id);
    if (result?.done || result?.reason === "already") {
      done.push(row);
      store.confirm(row.id, result.state);
    } else {
      store.rollback(row.id);
      refused.push({ row, reason: result?.reason ?? frame.error ?? "unavailable" });
    }
  }
  if (refused.length) complain(refused);
  if (done.length) praise(name, done, live, store);
}

function complain(refused) {
  const { row, reason } = refused[0];
  const known = config.words[`failed_${reason}`];
  const text = known ? word(`failed_${reason}`, { number: row.number }) : word("failed", { reason });
  toast(refused.length > 1 ? `${word("refused", { count: refused.length })} ${text}` : text, { bad: true });
}

function praise(name, done, live, store) {
  const state = word(NEXT[name]);
  const text = done.length > 1 ? word("doneMany", { count: done.length, state }) : word("doneOne", { number: done[0].number, state });
  const undo = UNDONE.has(name)
    ? { label: word("undo"), run: () => perform("undo", done.map((row) => store.now(row.id) ?? row), live, store) }
    : null;
  toast(text, { act: undo, seconds: 10 });
}
