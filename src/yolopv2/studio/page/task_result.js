// What a task gave in the last run: a picture, and what was seen as tables.

import * as api from "./api.js";
import { complain, tell } from "./notice.js";
import { element, make, percent } from "./state.js";

const MOST_ROWS = 100;
let shown = null; // address of the picture

// result: what the studio says of the task; null where there is none
export async function drawResult(run, number, result, name) {
  const place = element("flow-result");
  const key = `${run?.id} ${number}`;
  place.dataset.of = key;
  if (!result) return place.replaceChildren();
  const tables = result.outputs.filter(({ kind }) => TABLES[kind]).map((output) => TABLES[output.kind](output));
  const parts = [...(result.files ? [filesOf(run, number, result)] : []), make("div", { className: "tables" }, ...tables)];
  if (result.picture) {
    const picture = await api.workflowPicture(run.id, number);
    if (place.dataset.of !== key) return;
    if (shown) URL.revokeObjectURL(shown);
    shown = URL.createObjectURL(picture);
    parts.unshift(make("img", { src: shown, alt: `The picture after ${name}, with what was seen` }));
  }
  place.replaceChildren(make("h3", {}, name), ...parts);
}

const TABLES = {
  OBJECT_DETECTION: ({ objects }) => {
    const rows = objects.slice(0, MOST_ROWS).map(({ id, label, confidence, box }) =>
      [id, label, percent(confidence, 0), ...["x", "y", "width", "height"].map((side) => Math.round(box[side]))]);
    const title = `${objects.length} ${objects.length === 1 ? "vehicle" : "vehicles"}`;
    return table(title, ["Id", "Class", "Confidence", "x", "y", "Width", "Height"], rows);
  },
  SEMANTIC_SEGMENTATION: ({ shares }) => table("Road and lanes", ["Class", "Share"], Object.entries(shares).map(([name, share]) => [name, percent(share, 2)])),
  DATA_DICT: ({ data }) => {
    const lanes = data.lanes ?? [];
    const end = (line, from) => line.points.at(from).map(Math.round).join(", ");
    return table(`${lanes.length} lane ${lanes.length === 1 ? "line" : "lines"}`, ["Id", "Points", "From", "To"], lanes.map((line) => [line.id, line.points.length, end(line, 0), end(line, -1)]));
  },
};

function table(title, names, rows) {
  const side = (column) => (/^[\d.,% -]*$/.test(rows[0]?.[column] ?? "") ? "number" : "");
  const head = make("tr", {}, ...names.map((name, column) => make("th", { scope: "col", className: side(column) }, name)));
  const body = rows.map((cells) => make("tr", {}, ...cells.map((cell, column) => make("td", { className: side(column) }, String(cell)))));
  const made = make("table", {}, make("caption", {}, title), make("thead", {}, head), make("tbody", {}, ...body));
  return make("div", { className: "scroll" }, made);
}

function filesOf(run, number, { files, bytes }) {
  const button = make("button", { id: "flow-files", className: "primary" }, `Save ${files} ${files === 1 ? "file" : "files"} (ZIP, ${(bytes / 1e6).toFixed(bytes < 1e6 ? 2 : 1)} MB)`);
  button.addEventListener("click", async () => {
    try {
      const { address } = await api.workflowFiles(run.id, number);
      make("a", { href: address, download: "workflow_written.zip" }).click();
      tell("The files are being saved");
    } catch (error) {
      complain(error);
    }
  });
  return make("p", {}, button);
}
