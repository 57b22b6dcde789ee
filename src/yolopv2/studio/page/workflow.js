// Workflows: tasks that are chained, edited as a graph, run on what is opened, saved and loaded as the library's file.

import * as api from "./api.js";
import { ROOT, nameOf, startingFlow } from "./flow.js";
import { flowPython } from "./flow_code.js";
import { drawGraph } from "./graph.js";
import { complain, forgive, tell } from "./notice.js";
import { element, make, on, state } from "./state.js";
import { copyText, save } from "./take.js";
import { drawTask, numbered } from "./task_form.js";
import { drawResult } from "./task_result.js";

const POLL = 200; // milliseconds
const RUNNING = ["waiting", "looking"];

let specs = null;
let flow = null;
let chosen = 0;
let run = null; // the last one, as the studio describes it, with the ids of its tasks
let isStale = false; // the workflow was changed since
let running = false;

export async function toggleWorkflow() {
  const isOn = document.body.dataset.view !== "flow";
  try {
    if (isOn && !specs) {
      specs = await api.workflowTasks();
      const { weights, size, precision } = state.choice;
      flow = startingFlow(specs, { input_size: String(size), model_name: weights, precision, conf_thres: String(state.sliders.conf), iou_thres: String(state.sliders.iou) });
    }
  } catch (error) {
    return complain(error);
  }
  document.body.dataset.view = isOn ? "flow" : "look";
  element("workflow").setAttribute("aria-pressed", String(isOn));
  if (isOn) draw();
  window.dispatchEvent(new Event("resize"));
  tell(isOn ? "Workflow" : "Picture");
}

const isShown = () => document.body.dataset.view === "flow";

// The form is left as it is while somebody writes in it.
function draw(hasForm = true) {
  if (!isShown()) return;
  const results = run && new Map(run.ids.map((id, number) => [id, run.tasks[number]]));
  const lines = results ? Object.fromEntries([...results].filter(([, result]) => result).map(([id, result]) => [id, line(result)])) : {};
  drawGraph({ flow, specs, chosen, results: lines, input: inputName(), choose });
  if (hasForm) drawTask({ flow, specs, chosen, edit });
  drawSources();
  element("flow-name").value = flow.metadata.name;
  element("flow-code").textContent = flowPython(structuredClone(flow), specs, state.item);
  const number = run?.ids.indexOf(chosen) ?? -1;
  const result = number >= 0 ? run.tasks[number] : null;
  const which = run?.done > 1 ? `${numbered(flow, chosen)}, the last of ${run.done} frames` : numbered(flow, chosen);
  drawResult(run, number, result, which).catch(complain);
  element("flow-result").classList.toggle("stale", isStale);
  element("flow-hint").hidden = Boolean(result);
  element("flow-hint-text").textContent = hint();
  element("flow-open").hidden = sources().length > 0;
}

function hint() {
  if (chosen === ROOT) return "Choose a task to see what it gave.";
  if (!sources().length) return "Open a picture, a video or a folder, then run the workflow on it.";
  return run ? "This task has not run yet." : "Run the workflow to see what each task gives.";
}

// What a task gave, in a few words.
function line({ milliseconds, outputs, files }) {
  const seen = outputs.find(({ objects }) => objects)?.objects;
  const parts = [];
  if (seen) parts.push(`${seen.length} ${seen.length === 1 ? "vehicle" : "vehicles"}`);
  if (files) parts.push(`${files} ${files === 1 ? "file" : "files"}`);
  return [...parts, `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`].join(" · ");
}

const inputName = () => (sources().length ? state.item.name : "nothing opened");

// What the workflow can run on now.
function sources() {
  const { item } = state;
  if (item?.kind === "picture") return [{ title: "this picture", source: { picture: item.id }, isQuick: true }];
  if (item?.kind === "video") {
    return [
      { title: `frame ${item.index + 1}`, source: { video: item.id, frame: item.index }, isQuick: true },
      { title: "the whole video", source: { video: item.id } },
    ];
  }
  if (item?.kind === "batch") return [{ title: `all of ${item.name}`, source: { batch: item.id } }];
  return [];
}

function drawSources() {
  const select = element("flow-source");
  const before = select.selectedIndex;
  const offered = sources();
  select.replaceChildren(...offered.map(({ title }, number) => make("option", { value: number, textContent: title })));
  if (!offered.length) select.append(make("option", { textContent: "nothing opened" }));
  select.selectedIndex = Math.max(Math.min(before, offered.length - 1), 0);
  select.disabled = offered.length < 2;
  element("flow-run").disabled = !offered.length || running;
}

