// On a silence: shows only the fields that its choices need. Without script all are
// there; what was refused is never hidden.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const chosen = (name) =>
    document.querySelector(`input[name=${name}]:checked`)?.value ?? "";
  const show = (name, needed) => {
    const row = document.querySelector(`.form-row.field-${name}`);
    if (row) row.hidden = !needed && !row.querySelector(".errorlist");
  };
  const showAll = () => {
    const repeats = chosen("repeats");
    show("ends_at", chosen("lasting") === "until");
    show("on_days", repeats === "days");
    show("recurrence", repeats === "own");
    show("duration_seconds", repeats !== "");
    show("time_zone", repeats !== "");
  };
  document.addEventListener("change", showAll);
  showAll();
});
