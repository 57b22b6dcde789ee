// The graph of a workflow: boxes that are buttons, with lines between them, from left to right or, on narrow pages, down.

import { KINDS, ROOT, feeds, missing, nameOf, places, specOf, taskOf } from "./flow.js";
import { element, make } from "./state.js";

const BOX = [152, 78]; // as in flow.css
const GAP = [44, 22]; // along the way, and across it
const NARROW = 640;
const SVG = "http://www.w3.org/2000/svg";

// results: by the id of a task, what it gave in a few words; choose: is told the id of a box
export function drawGraph({ flow, specs, chosen, results, input, choose }) {
  const graph = element("graph");
  const isDown = graph.clientWidth < NARROW;
  const at = new Map([...places(flow)].map(([id, { depth, row }]) => {
    const [along, across] = isDown ? [1, 0] : [0, 1];
    const place = [];
    place[along] = depth * (BOX[along] + GAP[0]);
    place[across] = row * (BOX[across] + GAP[1]);
    return [id, place];
  }));
  const focused = graph.contains(document.activeElement) ? document.activeElement.id : null;
  const width = Math.max(...[...at.values()].map(([x]) => x)) + BOX[0];
  const height = Math.max(...[...at.values()].map(([, y]) => y)) + BOX[1] + (flow.connections.some((edge) => isFar(at, edge, isDown)) ? 26 : 0);
  const lines = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries({ width, height, "aria-hidden": "true" })) lines.setAttribute(name, value);
  lines.append(arrowHead(), ...linesOf(flow, at, isDown));
  const sheet = sheetOf(graph, [...at.keys()], choose);
  sheet.querySelector("svg").replaceWith(lines);
  [...at].forEach(([id, place]) => fill(element(`box-${id}`), { flow, specs, id, place, chosen, results, input }));
  sheet.style.width = `${width}px`;
  sheet.style.height = `${height}px`;
  if (focused && document.activeElement.id !== focused) (element(focused) ?? element(`box-${chosen}`))?.focus();
  element(`box-${chosen}`)?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

// The sheet with a box for each id. Boxes that are there stay: while one is pressed, leaving a field of the form draws
// the graph anew, and a box that went then would not be clicked.
function sheetOf(graph, ids, choose) {
  const kept = [...graph.querySelectorAll(".box")].map((box) => box.id);
  const wanted = ids.map((id) => `box-${id}`);
  if (kept.join() !== wanted.join()) {
    const boxes = ids.map((id) => make("button", { className: "box", id: `box-${id}`, onclick: () => choose(id) }));
    graph.replaceChildren(make("div", { className: "sheet" }, document.createElementNS(SVG, "svg"), ...boxes));
  }
  return graph.firstElementChild;
}

function fill(box, { flow, specs, id, place: [x, y], chosen, results, input }) {
  const lacks = missing(flow, specs, id);
  const said = id === ROOT ? input : lacks.length ? `needs ${lacks.join(", ")}` : results[id] ?? summary(flow, specs, id);
  box.replaceChildren(make("b", {}, id === ROOT ? "Input" : nameOf(flow, id)), make("small", {}, said));
  box.classList.toggle("lacking", lacks.length > 0);
  box.classList.toggle("root", id === ROOT);
  box.setAttribute("aria-pressed", String(id === chosen));
  box.setAttribute("aria-description", taken(flow, specs, id));
  box.style.left = `${x}px`;
  box.style.top = `${y}px`;
}

// Parameters that are not as usual.
function summary(flow, specs, id) {
  const usual = new Map(specOf(flow, specs, id).parameters.map((each) => [each.name, each.default]));
  const changed = taskOf(flow, id).task_data.parameters.filter((each) => usual.get(each.name) !== each.value);
  return changed.map(({ name, value }) => `${name} ${value}`).join(", ") || "as usual";
}

// What a task takes, in words.
function taken(flow, specs, id) {
  const parts = feeds(flow, id).map((edge) => `${KINDS[specOf(flow, specs, id).inputs[edge.target_index]]} from ${edge.source_id === ROOT ? "the input" : nameOf(flow, edge.source_id)}`);
  return parts.length ? `takes ${parts.join(", ")}` : "";
}

// One line for all connections of two tasks; it goes round tasks in between.
function linesOf(flow, at, isDown) {
  const pairs = new Map(flow.connections.map((edge) => [`${edge.source_id} ${edge.target_id}`, edge]));
  return [...pairs.values()].map(({ source_id: source, target_id: target }) => {
    const [from, to] = [at.get(source), at.get(target)];
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", curve(from, to, isDown ? 1 : 0));
    path.setAttribute("marker-end", "url(#arrow)");
    return path;
  });
}

// Whether a line would run through boxes in between.
function isFar(at, { source_id: source, target_id: target }, isDown) {
  const [from, to] = [at.get(source), at.get(target)];
  const [along, across] = isDown ? [1, 0] : [0, 1];
  return to[along] - from[along] > BOX[along] + GAP[0] && from[across] === to[across];
}

function curve(from, to, along) {
  const across = 1 - along;
  const [start, end] = [[], []];
  start[along] = from[along] + BOX[along];
  start[across] = from[across] + BOX[across] / 2;
  end[along] = to[along] - 3;
  end[across] = to[across] + BOX[across] / 2;
  const isRound = to[along] - from[along] > BOX[along] + GAP[0] && from[across] === to[across];
  const reach = isRound ? GAP[0] * 0.8 : (end[along] - start[along]) / 2;
  const aside = isRound ? BOX[across] / 2 + (along ? 14 : 24) : 0;
  const bend = (point, by) => {
    const bent = [...point];
    bent[along] += by;
    bent[across] += aside;
    return bent;
  };
  if (!isRound) return `M${start} C${bend(start, reach)} ${bend(end, -reach)} ${end}`;
  const [left, right] = [bend(start, reach), bend(end, -reach)];
  const [corner, last] = [[...start], [...end]];
  corner[along] = left[along];
  last[along] = right[along];
  return `M${start} Q${corner} ${left} L${right} Q${last} ${end}`;
}

function arrowHead() {
  const marker = document.createElementNS(SVG, "marker");
  for (const [name, value] of Object.entries({ id: "arrow", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 8, markerHeight: 8, orient: "auto" })) marker.setAttribute(name, value);
  const tip = document.createElementNS(SVG, "path");
  tip.setAttribute("d", "M0 0L8 4L0 8z");
  tip.setAttribute("class", "tip");
  marker.append(tip);
  return marker;
}
