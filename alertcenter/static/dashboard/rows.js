// How does one group look in the list? Built once, then changed in place.

import { fitting } from "./acts.js";
import { briefTime, config, countdown, el, fullTime, icon, lasting, put, say, word } from "./dom.js";

const SOON = 120;
const SHOWN_LABELS = 8;

export class Row {
  /** handlers: act(name, id), pick(id, on), label(text) */
  constructor(group, handlers) {
    this.handlers = handlers;
    this.parts = {};
    this.element = this.build(group);
    this.update(group);
  }

  build(group) {
    const p = this.parts;
    p.pick = el("input", { type: "checkbox", class: "pick", on: { change: () => this.handlers.pick(group.id, p.pick.checked) } });
    p.pick.setAttribute("aria-label", word("select", { number: group.number }));
    p.icon = icon(group.severity);
    p.icon.classList.add("sev-icon");
    p.severity = el("span", { class: "sev-word" });
    p.title = el("a", { class: "title", href: `/t/${config.slug}/groups/${group.number}` });
    p.priority = el("span", { class: "priority" });
    p.counts = el("span", { class: "counts" });
    p.service = el("button", { type: "button", class: "service", tabindex: "-1", on: { click: () => this.handlers.label(`service:${this.group.service_slug}`) } }, el("bdi"));
    p.labels = el("ul", { class: "labels" });
    p.state = el("span", { class: "state" });
    p.hush = el("span", { class: "hush" });
    p.by = el("bdi", { class: "by" });
    p.age = el("time", { class: "age" });
    p.next = el("span", { class: "next" });
    p.level = el("span", { class: "level" });
    p.acts = el("div", { class: "acts" });
    return el("li", { class: "row", "data-id": group.id },
      config.wall ? "" : el("label", { class: "pick-cell" }, p.pick),
      el("span", { class: "sev-cell" }, p.icon, p.severity),
      el("div", { class: "what" },
        el("div", { class: "title-line" }, p.priority, el("span", { class: "number", text: `#${group.number}` }), p.title, p.service, p.counts),
        p.labels),
      el("div", { class: "status" }, p.state, p.hush, p.by),
      el("div", { class: "when" }, p.age, p.next, p.level),
      p.acts);
  }

  update(group) {
    const p = this.parts;
    const before = this.group;
    this.group = group;
    const classes = this.element.classList;
    const kept = ["active", "selected", "fresh"].filter((name) => classes.contains(name));
    put(this.element, "class", ["row", `sev-${group.severity}`, `is-${group.state}`, group.quiet ? "is-quiet" : "", group.pending ? "pending" : "", ...kept].filter(Boolean).join(" "));
    put(p.icon.firstChild, "href", `#i-${group.severity}`);
    say(p.severity, word(`severity${group.severity}`));
    say(p.title, group.title);
    p.title.title = group.title;
    say(p.counts, counts(group));
    say(p.priority, `P${group.priority}`);
    put(p.priority, "class", `priority p-${group.priority}`);
    p.priority.title = why(group);
    p.service.hidden = !group.service;
    say(p.service.firstChild, group.service);
    p.service.title = word("service", { name: group.service });
    put(p.state, "class", `state state-${group.state}`);
    say(p.state, word(group.state));
    say(p.hush, hush(group));
    say(p.by, whoActed(group));
    put(p.age, "datetime", group.opened_at);
    p.age.title = fullTime(group.opened_at);
    if (JSON.stringify(before?.labels) !== JSON.stringify(group.labels)) this.showLabels(group.labels);
    if (before?.state !== group.state) this.showActs(group);
    this.tick();
  }

  showLabels(labels) {
    const shown = Object.entries(labels).slice(0, SHOWN_LABELS).map(([name, value]) => {
      const text = `${name}=${value}`;
      return el("li", {}, el("button", { type: "button", tabindex: "-1", title: text, on: { click: () => this.handlers.label(text) } }, el("bdi", { text })));
    });
    this.parts.labels.replaceChildren(...shown);
  }

