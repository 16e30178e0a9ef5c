// Adds an empty entry to a time interval. Without script there is one to fill in.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  for (const place of document.querySelectorAll("[data-entries]")) {
    const button = place.querySelector("button");
    const blank = place.querySelector("template");
    button.hidden = false;
    button.addEventListener("click", () => {
      const number = place.querySelectorAll(":scope > fieldset").length;
      if (number >= Number(place.dataset.most)) return;
      const entry = blank.content.firstElementChild.cloneNode(true);
      for (const part of entry.querySelectorAll("[name], [for]")) {
        for (const key of ["name", "id", "for"]) {
          const value = part.getAttribute(key);
          if (value) part.setAttribute(key, value.replace("__n__", String(number)));
        }
      }
      blank.before(entry);
      entry.querySelector("input").focus();
    });
  }
});
