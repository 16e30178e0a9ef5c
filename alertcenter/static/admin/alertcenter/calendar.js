// Choosing a stretch in the row "On call" fills in the form of an override: by dragging,
// by a click on a shift, or by keys. Without script the form is filled in by hand.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const grid = document.querySelector("[data-rota]");
  const row = document.querySelector("[data-final]");
  const form = document.querySelector("[data-override]");
  if (!grid || !row || !form) return;

  const edges = grid.dataset.edges.split(",").map(Number);
  const begin = edges[0];
  const end = edges[edges.length - 1];
  const minute = 60_000;
  const step = (grid.classList.contains("week") ? 30 : 120) * minute;
  const clock = new Intl.DateTimeFormat("en-CA", {
    timeZone: grid.dataset.zone, hourCycle: "h23", year: "numeric", month: "2-digit",
    day: "2-digit", hour: "2-digit", minute: "2-digit",
  });
  const marked = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  marked.setAttribute("class", "rota-selection");
  marked.setAttribute("height", "100%");
  let chosen = null; // [from, until) in milliseconds
  let held = null; // where the pointer went down
  let caret = snapped(Math.min(Math.max(Date.now(), begin), end - step));

  document.querySelector("[data-how]").hidden = false;
  row.setAttribute("tabindex", "0");
  row.append(marked);

  // A step counts from midnight, so that a day of 23 hours does not shift the others.
  function snapped(at) {
    const day = edges.findLast((edge) => edge <= at) ?? begin;
    return Math.min(day + Math.round((at - day) / step) * step, end);
  }

  function timeAt(event) {
    const box = row.getBoundingClientRect();
    const share = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
    return begin + share * (end - begin);
  }

  function wall(at) {
    const parts = Object.fromEntries(clock.formatToParts(at).map((p) => [p.type, p.value]));
    return `${parts.year}-${parts.month}-${parts.day}T${parts.hour}:${parts.minute}`;
  }

  function show() {
    const [from, until] = chosen;
    const share = (at) => `${((at - begin) / (end - begin)) * 100}%`;
    marked.setAttribute("x", share(from));
    marked.setAttribute("width", `${((until - from) / (end - begin)) * 100}%`);
    const words = [from, until].map((at) => wall(at).replace("T", " "));
    document.querySelector("[data-chosen]").textContent = words.join(" – ");
  }

  function choose(one, other) {
    chosen = [Math.max(Math.min(one, other), begin), Math.min(Math.max(one, other), end)];
    if (chosen[0] === chosen[1]) chosen[1] += step;
    show();
  }

  // Who is on call when it begins is who would go.
  function fill() {
    form.elements.starts_at.value = wall(chosen[0]);
    form.elements.ends_at.value = wall(chosen[1]);
    const there = [...row.querySelectorAll("[data-person]")].filter(
      (bar) => Number(bar.dataset.starts) <= chosen[0] && Number(bar.dataset.ends) > chosen[0],
    );
    form.elements.instead.value = there.length ? there[0].dataset.person : "";
  }

  function open() {
    fill();
    form.scrollIntoView({ block: "nearest" });
    form.elements.member.focus();
  }

  row.addEventListener("pointerdown", (event) => {
    if (event.button || event.pointerType === "touch") return;
    held = { at: timeAt(event), x: event.clientX };
    row.setPointerCapture(event.pointerId);
  });
  row.addEventListener("pointermove", (event) => {
    if (!held || Math.abs(event.clientX - held.x) < 4) return;
    held.dragged = true;
    choose(snapped(held.at), snapped(timeAt(event)));
  });
  row.addEventListener("pointercancel", () => { held = null; });
  row.addEventListener("pointerup", (event) => {
    const dragged = held?.dragged;
    held = null;
    if (dragged) open();
    else if (event.button === 0) pick(timeAt(event));
  });

  // A click means the shift there, or the hole.
  function pick(at) {
    const bars = [...row.querySelectorAll("[data-starts]")];
    const here = bars.find((bar) => Number(bar.dataset.starts) <= at && at < Number(bar.dataset.ends));
    const edgesOf = bars.flatMap((bar) => [Number(bar.dataset.starts), Number(bar.dataset.ends)]);
    const from = here ? Number(here.dataset.starts) : Math.max(begin, ...edgesOf.filter((t) => t <= at));
    const until = here ? Number(here.dataset.ends) : Math.min(end, ...edgesOf.filter((t) => t > at));
    choose(from, until);
    open();
  }

  row.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: -1, ArrowRight: 1, PageUp: -24, PageDown: 24 }[event.key];
    if (way) {
      const [from, until] = chosen ?? [caret, caret + step];
      const length = event.shiftKey ? Math.max(until - from + way * step, step) : until - from;
      const start = event.shiftKey ? from : from + way * step;
      caret = Math.min(Math.max(start, begin), end - step);
      choose(caret, Math.min(caret + length, end));
      event.preventDefault();
    } else if (event.key === "Enter" && chosen) {
      open();
      event.preventDefault();
    } else if (event.key === "Escape") {
      chosen = null;
      marked.removeAttribute("width");
      document.querySelector("[data-chosen]").textContent = "";
    }
  });

  // Only what the kind needs is asked.
  function ask() {
    const kind = form.elements.kind.value;
    form.querySelector("[data-field=member]").hidden = kind === "remove";
    form.querySelector("[data-field=instead]").hidden = !["remove", "replace"].includes(kind);
  }
  form.elements.kind.addEventListener("change", ask);
  // A hidden choice is none.
  form.addEventListener("submit", () => {
    for (const name of ["member", "instead"]) {
      if (form.querySelector(`[data-field=${name}]`).hidden) form.elements[name].value = "";
    }
  });
  ask();
});
