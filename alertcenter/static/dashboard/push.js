// The button that lets this browser notify its member. Permission is asked for on a
// click, never before.

import { csrf, toast } from "./dom.js";

const button = document.getElementById("push");
if (button && "serviceWorker" in navigator && "PushManager" in window && "Notification" in window) begin();

async function begin() {
  const registration = await navigator.serviceWorker.getRegistration("/");
  const held = await registration?.pushManager.getSubscription();
  draw(Boolean(held) && button.dataset.known.split(" ").includes(await digest(held.endpoint)));
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await (button.getAttribute("aria-pressed") === "true" ? stop() : start());
    } catch (error) {
      toast(`${button.dataset.failed} ${error.message}`);
    } finally {
      button.disabled = false;
    }
  });
}

function draw(on) {
  button.hidden = false;
  button.setAttribute("aria-pressed", String(on));
  button.textContent = on ? button.dataset.off : button.dataset.on;
}

async function start() {
  if (await Notification.requestPermission() !== "granted") {
    toast(button.dataset.denied);
    return;
  }
  const registration = await navigator.serviceWorker.register("/push-worker.js", { scope: "/" });
  await navigator.serviceWorker.ready;
  const subscription = await subscribe(registration);
  await tell({ subscription: subscription.toJSON() });
  draw(true);
  toast(button.dataset.done);
}

/** One that was made with an older key of the server is made anew. */
async function subscribe(registration) {
  const wanted = { userVisibleOnly: true, applicationServerKey: button.dataset.key };
  try {
    return await registration.pushManager.subscribe(wanted);
  } catch (error) {
    const old = await registration.pushManager.getSubscription();
    if (error.name !== "InvalidStateError" || !old) throw error;
    await old.unsubscribe();
    return registration.pushManager.subscribe(wanted);
  }
}

/** The browser keeps its subscription: other tenants may be using it. */
async function stop() {
  const registration = await navigator.serviceWorker.getRegistration("/");
  const held = await registration?.pushManager.getSubscription();
  if (held) await tell({ forget: held.endpoint });
  draw(false);
  toast(button.dataset.stopped);
}

async function tell(body) {
  const answer = await fetch(button.dataset.url, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrf() },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error ?? answer.status);
}

async function digest(text) {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
