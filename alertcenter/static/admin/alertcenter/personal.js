// Shows in each row of a chain only the field that its kind needs, and numbers rows.
"use strict";

const NEEDED = { contact: "contact", by: "by", wait: "wait_seconds" };
const GROUPS = "[id^='personal_steps'][id$='-group']";

function show(row) {
  const kind = row.querySelector(".field-kind select");
  if (!kind) return;
  for (const name of Object.values(NEEDED)) {
    const cell = row.querySelector(`.field-${name}`);
    if (!cell) continue;
    for (const part of cell.children) part.hidden = NEEDED[kind.value] !== name;
  }
}

function renew() {
  for (const group of document.querySelectorAll(GROUPS)) {
    let last = 0;
    for (const row of group.querySelectorAll("tr.form-row:not(.empty-form)")) {
      const place = row.querySelector(".field-position input");
      const kind = row.querySelector(".field-kind select");
      if (!place || !kind) continue;
      if (!row.classList.contains("has_original") && !kind.value) place.value = last + 1;
      last = Math.max(last, Number(place.value) || 0);
    }
    for (const row of group.querySelectorAll("tr.form-row")) show(row);
  }
}

document.addEventListener("DOMContentLoaded", renew);
document.addEventListener("formset:added", renew);
document.addEventListener("change", (event) => {
  const row = event.target.closest(`${GROUPS} tr.form-row`);
  if (row) show(row);
});
