// Shows of each step of a policy only the fields that its kind is told.
"use strict";

const STEPS = "#steps-group .inline-related";

function show(step) {
  const kind = step.querySelector(".field-kind select");
  if (!kind) return;
  const all = JSON.parse(kind.dataset.fields);
  const needed = new Set(all[kind.value] || []);
  for (const name of new Set(Object.values(all).flat())) {
    const row = step.querySelector(`.form-row.field-${name}`);
    // What was refused stays in sight.
    if (row) row.hidden = !needed.has(name) && !row.querySelector(".errorlist");
  }
}

function showAll() {
  for (const step of document.querySelectorAll(STEPS)) show(step);
}

// Empty steps take the places after the last one.
function number() {
  let last = 0;
  for (const step of document.querySelectorAll(`${STEPS}:not(.empty-form)`)) {
    const place = step.querySelector(".field-position input");
    const kind = step.querySelector(".field-kind select");
    if (!place || !kind) continue;
    if (!step.classList.contains("has_original") && !kind.value) place.value = last + 1;
    last = Math.max(last, Number(place.value) || 0);
  }
}

document.addEventListener("DOMContentLoaded", () => {
  number();
  showAll();
});
document.addEventListener("change", (event) => {
  const step = event.target.closest(STEPS);
  if (step) show(step);
});
document.addEventListener("formset:added", () => {
  number();
  showAll();
});
