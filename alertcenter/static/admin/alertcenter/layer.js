// Shows, a moment after each change of the form, what the layer would do.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const panel = document.querySelector("[data-layer-preview]");
  const form = panel && panel.closest("form");
  if (!form) return;
  const place = panel.querySelector("div");
  let timer = 0;
  let asked = 0;

  async function ask() {
    const mine = ++asked;
    try {
      const answer = await fetch(panel.dataset.layerPreview, {
        method: "POST",
        body: new FormData(form),
        credentials: "same-origin",
      });
      if (!answer.ok || mine !== asked) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      panel.hidden = false;
      place.replaceChildren(...page.body.childNodes);
    } catch {
      // The next change asks again.
    }
  }

  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, 400);
  };
  // A new row is the last turn, and not one more in the first.
  document.addEventListener("formset:added", (event) => {
    const places = [...form.querySelectorAll("input[name$=-position]")];
    const own = event.target.querySelector("input[name$=-position]");
    if (!own) return;
    const others = places.filter((one) => one !== own && !one.name.includes("__prefix__"));
    own.value = Math.max(0, ...others.map((one) => Number(one.value))) + 1;
  });
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  // Members are chosen by a widget that tells only jQuery of it.
  window.django?.jQuery?.(form).on("change", soon);
  ask();
});
