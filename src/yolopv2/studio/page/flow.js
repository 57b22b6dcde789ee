// A workflow as its file has it, and what can be done to it. Pure functions: each gives a new workflow.

export const ROOT = -1; // the id of the input picture

export const KINDS = { IMAGE: "picture", OBJECT_DETECTION: "vehicles", SEMANTIC_SEGMENTATION: "road and lanes", DATA_DICT: "data" };

const ROOT_SPEC = { name: "root", title: "What the workflow runs on.", inputs: [], outputs: ["IMAGE"], needs: [], parameters: [] };

export const nameOf = (flow, id) => (id === ROOT ? "root" : taskOf(flow, id)?.task_data.name);

export const specOf = (flow, specs, id) => (id === ROOT ? ROOT_SPEC : specs.find(({ name }) => name === nameOf(flow, id)));

export const taskOf = (flow, id) => flow.tasks.find((task) => task.task_id === id);

export const feeds = (flow, id) => flow.connections.filter((edge) => edge.target_id === id).sort((a, b) => a.target_index - b.target_index);

const leaves = (flow, id) => flow.connections.filter((edge) => edge.source_id === id);

// The task that feeds a task's first input.
export const parentOf = (flow, id) => feeds(flow, id)[0]?.source_id ?? null;

export const emptyFlow = () => ({ metadata: { name: "workflow", description: "", keywords: "" }, tasks: [], connections: [], exposed_parameters: [], exposed_outputs: [] });

// The package's own tasks in a row.
export function startingFlow(specs, params = {}) {
  let [flow, last] = [emptyFlow(), ROOT];
  for (const { name } of specs.filter(({ file }) => !file)) ({ flow, id: last } = insertAfter(flow, specs, last, name));
  for (const [name, value] of Object.entries(params)) flow = withParameter(flow, 0, name, value);
  return flow;
}

// A new task after another: it takes what the other gives, and those that the other fed take it from the new one.
export function insertAfter(flow, specs, after, name) {
  const spec = specs.find((each) => each.name === name);
  const id = Math.max(-1, ...flow.tasks.map((task) => task.task_id)) + 1;
  const alike = flow.tasks.filter((task) => task.task_data.name === name).length;
  const apart = (each) => (each.name === "folder" && alike ? `${each.default}-${alike + 1}` : each.default); // no file twice
  const parameters = spec.parameters.map((each) => ({ name: each.name, value: apart(each) }));
  const task = { task_id: id, task_data: { name, parameters, inputs: [], outputs: [], language: 1 } };
  return { flow: placeAfter(flow, specs, after, task, leaves(flow, after)), id };
}

// Puts a task after another and lets some of the other's connections come from it.
function placeAfter(flow, specs, after, task, taken) {
  const at = flow.tasks.findIndex((each) => each.task_id === after) + 1;
  const tasks = [...flow.tasks.slice(0, at), task, ...flow.tasks.slice(at)];
  const [given, spec] = [specOf(flow, specs, after).outputs, specs.find(({ name }) => name === task.task_data.name)];
  const fresh = spec.inputs
    .map((kind, index) => ({ source_id: after, source_index: given.indexOf(kind), target_id: task.task_id, target_index: index }))
    .filter((edge) => edge.source_index >= 0);
  const moved = flow.connections.map((edge) => {
    const output = taken.includes(edge) ? spec.outputs.indexOf(given[edge.source_index]) : -1;
    return output < 0 ? edge : { ...edge, source_id: task.task_id, source_index: output };
  });
  return { ...flow, tasks, connections: [...moved, ...fresh] };
}

// Those that the task fed take what it took of the same kind.
export function remove(flow, specs, id) {
  const spec = specOf(flow, specs, id);
  const from = feeds(flow, id);
  const bridged = leaves(flow, id).flatMap((edge) => {
    const kind = spec.outputs[edge.source_index];
    const source = from.find((each) => spec.inputs[each.target_index] === kind);
    return source ? [{ ...edge, source_id: source.source_id, source_index: source.source_index }] : [];
  });
  return {
    ...flow,
    tasks: flow.tasks.filter((task) => task.task_id !== id),
    connections: [...flow.connections.filter((edge) => edge.target_id !== id && edge.source_id !== id), ...bridged],
    exposed_parameters: flow.exposed_parameters.filter((each) => each.task_id !== id),
    exposed_outputs: flow.exposed_outputs.filter((each) => each.task_id !== id),
  };
}

