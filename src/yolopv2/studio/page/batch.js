// A batch: many files, looked at one after the other. Files stay with the browser until their turn comes.

import * as api from "./api.js";
import { add, openFromBatch, show } from "./items.js";
import { complain, forgive, tell } from "./notice.js";
import { showNumbers } from "./panel.js";
import { element, on, percent, state } from "./state.js";
import { drawRows, focusRow, updateRow } from "./table.js";

const POLL = 300; // milliseconds
const AT_ONCE = 2; // one file is on its way while one is looked at
const REST = 300; // milliseconds after which a slider rests
const RUNNING = ["waiting", "looking"];

const current = () => (state.item?.kind === "batch" ? state.item : null);

// Begins to look at files: what folder.js gives.
export async function openBatch({ name, files, roots }) {
  forgive();
  try {
    const choice = { ...state.choice };
    const { id, engine } = await api.batchBegin(choice, state.sliders);
    const item = { kind: "batch", id, name, roots, choice, engine, files, next: 0, again: [], rows: new Map(), spent: 0, sort: null };
    item.counted = JSON.stringify(state.sliders);
    add(item);
    show(item);
    element("batch-title").focus();
    run(item);
  } catch (error) {
    complain(error);
  }
}

// The same files with the model that is chosen now.
async function lookAnew() {
  const item = current();
  await stop(item);
  await openBatch(item);
}

async function run(item) {
  if (item.running) return;
  Object.assign(item, { running: true, stopping: false, began: performance.now() });
  draw(item);
  const spent = item.spent;
  const timer = setInterval(() => {
    item.spent = spent + performance.now() - item.began;
    if (current() !== item) return;
    drawProgress(item);
    drawTotals(item);
  }, POLL);
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, () => work(item)));
    tell(item.stopping ? `${item.name}: stopped after ${item.rows.size} files` : `${item.name}: ${item.rows.size} files were looked at`);
  } catch (error) {
    item.stopping = true;
    if (!item.gone) complain(error);
  } finally {
    clearInterval(timer);
    item.running = false;
    draw(item);
    recount();
  }
}

async function work(item) {
  while (!item.stopping && (item.again.length || item.next < item.files.length)) {
    const given = item.again.pop() ?? { ...item.files[item.next], number: item.next++ };
    const isReadable = await given.file.slice(0, 1).arrayBuffer().then(() => true, () => false);
    const row = isReadable ? await send(item, given) : lost(given);
    if (row.state === "cancelled" && !row.frames) item.again.push(given); // for when it goes on
    else keep(item, { ...row, file: given.file });
  }
}

async function send(item, { file, path, number }) {
  let row = await api.batchAdd(item.id, number, file, path);
  while (RUNNING.includes(row.state)) {
    keep(item, { ...row, file });
    if (item.stopping) await api.batchCancel(item.id);
    await new Promise((resolve) => setTimeout(resolve, POLL));
    row = await api.batchRow(item.id, number);
  }
  if (row.state === "cancelled" && !row.frames) drop(item, number);
  return row;
}

// A file that went away after it was given.
const lost = ({ path, number }) => ({ number, name: path, state: "failed", frames: 0, error: "The browser can no longer read this file." });

function keep(item, row) {
  item.rows.set(row.number, row);
  if (current() !== item) return;
  updateRow(item, row, openRow);
  drawProgress(item);
}

function drop(item, number) {
  item.rows.delete(number);
  if (current() === item) drawRows(item, openRow);
}

async function stop(item) {
  item.stopping = true;
  drawProgress(item);
  if (item.running) await api.batchCancel(item.id);
}

async function openRow(item, row) {
  item.left = row.number;
  await openFromBatch(item, row.file);
}

export function backToBatch() {
  const { batch } = state.item;
  show(batch);
  focusRow(batch.left);
}

