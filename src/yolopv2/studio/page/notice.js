// What the page tells: errors, what it is busy with, and a quiet line for screen readers.

import { element } from "./state.js";

export function tell(text) {
  element("live").textContent = text;
}

export function complain(error) {
  if (error.name === "AbortError") return;
  element("toast-text").textContent = error.message;
  element("toast").hidden = false;
}

export function forgive() {
  element("toast").hidden = true;
}

let waiting = null;

// Shows what takes a while, after a moment in which it may be over; with a way to end it where there is one.
export function busy(text, cancel = null) {
  clearTimeout(waiting);
  waiting = setTimeout(() => (element("busy").hidden = false), element("busy").hidden ? 150 : 0);
  element("busy-text").textContent = text;
  element("busy-cancel").hidden = !cancel;
  element("busy-cancel").onclick = cancel;
}

export function idle() {
  clearTimeout(waiting);
  element("busy").hidden = true;
}

element("toast-close").addEventListener("click", forgive);
