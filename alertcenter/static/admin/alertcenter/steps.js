// Shows in each row of a policy's steps only the field that its kind needs.
"use strict";

const NEEDED = {
  channel: "channel",
  member: "member",
  oncall: "schedule",
  wait: "wait_seconds",
};

function show(row) {
  const kind = row.querySelector(".field-kind select");
  if (!kind) return;
  for (const name of Object.values(NEEDED)) {
    const cell = row.querySelector(`.field-${name}`);
    if (!cell) continue;
    const needed = NEEDED[kind.value] === name;
    for (const part of cell.children) part.hidden = !needed;
  }
}

function showAll() {
  for (const row of document.querySelectorAll("#steps-group tr.form-row")) show(row);
}

// Empty rows take the places after the last one.
function number() {
  const rows = [...document.querySelectorAll("#steps-group tr.form-row:not(.empty-form)")];
  let last = 0;
  for (const row of rows) {
    const place = row.querySelector(".field-position input");
    const kind = row.querySelector(".field-kind select");
    if (!place || !kind) continue;
    if (!row.classList.contains("has_original") && !kind.value) place.value = last + 1;
    last = Math.max(last, Number(place.value) || 0);
  }
}

document.addEventListener("DOMContentLoaded", () => {
  number();
  showAll();
});
document.addEventListener("change", (event) => {
  const row = event.target.closest("#steps-group tr.form-row");
  if (row) show(row);
});
document.addEventListener("formset:added", () => {
  number();
  showAll();
});
