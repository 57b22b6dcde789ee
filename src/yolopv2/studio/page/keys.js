// Keys for everything; those of a control that has the focus are its own.

import { toggleCompare } from "./compare.js";
import { toggleLayer } from "./panel.js";
import { toggleSplit } from "./pointer.js";
import { element } from "./state.js";
import { toggleTheme } from "./theme.js";
import { step, togglePlay } from "./video.js";
import { toggleWorkflow } from "./workflow.js";

export function listenToKeys({ zoomBy, zoomFit, pick, pickFolder }) {
  const acts = {
    "+": () => zoomBy(1.4),
    "=": () => zoomBy(1.4),
    "-": () => zoomBy(1 / 1.4),
    0: zoomFit,
    b: toggleSplit,
    c: toggleCompare,
    o: pick,
    f: pickFolder,
    t: toggleTheme,
    w: toggleWorkflow,
    "?": () => element("keys").showModal(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const { target } = event;
    if (target.matches("select, textarea, input[type=url], input[type=text], input[type=number]")) return;
    const isControl = target.matches("input, button, [role=slider]");
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    let done = false;
    if (way && !isControl) done = step(way * (event.shiftKey ? 10 : 1));
    else if (event.key === " " && !isControl) done = togglePlay();
    else if (/^[1-5]$/.test(event.key)) done = (toggleLayer(Number(event.key)), true);
    else if (acts[event.key.toLowerCase()]) done = (acts[event.key.toLowerCase()](), true);
    if (done) event.preventDefault();
  });
}
