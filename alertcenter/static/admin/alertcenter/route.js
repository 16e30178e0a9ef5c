// On a route: labels to group by matter only for one of the four choices, and typing
// one makes that choice.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const lines = document.getElementById("id_group_by");
  const byLabels = document.querySelector("input[name=grouping][value=labels]");
  if (!lines || !byLabels) return;
  const show = () => lines.classList.toggle("unused", !byLabels.checked);
  lines.addEventListener("input", () => {
    if (lines.value.trim()) byLabels.checked = true;
    show();
  });
  for (const choice of document.querySelectorAll("input[name=grouping]")) {
    choice.addEventListener("change", show);
  }
  show();
});
