// The chosen task: its parameters, where its inputs come from, and what can be done with it.

import { KINDS, ROOT, canMoveEarlier, childOf, connect, feeds, insertAfter, moveEarlier, moveLater, nameOf, offersFor, remove, specOf, taskOf, withParameter } from "./flow.js";
import { element, make, state } from "./state.js";

// edit: is given a changed workflow, or how it is changed, and the task that is chosen then
export function drawTask({ flow, specs, chosen, edit }) {
  const spec = specOf(flow, specs, chosen);
  element("task-title").textContent = chosen === ROOT ? "Input" : spec.name;
  element("task-about").textContent = spec.title;
  const isRoot = chosen === ROOT;
  element("task-acts").hidden = isRoot;
  const later = childOf(flow, chosen);
  const act = (id, isPossible, doing) => Object.assign(element(id), { disabled: !isPossible, onclick: () => edit(...doing()) });
  act("task-earlier", !isRoot && canMoveEarlier(flow, chosen), () => [moveEarlier(flow, specs, chosen), chosen]);
  act("task-later", !isRoot && later !== null, () => [moveLater(flow, specs, chosen), chosen]);
  act("task-remove", !isRoot, () => [remove(flow, specs, chosen), feeds(flow, chosen)[0]?.source_id ?? ROOT]);
  element("task-add").replaceChildren(...specs.map(({ name, title }) => make("button", {
    type: "button", textContent: name, title,
    onclick: () => {
      const { flow: changed, id } = insertAfter(flow, specs, chosen, name);
      edit(changed, id);
    },
  })));
  element("task-form").replaceChildren(...spec.parameters.map((each) => parameterRow(flow, chosen, each, edit)));
  element("task-form-part").hidden = !spec.parameters.length;
  element("task-inputs").replaceChildren(...spec.inputs.map((kind, input) => inputRow(flow, specs, chosen, input, edit)));
  element("task-inputs-part").hidden = isRoot;
}

function parameterRow(flow, id, parameter, edit) {
  const { name, description, here } = parameter;
  const value = taskOf(flow, id).task_data.parameters.find((each) => each.name === name)?.value ?? parameter.default;
  const set = (changed) => edit((now) => withParameter(now, id, name, changed), id, true);
  const control = controlOf(parameter, value, set);
  const hint = make("p", { id: `hint-${name}`, className: "hint" }, `${capital(description)}${here ? ` ${here}` : ""}`);
  if (control.tagName === "FIELDSET") {
    control.prepend(make("legend", {}, name));
    control.setAttribute("aria-describedby", hint.id);
    return make("div", { className: "parameter" }, control, hint);
  }
  const input = control.matches("input, select") ? control : control.querySelector("input");
  input.id = `parameter-${name}`;
  input.setAttribute("aria-describedby", hint.id);
  const isSwitch = control.classList.contains("switch");
  const label = isSwitch ? control : make("label", { htmlFor: input.id }, name);
  return make("div", { className: "parameter" }, label, ...(isSwitch ? [] : [control]), hint);
}

function controlOf({ name, type, several, choices, min, max, is_whole: isWhole }, value, set) {
  if (type === "bool") {
    const box = make("input", { type: "checkbox", checked: value === "True", onchange: ({ target }) => set(target.checked ? "True" : "False") });
    box.setAttribute("role", "switch");
    return make("label", { className: "switch" }, box, make("i"), name);
  }
  if (several) return wordBoxes(name, choices, value, set);
  const offered = name === "model_name" ? state.offered : choices;
  if (offered) {
    const select = make("select", { onchange: ({ target }) => set(target.value) });
    select.append(...[...new Set([...offered, value])].map((word) => make("option", { value: word, textContent: word })));
    select.value = value;
    return select;
  }
  const input = make("input", { type: type === "number" ? "number" : "text", value, onchange: ({ target }) => set(target.value) });
  if (type === "number") Object.assign(input, { min: min ?? "", max: max ?? "", step: isWhole ? 32 : max === 1 ? 0.05 : "any" });
  return input;
}

// Words with commas, as boxes to tick; in the order in which they are offered.
function wordBoxes(name, choices, value, set) {
  const words = new Set(value.split(",").map((word) => word.trim()));
  const boxes = choices.map((word) => make("input", { type: "checkbox", checked: words.has(word), value: word, id: `word-${name}-${word}` }));
  const fieldset = make("fieldset", { className: "words" }, ...boxes.map((box) => make("label", {}, box, box.value)));
  fieldset.addEventListener("change", () => set(boxes.filter((box) => box.checked).map((box) => box.value).join(",")));
  return fieldset;
}

function inputRow(flow, specs, id, input, edit) {
  const spec = specOf(flow, specs, id);
  const now = feeds(flow, id).find((edge) => edge.target_index === input);
  const offers = offersFor(flow, specs, id, input);
  const select = make("select", {
    id: `input-${input}`,
    onchange: ({ target }) => {
      const offer = offers[Number(target.value)];
      edit(connect(flow, id, input, offer ? offer.source : null, offer?.output), id);
    },
  });
  select.append(make("option", { value: -1, textContent: "nothing" }), ...offers.map(({ source }, number) =>
    make("option", { value: number, textContent: numbered(flow, source) })));
  select.value = String(now ? offers.findIndex(({ source, output }) => source === now.source_id && output === now.source_index) : -1);
  const isNeeded = spec.needs.includes(input);
  return make("label", {}, make("span", {}, `${capital(KINDS[spec.inputs[input]])}${isNeeded ? " (needed)" : ""}`), select);
}

// A task's name, and which of that name it is.
export function numbered(flow, id) {
  if (id === ROOT) return "Input";
  const name = nameOf(flow, id);
  const alike = flow.tasks.filter((task) => task.task_data.name === name);
  return alike.length > 1 ? `${name} ${alike.findIndex((task) => task.task_id === id) + 1}` : name;
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
