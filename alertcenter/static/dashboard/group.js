// How does one group's page stay true? It is fetched anew when its group changes.

import "./chrome.js";
import { mayEscalate, perform } from "./acts.js";
import { localTimes, read, say } from "./dom.js";
import { Live } from "./live.js";
import { buttons, why } from "./rows.js";
import { silence } from "./silence.js";
import { Store } from "./store.js";

const id = read("row").id;
const store = new Store(draw);
let fetching = false;
let again = false;

function draw() {
  const group = store.now(id);
  const focused = document.activeElement?.dataset?.act;
  const place = document.getElementById("acts");
  if (!group || !place) return;
  const run = (name) => (name === "silence" ? silence(group) : perform(name, [group], live, store));
  place.replaceChildren(...buttons(group, run, mayEscalate(group) ? ["escalate"] : []));
  const reason = document.getElementById("reasons");
  if (reason) say(reason, why(group));
  if (focused) (place.querySelector(`[data-act="${focused}"]`) ?? place.firstChild)?.focus();
}

/** Put the server's page in place of ours; its text is escaped already. */
async function refresh() {
  if (fetching) { again = true; return; }
  fetching = true;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.ok && !answer.redirected) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const story = page.getElementById("story");
      if (story) {
        document.getElementById("story").replaceWith(document.adoptNode(story));
        localTimes();
        draw();
      }
    }
  } catch {
    again = false; // the pill says that we are cut off
  } finally {
    fetching = false;
    if (again) { again = false; setTimeout(refresh, 300); }
  }
}

store.replace([read("row")]);
const live = new Live({
  snapshot: (frame) => take(frame.groups),
  delta: (frame) => take(frame.groups),
});

function take(groups) {
  const mine = groups.filter((group) => group.id === id);
  if (!mine.length) return;
  store.merge(mine);
  refresh();
}