export const canMoveEarlier = (flow, id) => ![null, ROOT].includes(parentOf(flow, id));

// Before the task that feeds it.
export function moveEarlier(flow, specs, id) {
  const [parent, task] = [parentOf(flow, id), taskOf(flow, id)];
  const before = parentOf(flow, parent) ?? ROOT;
  const without = { ...remove(flow, specs, id), exposed_parameters: flow.exposed_parameters, exposed_outputs: flow.exposed_outputs };
  const moved = placeAfter(without, specs, before, task, feeds(without, parent).filter((edge) => edge.source_id === before));
  // What only the parent gives, such as what it sees, comes from it all the same to those behind.
  const own = leaves(flow, id).filter((edge) => !moved.connections.some((other) => other.target_id === edge.target_id && other.target_index === edge.target_index));
  const given = specOf(flow, specs, parent).outputs;
  const kinds = specOf(flow, specs, id).outputs;
  const late = own.map((edge) => ({ ...edge, source_id: parent, source_index: given.indexOf(kinds[edge.source_index]) }));
  return { ...moved, connections: [...moved.connections, ...late.filter((edge) => edge.source_index >= 0)] };
}

// The first task that it feeds, and that can take its place.
export const childOf = (flow, id) => flow.tasks.find((task) => parentOf(flow, task.task_id) === id)?.task_id ?? null;

export const moveLater = (flow, specs, id) => moveEarlier(flow, specs, childOf(flow, id));

// One input is fed by an output, or by none where the source is null.
export function connect(flow, target, input, source, output) {
  const others = flow.connections.filter((edge) => edge.target_id !== target || edge.target_index !== input);
  return { ...flow, connections: source === null ? others : [...others, { source_id: source, source_index: output, target_id: target, target_index: input }] };
}

// The outputs that an input may take: of its kind, and of no task that it leads to.
export function offersFor(flow, specs, target, input) {
  const kind = specOf(flow, specs, target).inputs[input];
  const behind = reachable(flow, target);
  return [ROOT, ...flow.tasks.map((task) => task.task_id)].filter((id) => !behind.has(id)).flatMap((id) =>
    specOf(flow, specs, id).outputs.flatMap((other, output) => (other === kind ? [{ source: id, output }] : [])));
}

function reachable(flow, start) {
  const [found, waiting] = [new Set([start]), [start]];
  while (waiting.length) {
    for (const { target_id: next } of leaves(flow, waiting.pop())) if (!found.has(next)) found.add(next) && waiting.push(next);
  }
  return found;
}

export const withParameter = (flow, id, name, value) => ({
  ...flow,
  tasks: flow.tasks.map((task) => (task.task_id !== id ? task : {
    ...task,
    task_data: { ...task.task_data, parameters: task.task_data.parameters.map((each) => (each.name === name ? { name, value } : each)) },
  })),
});

// Inputs without which a task cannot run, and that nothing feeds.
export function missing(flow, specs, id) {
  const fed = new Set(feeds(flow, id).map((edge) => edge.target_index));
  const { needs, inputs } = specOf(flow, specs, id);
  return needs.filter((input) => !fed.has(input)).map((input) => KINDS[inputs[input]]);
}

// How deep each task lies behind the root, and its place among those of the same depth.
export function places(flow) {
  const depths = new Map([[ROOT, 0]]);
  const depthOf = (id) => {
    if (!depths.has(id)) depths.set(id, 1 + Math.max(-1, ...feeds(flow, id).map((edge) => depthOf(edge.source_id))));
    return depths.get(id);
  };
  const rows = new Map();
  return new Map([ROOT, ...flow.tasks.map((task) => task.task_id)].map((id) => {
    const depth = id === ROOT ? 0 : Math.max(depthOf(id), 1);
    const row = rows.get(depth) ?? 0;
    rows.set(depth, row + 1);
    return [id, { depth, row }];
  }));
}