// With other thresholds all rows are counted anew; by the studio, which has kept what the network gave.
async function recount() {
  const item = current();
  if (!item) return;
  const key = JSON.stringify(state.sliders);
  if (item.counted === key || !item.rows.size) return drawTotals(item);
  element("batch").setAttribute("aria-busy", "true");
  try {
    const rows = await api.batchRows(item.id, state.sliders);
    if (JSON.stringify(state.sliders) !== key) return;
    item.counted = key;
    for (const row of rows) if (item.rows.has(row.number)) item.rows.set(row.number, { ...item.rows.get(row.number), ...row });
    if (current() === item) draw(item);
  } catch (error) {
    complain(error);
  } finally {
    element("batch").removeAttribute("aria-busy");
  }
}

function draw(item) {
  if (current() !== item) return;
  element("batch-title").textContent = item.name;
  drawRows(item, openRow);
  drawProgress(item);
  drawTotals(item);
}

function drawProgress(item) {
  const [done, total] = [[...item.rows.values()].filter((row) => !RUNNING.includes(row.state)).length, item.files.length];
  const failed = [...item.rows.values()].filter((row) => row.state === "failed").length;
  const bar = element("batch-progress");
  bar.setAttribute("aria-valuemax", total);
  bar.setAttribute("aria-valuenow", done);
  bar.firstElementChild.style.width = `${(100 * done) / total}%`;
  bar.hidden = !item.running;
  const rate = (1000 * done) / item.spent;
  const parts = [done === total ? `${total} files` : `${done} of ${total}`];
  if (failed) parts.push(`${failed} could not be read`);
  if (done && rate > 0 && Number.isFinite(rate)) parts.push(`${rate.toFixed(rate < 10 ? 1 : 0)} a second`);
  if (item.running && done && !item.stopping) parts.push(`${duration((total - done) / rate)} left`);
  if (item.stopping && item.running) parts.push("stopping");
  element("batch-text").textContent = parts.join(" · ");
  element("batch-cancel").hidden = !item.running || item.stopping;
  element("batch-on").hidden = item.running || done >= total;
  const isOther = JSON.stringify(item.choice) !== JSON.stringify(state.choice);
  element("batch-anew").hidden = !isOther;
  element("batch-anew").textContent = `Look again with ${state.choice.weights}, ${state.choice.size} px`;
}

const duration = (seconds) => (seconds < 90 ? `${Math.ceil(seconds)} s` : seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`);

function drawTotals(item) {
  const rows = [...item.rows.values()].filter((row) => row.frames);
  const mean = (name) => {
    const values = rows.map((row) => row[name]).filter((value) => typeof value === "number");
    return values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : null;
  };
  const vehicles = mean("vehicles");
  showNumbers([["vehicles a file", vehicles === null ? "–" : vehicles.toFixed(1)], ["drivable", percent(mean("drivable"))], ["lane marking", percent(mean("lanes"), 2)]]);
  element("row-masks").hidden = false;
  element("take-zip").disabled = !rows.length;
}

export function buildBatch() {
  const click = (id, act) => element(id).addEventListener("click", () => act().catch(complain));
  click("batch-cancel", async () => stop(current()));
  click("batch-on", async () => run(current()));
  click("batch-anew", lookAnew);
  let resting = null;
  on("sliders", () => {
    clearTimeout(resting);
    resting = setTimeout(recount, REST);
  });
  on("item", () => {
    const item = current();
    element("batch").hidden = !item;
    element("stage").hidden = Boolean(item);
    element("back").hidden = !state.item?.batch;
    for (const id of ["before-after", "zooms"]) element(id).hidden = Boolean(item);
    element("compare").disabled = Boolean(item);
  });
  on("look", () => {
    if (!current()) return;
    draw(current());
    recount();
  });
  on("choice", () => current() && drawProgress(current()));
  on("dropped", () => { // it made room for another
    const item = state.dropped;
    Object.assign(item, { stopping: true, gone: true });
    api.batchEnd(item.id).catch(() => {});
  });
}
