// On a new channel: shows only the settings of the chosen kind.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const kind = document.getElementById("id_kind");
  if (!kind) return;
  const show = () => {
    for (const part of document.querySelectorAll("fieldset[class*='for-']")) {
      part.hidden = !part.classList.contains(`for-${kind.value}`);
    }
  };
  kind.addEventListener("change", show);
  show();
});
