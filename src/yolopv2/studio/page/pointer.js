// The pointer on the panes: dragging, pinching and turning the wheel; the tip at a vehicle; the line of before and after.

import { highlight, sizeText } from "./panel.js";
import { changed, element, on, state } from "./state.js";
import { fit } from "./view.js";

const STEP = 0.02; // of the line, by keys

export function attachPointer(pane) {
  const { canvas } = pane;
  const fingers = new Map();
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    pane.zoomBy(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), event.offsetX, event.offsetY);
    changed("view");
  }, { passive: false });
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, [event.offsetX, event.offsetY]);
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return point(pane, event);
    const others = [...fingers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    if (others.length === 1) {
      const distance = (at) => Math.hypot(at[0] - others[0][0], at[1] - others[0][1]);
      pane.zoomBy(distance([event.offsetX, event.offsetY]) / Math.max(distance(before), 1), ...others[0]);
    } else if (others.length === 0) {
      pane.moveBy(event.offsetX - before[0], event.offsetY - before[1]);
    }
    fingers.set(event.pointerId, [event.offsetX, event.offsetY]);
    changed("view");
  });
  for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, (event) => fingers.delete(event.pointerId));
  canvas.addEventListener("pointerleave", () => highlight(null));
  canvas.addEventListener("dblclick", () => {
    fit();
    changed("view");
  });
  canvas.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] }[event.key];
    if (!way || state.item?.kind === "video") return;
    event.preventDefault();
    pane.moveBy(...way);
    changed("view");
  });
}

function point(pane, event) {
  if (pane.canvas.id !== "canvas-a") return; // the list and the tip are of the first model
  highlight(pane.vehicleAt(event.offsetX, event.offsetY));
}

// The tip stands at the highlighted vehicle, whether it was pointed at or chosen in the list.
export function placeTip(pane) {
  const tip = element("tip");
  const vehicle = pane.seen?.vehicles[state.highlighted];
  tip.hidden = !vehicle;
  if (!vehicle) return;
  tip.replaceChildren(Object.assign(document.createElement("b"), { textContent: vehicle.name }),
    `${(100 * vehicle.confidence).toFixed(1)} % · ${sizeText(vehicle)}`);
  const { scale, left, top } = pane.placement();
  const factor = (pane.bitmap.width / pane.look.width) * scale;
  const { clientWidth, clientHeight } = pane.canvas;
  const x = left + vehicle.x2 * factor + 10;
  const isOutside = x + tip.offsetWidth > clientWidth - 4;
  const beside = isOutside ? left + vehicle.x1 * factor - tip.offsetWidth - 10 : x;
  tip.style.left = `${Math.min(Math.max(beside, 4), clientWidth - tip.offsetWidth - 4)}px`;
  tip.style.top = `${Math.min(Math.max(top + vehicle.y1 * factor, 4), clientHeight - tip.offsetHeight - 4)}px`;
}

export function buildSplit() {
  const line = element("split");
  const move = (to) => {
    state.split = Math.min(Math.max(to, 0), 1);
    changed("split");
  };
  line.addEventListener("pointerdown", (event) => line.setPointerCapture(event.pointerId));
  line.addEventListener("pointermove", (event) => {
    if (!line.hasPointerCapture(event.pointerId)) return;
    const { left, width } = element("stage").getBoundingClientRect();
    move((event.clientX - left) / width);
  });
  line.addEventListener("keydown", (event) => {
    const to = { ArrowLeft: state.split - STEP, ArrowRight: state.split + STEP, Home: 0, End: 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    move(to);
  });
  on("split item compare", () => {
    line.hidden = state.split === null || !state.item;
    line.style.left = `${100 * (state.split ?? 0)}%`;
    line.setAttribute("aria-valuenow", String(Math.round(100 * (state.split ?? 0))));
    line.setAttribute("aria-valuetext", `The picture as it is up to ${Math.round(100 * (state.split ?? 0))} percent`);
    element("before-after").setAttribute("aria-pressed", String(state.split !== null));
  });
}

export function toggleSplit() {
  state.split = state.split === null ? 0.5 : null;
  changed("split");
}
