// The pickers of model, size, engine and precision, and the measured speed.

import { changed, element, make, on, state } from "./state.js";

const RECENT = 15;
const times = new Map(); // choice: recent milliseconds

export function fillPickers(models) {
  state.choice = { ...models.first };
  const automatic = { value: "auto", textContent: "Auto" };
  const offered = {
    weights: [],
    size: models.sizes.map((size) => ({ value: String(size), textContent: `${size} px` })),
    runtime: [automatic, ...models.runtimes.map(({ name, title }) => ({ value: name, textContent: title }))],
    precision: [automatic, ...models.precisions.map((name) => ({ value: name, textContent: name }))],
  };
  for (const suffix of ["", "-b"]) {
    for (const [field, options] of Object.entries(offered)) {
      const select = element(field + suffix);
      select.replaceChildren(...options.map((option) => make("option", option)));
      select.value = String(models.first[field]);
      select.addEventListener("change", () => choose(suffix, field, field === "size" ? Number(select.value) : select.value));
    }
  }
  offer(models);
}

// The models that are here; the others are in the catalogue.
export function offer({ weights }) {
  state.offered = weights.filter(({ here }) => here).map(({ name }) => name);
  for (const suffix of ["", "-b"]) {
    const choice = suffix ? state.other : state.choice;
    const select = element(`weights${suffix}`);
    select.replaceChildren(...weights.filter(({ here }) => here).map(({ name, description }) => make("option", { value: name, textContent: name, title: description })));
    if (choice) select.value = choice.weights;
  }
}

export function choose(suffix, field, value) {
  const which = suffix ? "other" : "choice";
  state[which] = { ...state[which], [field]: value };
  showChoice(suffix, state[which]);
  changed(which);
}

function showChoice(suffix, choice) {
  for (const [field, value] of Object.entries(choice)) element(field + suffix).value = String(value);
}

// The model could not be run so: back to the one that saw what is shown.
on("refused", () => {
  if (state.item?.choice) state.choice = { ...state.item.choice };
  showChoice("", state.choice);
});
on("item", () => showChoice("", state.choice));
on("compare", () => state.other && showChoice("-b", state.other));

export function measured(choice, milliseconds) {
  const key = JSON.stringify(choice);
  const recent = [...(times.get(key) ?? []), milliseconds].slice(-RECENT);
  times.set(key, recent);
  return median(recent);
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

export const rate = (milliseconds) => `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms · ${(1000 / milliseconds).toFixed(milliseconds > 200 ? 1 : 0)} fps`;

on("look", () => {
  const { item } = state;
  const speed = element("speed");
  speed.replaceChildren();
  if (!item?.look) return;
  const time = measured(item.choice ?? state.choice, item.look.milliseconds);
  speed.append(make("b", {}, rate(time)), make("span", {}, item.engine ?? ""));
});