  /** Put up the buttons that fit; the focus stays on its act, or on the first. */
  showActs(group) {
    const focused = this.parts.acts.contains(document.activeElement) ? document.activeElement.dataset.act : null;
    this.parts.acts.replaceChildren(...buttons(group, (name) => this.handlers.act(name, group.id)));
    if (focused) {
      const again = this.parts.acts.querySelector(`[data-act="${focused}"]`) ?? this.parts.acts.firstChild ?? this.parts.title;
      again.focus({ preventScroll: true });
    }
  }

  tick(now = Date.now()) {
    const { group, parts } = this;
    const end = group.resolved_at ? new Date(group.resolved_at) : now;
    say(parts.age, lasting((end - new Date(group.opened_at)) / 1000));
    const left = group.next_at ? (new Date(group.next_at) - now) / 1000 : null;
    // While it is quiet, what comes next is held.
    const told = group.state === "firing" && !group.quiet;
    say(parts.next, told ? upcoming(group, left) : "");
    parts.next.title = parts.next.textContent;
    parts.next.classList.toggle("soon", told && left !== null && left < SOON);
    say(parts.level, level(group, now));
    parts.level.title = parts.level.textContent;
    put(parts.level, "class", `level ${pressing(group, now)}`);
  }
}

/** How near is a missed service level? Amber in its last fifth, red past it. */
function pressing(group, now) {
  if (!group.sla_at) return "";
  const end = new Date(group.sla_at);
  if (end < now) return "missed";
  return end - now < (end - new Date(group.opened_at)) / 5 ? "soon" : "";
}

/** Count down to the service level that is to be met next. */
export function level(group, now = Date.now()) {
  if (!group.sla_at || group.state === "resolved") return "";
  const left = (new Date(group.sla_at) - now) / 1000;
  return word(left < 0 ? "slaMissed" : `sla_${group.sla}`, { time: lasting(Math.abs(left)) });
}

/** Return the buttons of a group's acts; `more` is what fits besides. */
export function buttons(group, run, more = []) {
  const names = fitting(group.state);
  return (names.length ? [...names, ...more, "silence"] : []).map((name) => {
    const made = el("button", { type: "button", "data-act": name, title: word(name), "aria-label": `${word(name)} #${group.number}`, on: { click: () => run(name) } });
    made.append(icon(name), el("span", { text: word(name) }));
    return made;
  });
}

function counts(group) {
  const count = group.alert_count;
  if (group.state !== "resolved" && group.firing_count < count) return word("firingOf", { firing: group.firing_count, count });
  return word(count === 1 ? "alertsOne" : "alertsMany", { count });
}

/** Say why a group is quieter than others. */
function hush(group) {
  if (group.state === "resolved") return "";
  if (group.quiet) return word(group.quiet);
  if (group.quiet_count > 0) return word("someQuiet", { quiet: group.quiet_count, firing: group.firing_count });
  return group.flapping_since ? word("flapping") : group.storm === "held" ? word("inStorm") : "";
}

/** Return the priority and its reasons as a sentence. */
export function why(group) {
  const reasons = (group.why ?? []).map(({ code, value }) => {
    if (code === "severity") return word("why_severity", { severity: word(`severity${value}`) });
    return word(code === "tier" ? `why_tier${value}` : `why_${code}`, { count: value });
  });
  return reasons.length ? word("priority", { level: group.priority, reasons: reasons.join(", ") }) : `P${group.priority}`;
}

function whoActed(group) {
  const parts = [];
  const who = { firing: "", resolved: group.resolved_by }[group.state] ?? group.acked_by;
  if (who) parts.push(word("ackedBy", { who }));
  if (group.snooze_until && group.state === "snoozed") parts.push(word("until", { time: briefTime(group.snooze_until) }));
  if (group.assignee) parts.push(word("assignedTo", { who: group.assignee }));
  return parts.join(" · ");
}

function upcoming(group, left) {
  if (left === null) return group.policy ? word("lastStep") : word("noPolicy");
  const who = group.next_who || word("nextStep"); // one that tells nobody itself
  return left > 0 ? word("next", { who, time: countdown(left) }) : word("nextNow", { who });
}
