// Asks every two seconds whether something has come, until it has.
"use strict";

for (const place of document.querySelectorAll("[data-poll]")) {
  const timer = setInterval(async () => {
    try {
      const answer = await fetch(place.dataset.poll, { credentials: "same-origin" });
      if (!answer.ok) return;
      const state = await answer.json();
      if (state.events > 0) {
        const pill = place.querySelector(".pill");
        const fresh = new DOMParser().parseFromString(state.pill, "text/html");
        pill.replaceWith(fresh.querySelector(".pill"));
        clearInterval(timer);
      }
    } catch {
      // The next time, perhaps.
    }
  }, 2000);
}
