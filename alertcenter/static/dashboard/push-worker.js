// Shows pages while no tab is open, and does what their buttons say. See
// notifications/channels/push.py for what `data` holds.
"use strict";

const ICON = "/static/dashboard/mark.svg";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("push", (event) => event.waitUntil(show(read(event.data))));
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(act(event.action, event.notification.data ?? {}, event.notification));
});

function read(data) {
  try {
    return data.json();
  } catch {
    return { title: "AlertCenter", body: data?.text() ?? "", url: "/", actions: [] };
  }
}

/** A browser demands that something is shown for each message. */
function show(said) {
  return self.registration.showNotification(said.title, {
    body: said.body,
    tag: said.tag,
    renotify: Boolean(said.tag) && !said.silent,
    silent: Boolean(said.silent),
    requireInteraction: said.severity >= 5 && !said.silent,
    icon: ICON,
    badge: ICON,
    actions: said.actions.map(({ action, title }) => ({ action, title })),
    data: said,
  });
}

/** A button with a signed link posts to it; anything else opens the group. */
async function act(name, said, notification) {
  const chosen = (said.actions ?? []).find((one) => one.action === name);
  if (!chosen || name === "open") return open(said.url);
  const url = own(chosen.url);
  if (!url) return open(said.url);
  try {
    const answer = await fetch(url, { method: "POST", credentials: "omit", redirect: "error" });
    if (!answer.ok) return open(said.url);
  } catch {
    return open(said.url);
  }
  return self.registration.showNotification(`✓ ${chosen.title}: ${notification.title}`, {
    tag: said.tag,
    silent: true,
    icon: ICON,
    data: { ...said, actions: [] },
  });
}

async function open(address) {
  const url = own(address) ?? self.location.origin + "/";
  const tabs = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = tabs.find((tab) => tab.url === url);
  return there ? there.focus() : self.clients.openWindow(url);
}

/** An address of this site, or null: nothing else is opened or told anything. */
function own(address) {
  try {
    const url = new URL(address, self.location.origin);
    return url.origin === self.location.origin ? url.href : null;
  } catch {
    return null;
  }
}
