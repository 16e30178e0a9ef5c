// Says, a moment after each change of the form, what it would keep quiet now.
"use strict";

function example({ text, url, note }) {
  const line = document.createElement("li");
  const link = document.createElement("a");
  link.href = url;
  link.textContent = text;
  line.append(link);
  if (note) line.append(` – ${note}`);
  return line;
}

document.addEventListener("DOMContentLoaded", () => {
  const panel = document.querySelector("[data-reach]");
  const form = panel && panel.closest("form");
  if (!form) return;
  const [words, list] = [panel.querySelector("p"), panel.querySelector("ul")];
  let timer = 0;
  let asked = 0;

  async function ask() {
    const mine = ++asked;
    try {
      const answer = await fetch(panel.dataset.reach, {
        method: "POST",
        body: new FormData(form),
        credentials: "same-origin",
      });
      if (!answer.ok || mine !== asked) return;
      const told = await answer.json();
      panel.hidden = false;
      words.textContent = told.sentence;
      panel.classList.toggle("alarming", Boolean(told.alarming));
      list.replaceChildren(...(told.examples || []).map(example));
    } catch {
      // The next change asks again.
    }
  }

  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, 400);
  };
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  ask();
});
