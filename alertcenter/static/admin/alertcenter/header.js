// Choosers that submit themselves, and buttons that copy. Without script the
// choosers' own buttons do the same.
"use strict";

for (const select of document.querySelectorAll("select[data-autosubmit]")) {
  select.form.classList.add("auto");
  select.addEventListener("change", () => select.form.requestSubmit());
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.classList.add("copied");
    } catch {
      // No clipboard on plain http: select the text for the person to copy.
      getSelection().selectAllChildren(source);
    }
  });
}