const chosenSource = () => sources()[Math.max(element("flow-source").selectedIndex, 0)];

function choose(id) {
  chosen = id;
  draw();
}

// isParameter: only a value was changed, so the form stays as it is, with the focus in it.
function edit(changed, next, isParameter = false) {
  flow = typeof changed === "function" ? changed(flow) : changed;
  chosen = next;
  isStale = Boolean(run);
  draw(!isParameter);
  if (!isParameter) tell(`${numbered(flow, chosen)} is chosen; ${flow.tasks.length} tasks`);
  check();
}

let checked = 0;

// The library says whether the workflow is sound; what was run on one picture is run again at once.
async function check() {
  const mine = ++checked;
  try {
    await api.workflowCheck(new Blob([JSON.stringify(flow)]));
    if (mine !== checked) return;
    element("task-error").hidden = true;
    if (run && chosenSource()?.isQuick) await start();
  } catch (error) {
    if (mine !== checked) return;
    element("task-error").textContent = error.message.replace(/^The workflow .* cannot be loaded: /, "");
    element("task-error").hidden = false;
  }
}

async function start() {
  const source = chosenSource();
  if (!source || running) return;
  running = true;
  forgive();
  const asked = flow;
  try {
    let now = await api.workflowRun({ workflow: flow, ...source.source });
    element("flow-cancel").onclick = () => api.workflowCancel(now.id).catch(complain);
    while (RUNNING.includes(now.state)) {
      drawProgress(now);
      await new Promise((resolve) => setTimeout(resolve, POLL));
      now = await api.workflowProgress(now.id);
    }
    if (now.state === "failed" && !now.tasks.length) throw new Error(now.error);
    if (now.state === "failed") complain(new Error(now.error));
    run = { ...now, ids: asked.tasks.map((task) => task.task_id) };
    isStale = asked !== flow;
    tell(now.state === "cancelled" ? `Stopped after ${now.done} frames` : `The workflow ran on ${now.done} ${now.done === 1 ? "frame" : "frames"}`);
  } catch (error) {
    complain(error);
  } finally {
    running = false;
    drawProgress(null);
    draw(false);
  }
  if (isStale && source.isQuick) check();
}

function drawProgress(now) {
  element("flow-run").disabled = Boolean(now);
  element("flow-cancel").hidden = !now || (now.total ?? 2) < 2;
  element("flow-text").textContent = now && (now.total ?? 2) > 1 ? `${now.done}${now.total ? ` of ${now.total}` : ""} frames` : "";
}

async function load([file]) {
  if (!file) return;
  flow = await api.workflowCheck(file);
  [chosen, run, isStale] = [flow.tasks[0]?.task_id ?? ROOT, null, false];
  element("task-error").hidden = true;
  forgive();
  draw();
  tell(`${flow.metadata.name} is loaded`);
}

async function store() {
  const sound = await api.workflowCheck(new Blob([JSON.stringify(flow)]));
  save(new Blob([`${JSON.stringify(sound, null, 4)}\n`], { type: "application/json" }), `${flow.metadata.name.replace(/[^\w.-]+/g, "_") || "workflow"}.json`);
}

export function buildWorkflow() {
  const click = (id, act) => element(id).addEventListener("click", () => act().catch(complain));
  click("workflow", toggleWorkflow);
  click("flow-run", start);
  click("flow-save", store);
  click("flow-copy", () => copyText(element("flow-code"), element("flow-copy")));
  element("flow-load").addEventListener("click", () => element("flow-file").click());
  element("flow-file").addEventListener("change", ({ target }) => {
    load(target.files).catch(complain).finally(() => (target.value = ""));
  });
  element("flow-name").addEventListener("change", ({ target }) => {
    flow = { ...flow, metadata: { ...flow.metadata, name: target.value.trim() || "workflow" } };
    draw();
  });
  element("task-form").addEventListener("submit", (event) => event.preventDefault());
  element("graph").addEventListener("keydown", (event) => {
    const id = Number(event.target.id.slice("box-".length));
    if (event.key !== "Delete" || !nameOf(flow, id) || id === ROOT) return;
    choose(id);
    element("task-remove").click();
  });
  new ResizeObserver(() => draw(false)).observe(element("graph"));
  on("item", () => {
    run = null;
    draw(false);
  });
  on("look", () => isShown() && drawSources());
}
