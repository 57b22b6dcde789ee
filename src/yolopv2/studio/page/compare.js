// Side by side: a second model looks at the same picture, in a pane of its own with the same view.

import * as api from "./api.js";
import { unpack } from "./maps.js";
import { measured, rate } from "./models.js";
import { complain } from "./notice.js";
import { changed, element, on, percent, state } from "./state.js";

let asked = 0;

export function buildCompare(pane) {
  on("look other", () => lookWithOther(pane));
}

export function toggleCompare() {
  // The other model starts as the same one at half the size: the first question people ask.
  state.other = state.other ? null : { ...state.choice, size: state.choice.size === 320 ? 640 : 320 };
  if (state.other) state.split = null;
  element("compare").setAttribute("aria-pressed", String(Boolean(state.other)));
  element("pane-b").hidden = !state.other;
  changed("compare");
  changed("other");
}

async function lookWithOther(pane) {
  const { item, other } = state;
  if (!other || !item?.bitmap) return;
  const mine = ++asked;
  pane.show(item.bitmap, null);
  if (!item.look || item.kind === "pending" || item.kind === "camera") return;
  element("caption-b").textContent = "Looking …";
  try {
    const { look } = await unpack(await api.lookAgain(item, other));
    if (mine !== asked) return;
    pane.show(item.bitmap, look);
    pane.speed = rate(measured(other, look.milliseconds));
    changed("compared");
  } catch (error) {
    if (mine !== asked) return;
    element("caption-b").textContent = "";
    complain(error);
  }
}

// What a pane shows, in a line.
export function caption(target, choice, look, seen, speed = "") {
  if (!state.other || !look || !choice || !seen) {
    target.textContent = "";
    return;
  }
  const count = seen.vehicles.length;
  const facts = [`${count} ${count === 1 ? "vehicle" : "vehicles"}`];
  if (seen.drivable) facts.push(`drivable ${percent(seen.drivable.share)}`);
  if (speed) facts.push(speed);
  target.textContent = `${target.id === "caption-a" ? `${choice.weights}, ${choice.size} px: ` : ""}${facts.join(" · ")}`;
}
