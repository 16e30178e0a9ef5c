// Shows a dry run as it goes, each second, until it is over.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const place = document.getElementById("dry-run");
  const timer = setInterval(async () => {
    try {
      const answer = await fetch(place.dataset.part, { credentials: "same-origin" });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("[data-over]");
      // What somebody is reading stays open.
      const open = [...place.querySelectorAll("details")].map((one) => one.open);
      fresh.querySelectorAll("details").forEach((one, index) => {
        one.open = Boolean(open[index]);
      });
      place.replaceChildren(fresh);
      if (fresh.dataset.over === "1") clearInterval(timer);
    } catch {
      // The next time, perhaps.
    }
  }, 1000);
});
