// Shows the preview again a moment after each change; without script the button does.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const button = document.querySelector("button[data-preview]");
  if (!button) return;
  const form = button.form;
  let timer = 0;
  const show = () => form.requestSubmit(button);
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(show, 400);
  };
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  // The tab that is opened is the language to look at.
  form.addEventListener("click", (event) => {
    const tab = event.target.closest(".lang-tabs > ul a");
    const language = form.elements["preview_language"];
    if (!tab || !language) return;
    language.value = tab.textContent.trim().toLowerCase();
    soon();
  });
  // Enter in a field must save, not preview: the form's own first button is ours
  // only because it stands first.
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.tagName !== "INPUT") return;
    event.preventDefault();
    form.requestSubmit(form.querySelector("input[name=_save]"));
  });
  show();
});
