// Is what we see the present? One socket, numbered frames, and an honest pill.

import { config, word, say, put } from "./dom.js";

const STALE = 15e3; // beats come each ten seconds
const DEAD = 30e3;
const SLOWEST = 15e3;
const ANSWER = 8e3;

export class Live {
  /** handlers: snapshot(frame), delta(frame), state(name) */
  constructor(handlers) {
    this.handlers = handlers;
    this.seq = null;
    this.socket = null;
    this.tries = 0;
    this.heard = 0;
    this.waiting = new Map();
    this.lastId = 0;
    this.state = "";
    this.pill = document.getElementById("pill");
    this.timer = null;
    setInterval(() => this.look(), 1000);
    addEventListener("online", () => this.hurry());
    addEventListener("offline", () => this.show("offline"));
    addEventListener("pageshow", () => this.hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.hurry());
    this.open();
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  open() {
    clearTimeout(this.timer);
    this.show(this.tries ? "reconnecting" : "connecting");
    const since = this.seq === null ? "" : `?since=${this.seq}`;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/ws/${config.slug}/${since}`);
    this.socket = socket;
    this.opened = Date.now();
    socket.onmessage = (event) => socket === this.socket && this.take(JSON.parse(event.data));
    socket.onclose = (event) => socket === this.socket && this.closed(event.code);
  }

  take(frame) {
    this.heard = Date.now();
    this.tries = 0;
    if (frame.build && frame.build !== config.build) return this.reload(frame.build);
    if (frame.t === "done") return this.answered(frame);
    if (frame.t === "resync") return this.ask(null);
    if (frame.t === "snapshot") {
      this.seq = frame.seq;
      this.handlers.snapshot(frame);
    } else if (frame.t === "delta") this.delta(frame);
    else if (frame.t === "beat" && this.seq !== null && frame.seq > this.seq) this.ask(this.seq);
    this.show("live");
  }

  delta(frame) {
    if (this.seq === null || frame.to <= this.seq) return;
    if (frame.from > this.seq + 1) return this.ask(this.seq);
    this.seq = frame.to;
    this.handlers.delta(frame);
  }

  ask(seq) {
    if (this.isOpen) this.socket.send(JSON.stringify({ t: "since", seq }));
  }

  /** Send an act; resolves to the frame `done`, rejects when no answer comes. */
  act(wanted) {
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.answered({ id, error: "unavailable" }), ANSWER);
      this.waiting.set(id, { resolve, reject, timer });
      this.socket.send(JSON.stringify({ t: "act", id, ...wanted }));
    });
  }

  answered(frame) {
    const found = this.waiting.get(frame.id);
    if (!found) return;
    this.waiting.delete(frame.id);
    clearTimeout(found.timer);
    found.resolve(frame);
  }

  closed(code) {
    this.socket = null;
    for (const id of [...this.waiting.keys()]) this.answered({ id, error: "unavailable" });
    if (code === 4003) return this.show("signedOut");
    this.tries += 1;
    this.show(navigator.onLine === false ? "offline" : "reconnecting");
    if (this.tries > 1) this.knock();
    const pause = Math.min(SLOWEST, 250 * 2 ** Math.min(this.tries, 7));
    this.timer = setTimeout(() => this.open(), pause * (0.5 + Math.random() / 2));
  }

  /** A refused socket does not say why; the pulse does. */
  async knock() {
    try {
      const answer = await fetch(`/t/${config.slug}/pulse/`, { headers: { Accept: "application/json" } });
      if (answer.status === 404 || answer.redirected) {
        clearTimeout(this.timer);
        this.show("signedOut");
      } else if (answer.ok) {
        const { build } = await answer.json();
        if (build !== config.build) this.reload(build);
      }
    } catch {
      if (this.tries > 3) this.show("offline");
    }
  }

  hurry() {
    if (this.state === "signedOut" || this.isOpen || this.socket?.readyState === WebSocket.CONNECTING) return;
    this.open();
  }

  look() {
    const silent = Date.now() - this.heard;
    if (this.isOpen && this.heard && silent > DEAD) {
      this.socket.onclose = null;
      this.socket.close();
      this.closed(1006);
    } else if (this.isOpen && this.heard && silent > STALE) this.show("stale", Math.round(silent / 1000));
    else if (this.socket?.readyState === WebSocket.CONNECTING && Date.now() - this.opened > STALE) {
      this.socket.close();
    }
  }

  /** New files on the server: begin anew, once for each build. */
  reload(build) {
    if (sessionStorage.getItem("build") === build) return;
    sessionStorage.setItem("build", build);
    location.reload();
  }

  show(state, seconds = 0) {
    this.state = state;
    put(this.pill, "data-state", state);
    say(this.pill.querySelector("b"), word(state, { seconds }));
    document.body.classList.toggle("is-stale", !["live", "connecting"].includes(state));
    this.handlers.state?.(state);
  }
}
