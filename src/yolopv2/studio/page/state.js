// What is shown and how: one object, and who wants to know of changes.

export const FIRST_SLIDERS = { conf: 0.3, iou: 0.45, drivable_conf: 0.5, lane_conf: 0.5 };

export const state = {
  choice: null, // {weights, size, runtime, precision}
  other: null, // the other model's choice while comparing
  sliders: { ...FIRST_SLIDERS },
  layers: { vehicles: true, masks: true, drivable: true, lanes: true, panoptic: false },
  opacity: { vehicles: 1, masks: 0.45, drivable: 0.35, lanes: 0.8, panoptic: 0.6 },
  split: null, // 0..1 while before and after are shown
  item: null, // what is looked at: {kind, id, name, origin, bitmap, look, ...}
  seen: null, // what is seen of it with these thresholds; see decide.js
  highlighted: null, // number of a vehicle
  palette: null,
  offered: [], // names of the models that are here
  limits: null, // {files, suffixes} of batches
};

const listeners = new Map();

export function on(what, listener) {
  for (const name of what.split(" ")) listeners.set(name, [...(listeners.get(name) ?? []), listener]);
}

export function changed(what) {
  for (const listener of listeners.get(what) ?? []) listener();
}

export const element = (id) => document.getElementById(id);

// Makes an element: make("li", {className: "on"}, "text", child)
export function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

export const colour = ([red, green, blue], opacity = 1) => `rgb(${red} ${green} ${blue} / ${opacity})`;

export const vehicleColour = (number) => state.palette.vehicles[number % state.palette.vehicles.length];

export const percent = (share, digits = 1) => (share === null || share === undefined ? "–" : `${(100 * share).toFixed(digits)} %`);

export const canOverlay = () => Boolean(state.item?.look);
