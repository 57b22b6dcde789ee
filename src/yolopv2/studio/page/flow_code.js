// A workflow as Python.

import { ROOT, feeds, specOf } from "./flow.js";

const VARIABLES = { infer_yolop_v2: "looked", filter: "kept", draw: "drawn", write: "written" };
const quote = (text) => JSON.stringify(text);

export function flowPython(flow, specs, item) {
  const variables = new Map([[ROOT, "wf.root()"]]);
  const files = [...new Set(flow.tasks.map((task) => specOf(flow, specs, task.task_id).file).filter(Boolean))];
  const names = files.length ? "Workflow, load_tasks" : "Workflow";
  const lines = [`from yolopv2.ikomia import ${names}`, "", ...files.map((file) => `load_tasks(${quote(file)})`), `wf = Workflow(${quote(flow.metadata.name)})`];
  let before = ROOT;
  for (const task of flow.tasks) {
    const { task_id: id, task_data: { name } } = task;
    const variable = VARIABLES[name] ?? `${name.replace(/\W/g, "_")}_task`;
    const alike = [...variables.values()].filter((other) => other.replace(/\d*$/, "") === variable).length;
    variables.set(id, `${variable}${alike ? alike + 1 : ""}`);
    const isNext = isAutomatic(flow, specs, before, id);
    const options = [`name=${quote(name)}`, ...changedParameters(task, specs), ...(isNext ? ["auto_connect=True"] : [])];
    lines.push(`${variables.get(id)} = wf.add_task(${options.join(", ")})`);
    task.isNext = isNext;
    before = id;
  }
  for (const { task_id: id, isNext } of flow.tasks) if (!isNext) lines.push(...connections(flow, id, variables));
  return `${[...lines, ...runOn(item)].join("\n")}\n`;
}

function changedParameters({ task_data: { name, parameters } }, specs) {
  const usual = new Map(specs.find((each) => each.name === name).parameters.map((each) => [each.name, each.default]));
  const changed = parameters.filter((each) => usual.get(each.name) !== each.value).map((each) => `${quote(each.name)}: ${quote(each.value)}`);
  return changed.length ? [`params={${changed.join(", ")}}`] : [];
}

// Whether a task takes of the one before it what fits by its kind, and nothing of others.
function isAutomatic(flow, specs, before, id) {
  const given = specOf(flow, specs, before).outputs;
  const expected = specOf(flow, specs, id).inputs.map((kind) => given.indexOf(kind));
  const found = feeds(flow, id);
  return found.length === expected.filter((output) => output >= 0).length &&
    found.every((edge) => edge.source_id === before && expected[edge.target_index] === edge.source_index);
}

function connections(flow, id, variables) {
  const sources = new Set(feeds(flow, id).map((edge) => edge.source_id));
  return [...sources].map((source) => {
    const pairs = feeds(flow, id).filter((edge) => edge.source_id === source).map((edge) => `(${edge.source_index}, ${edge.target_index})`);
    return `wf.connect_tasks(${variables.get(source)}, ${variables.get(id)}, [${pairs.join(", ")}])`;
  });
}

function runOn(item) {
  const origin = item?.origin ?? {};
  const lines = [];
  let source = `path=${quote(item?.name ?? "street.jpg")}`;
  if (item?.kind === "batch") source = `folder=${quote(item.roots?.length === 1 ? item.roots[0] : ".")}`;
  if (origin.kind === "url") source = `url=${quote(origin.url)}`;
  if (origin.kind === "scene") {
    const conditions = [["weather", origin.weather], ["time_of_day", origin.time]].filter(([, value]) => value);
    lines.push("", "from yolopv2.data.synthetic import render_scene");
    source = `array=render_scene(${[origin.seed, ...conditions.map(([name, value]) => `${name}=${quote(value)}`)].join(", ")}).image`;
  }
  return [...lines, "", `wf.run_on(${source})`, "print(wf.get_time_metrics())"];
}
