// The panel at the side: layers with their opacity, thresholds, numbers, and the list of vehicles.

import { tell } from "./notice.js";
import { FIRST_SLIDERS, changed, colour, element, make, on, percent, state } from "./state.js";

const LAYERS = { vehicles: "Vehicles", masks: "Instance masks", drivable: "Drivable area", lanes: "Lane markings", panoptic: "Panoptic map" };

const SLIDERS = {
  conf: ["Confidence", "Vehicles less certain than this are not shown"],
  iou: ["Overlap (IoU)", "Boxes that overlap by more than this are one vehicle"],
  drivable_conf: ["Drivable area", "Pixels above this probability are drivable"],
  lane_conf: ["Lane markings", "Pixels above this probability are lane marking"],
};

export function buildPanel(leastConf) {
  element("layers").append(...Object.entries(LAYERS).map(layerRow));
  element("sliders").append(...Object.entries(SLIDERS).map(([name, texts]) => sliderRow(name, texts, name === "conf" ? leastConf : 0)));
  element("reset").addEventListener("click", () => setSliders(FIRST_SLIDERS));
}

function layerRow([layer, title]) {
  const ground = { vehicles: "var(--vehicles)", drivable: "var(--drivable)", lanes: "var(--lanes)" }[layer];
  const swatch = make("span", { className: "swatch" });
  swatch.style.background = ground ?? "conic-gradient(var(--vehicles), var(--drivable), var(--lanes), var(--vehicles))";
  const box = make("input", { type: "checkbox", id: `layer-${layer}`, checked: state.layers[layer] });
  box.setAttribute("role", "switch");
  box.addEventListener("change", () => setLayer(layer, box.checked));
  const opacity = make("input", { type: "range", id: `opacity-${layer}`, min: 0, max: 1, step: 0.05, value: state.opacity[layer] });
  opacity.setAttribute("aria-label", `Opacity of ${title.toLowerCase()}`);
  opacity.addEventListener("input", () => {
    state.opacity[layer] = Number(opacity.value);
    changed("layers");
  });
  return make("div", { className: "layer", id: `row-${layer}` }, make("label", { className: "switch" }, box, make("i"), swatch, title), opacity);
}

function sliderRow(name, [title, hint], min) {
  const input = make("input", { type: "range", id: `slider-${name}`, min, max: 1, step: 0.01, value: state.sliders[name] });
  const shown = make("output", { id: `value-${name}` }, state.sliders[name].toFixed(2));
  input.addEventListener("input", () => setSliders({ [name]: Number(input.value) }));
  return make("label", { title: hint }, make("span", {}, title), input, shown);
}

export function setLayer(layer, isOn) {
  state.layers[layer] = isOn;
  element(`layer-${layer}`).checked = isOn;
  changed("layers");
}

// By its place in the panel: the keys 1 to 5.
export function toggleLayer(position) {
  const layer = Object.keys(LAYERS)[position - 1];
  if (!element(`row-${layer}`).hidden) setLayer(layer, !state.layers[layer]);
}

function setSliders(values) {
  Object.assign(state.sliders, values);
  for (const name of Object.keys(values)) {
    element(`slider-${name}`).value = state.sliders[name];
    element(`value-${name}`).textContent = state.sliders[name].toFixed(2);
  }
  element("reset").hidden = Object.keys(FIRST_SLIDERS).every((name) => state.sliders[name] === FIRST_SLIDERS[name]);
  changed("sliders");
}

// What is seen, in numbers and as a list; called whenever it has been decided anew.
export function showSeen(look, seen, colourOf) {
  element("row-masks").hidden = !look?.masks;
  const numbers = [
    ["vehicles", seen ? String(seen.vehicles.length) : "–"],
    ["drivable", percent(seen?.drivable?.share)],
    ["lane marking", percent(seen?.lanes?.share, 2)],
  ];
  showNumbers(numbers);
  const list = element("vehicles");
  list.replaceChildren(...(seen?.vehicles ?? []).map((vehicle, number) => vehicleRow(vehicle, number, colourOf(number))));
  element("take-png").disabled = !seen;
  element("take-json").disabled = !seen || state.item?.kind === "camera";
  markHighlighted();
  summarise(seen);
}

export function showNumbers(numbers) {
  element("numbers").replaceChildren(...numbers.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
}

function vehicleRow(vehicle, number, shown) {
  const dot = make("i");
  dot.style.background = colour(shown);
  const row = make("li", { id: `vehicle-${number}` }, dot, make("span", {}, vehicle.name),
    make("span", {}, `${Math.round(100 * vehicle.confidence)} %`), make("span", {}, sizeText(vehicle)));
  row.setAttribute("role", "option");
  row.addEventListener("pointerenter", () => highlight(number));
  row.addEventListener("pointerleave", () => highlight(null));
  row.addEventListener("click", () => highlight(number));
  return row;
}

export const sizeText = ({ x1, y1, x2, y2 }) => `${Math.round(x2 - x1)} × ${Math.round(y2 - y1)} px`;

export function highlight(number) {
  if (state.highlighted === number) return;
  state.highlighted = number;
  markHighlighted();
  changed("highlight");
}

function markHighlighted() {
  const list = element("vehicles");
  [...list.children].forEach((row, number) => {
    row.classList.toggle("on", number === state.highlighted);
    row.setAttribute("aria-selected", String(number === state.highlighted));
  });
  if (state.highlighted === null) list.removeAttribute("aria-activedescendant");
  else list.setAttribute("aria-activedescendant", `vehicle-${state.highlighted}`);
}

// Up and down walk through the vehicles; the picture shows which one is meant.
element("vehicles").addEventListener("keydown", (event) => {
  const count = event.currentTarget.children.length;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (event.key === "Escape") highlight(null);
  if (!step || !count) return;
  event.preventDefault();
  event.stopPropagation();
  const number = state.highlighted === null ? (step > 0 ? 0 : count - 1) : (state.highlighted + step + count) % count;
  highlight(number);
  const row = event.currentTarget.children[number];
  row.scrollIntoView({ block: "nearest" });
});
element("vehicles").addEventListener("blur", () => highlight(null));

let summary = null;

function summarise(seen) {
  clearTimeout(summary);
  if (!seen) return;
  summary = setTimeout(() => { // once a slider rests
    const { item } = state;
    if (!item || item.playing || item.kind === "camera") return;
    const frame = item.kind === "video" ? `Frame ${item.index + 1}: ` : "";
    const count = seen.vehicles.length;
    const shares = [["drivable area", seen.drivable, 1], ["lane markings", seen.lanes, 2]]
      .filter(([, mask]) => mask)
      .map(([name, mask, digits]) => `${name} ${percent(mask.share, digits)}`);
    tell(frame + [`${count} ${count === 1 ? "vehicle" : "vehicles"}`, ...shares].join(", "));
  }, 400);
}
