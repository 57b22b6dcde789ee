// What was opened: pictures, videos, the camera; one of them is shown, the others wait in the tray.

import * as api from "./api.js";
import { unpack } from "./maps.js";
import { busy, complain, forgive, idle, tell } from "./notice.js";
import { changed, element, make, on, state } from "./state.js";

const MOST_ITEMS = 12; // as many as the studio keeps
const MOST_BATCHES = 2; // likewise
const items = [];

export const wide = (text, length = 28) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

// Opens what `request` asks the studio for; a preview, {bitmap, look}, is shown meanwhile, if there is one.
export async function open(name, request, preview = null) {
  const ending = new AbortController();
  forgive();
  if (preview) show({ kind: "pending", name, ...preview });
  busy(`Looking at ${wide(name)}`, () => ending.abort());
  try {
    const answer = await request({ ...state.choice }, ending.signal);
    const item = answer.kind === "video" ? { ...answer, index: 0, curves: [], frames: new Map() } : { ...answer, ...(await unpack(answer)) };
    item.choice = { ...state.choice };
    add(item);
    show(item);
    return item;
  } catch (error) {
    complain(error);
    if (state.item?.kind === "pending") show(items.at(-1) ?? null);
    return null;
  } finally {
    idle();
  }
}

export async function openFiles(files) {
  for (const file of files) await openFile(file);
}

async function openFile(file) {
  const bitmap = file.type.startsWith("image/") ? await createImageBitmap(file).catch(() => null) : null;
  return open(file.name || "pasted picture", (choice, signal) => api.openFile(file, choice, signal), bitmap && { bitmap });
}

// A file of a batch: as it was opened before, where it is still kept.
export async function openFromBatch(batch, file) {
  const before = items.find((item) => item.file === file);
  if (before) return show(before);
  const item = await openFile(file);
  if (!item) return;
  Object.assign(item, { batch, file });
  show(item);
}

// A generated drive: its first frame as a still at once, the drive when it is rendered.
export async function openDrive({ frames, ...generated }) {
  const name = `drive-${generated.seed}`;
  await open(name, async (choice, signal) => {
    const preview = await unpack(await api.openGenerated(generated, choice, signal));
    show({ kind: "pending", name, ...preview });
    return { ...(await api.openGenerated({ ...generated, frames }, choice, signal)), ...preview };
  });
}

export const openScene = (generated) =>
  open(`scene ${generated.seed}`, (choice, signal) => api.openGenerated(generated, choice, signal));

// Batches are counted apart, so that opening their files does not push them out.
export function add(item) {
  items.push(item);
  const isBatch = item.kind === "batch";
  const alike = items.filter(({ kind }) => (kind === "batch") === isBatch);
  if (alike.length <= (isBatch ? MOST_BATCHES : MOST_ITEMS)) return;
  const [gone] = items.splice(items.indexOf(alike[0]), 1);
  for (const other of items) if (other.batch === gone) other.batch = null;
  if (isBatch) {
    state.dropped = gone;
    changed("dropped");
  }
}

export function show(item) {
  state.item = item;
  state.highlighted = null;
  changed("item");
  changed("look");
}

// The look of the shown item is another: of another frame or model.
export function lookChanged(item, bitmap, look) {
  item.look = look;
  if (bitmap) item.bitmap = bitmap;
  if (state.item === item) changed("look");
}

// Lets another model look at what is shown.
export async function lookAnew() {
  const { item } = state;
  if (item?.kind !== "picture") return;
  busy("Looking with another model");
  try {
    const choice = { ...state.choice };
    const { look } = await unpack(await api.lookAgain(item, choice));
    item.choice = choice;
    item.engine = look.engine;
    lookChanged(item, null, look);
    forgive();
  } catch (error) {
    complain(error);
    changed("refused");
  } finally {
    idle();
  }
}

function drawTray() {
  const tray = element("tray");
  tray.hidden = items.length < 2 || !state.item;
  tray.replaceChildren(...items.map((item) => {
    const thumbnail = make("canvas", { width: 204, height: 114 });
    thumbnail.setAttribute("aria-hidden", "true");
    if (item.kind === "batch") drawStack(thumbnail);
    if (item.bitmap) {
      const scale = Math.max(204 / item.bitmap.width, 114 / item.bitmap.height);
      const [width, height] = [item.bitmap.width * scale, item.bitmap.height * scale];
      thumbnail.getContext("2d").drawImage(item.bitmap, (204 - width) / 2, (114 - height) / 2, width, height);
    }
    const button = make("button", { title: item.name, onclick: () => show(item) }, thumbnail, make("span", {}, item.name));
    if (item === state.item) button.setAttribute("aria-current", "true");
    return make("li", {}, button);
  }));
}

// Stands for a batch: pictures that lie on each other.
function drawStack(canvas) {
  const context = canvas.getContext("2d");
  context.strokeStyle = "#8a9099";
  context.lineWidth = 4;
  for (const step of [2, 1, 0]) {
    context.clearRect(52 + 14 * step, 32 - 10 * step, 76, 52);
    context.strokeRect(52 + 14 * step, 32 - 10 * step, 76, 52);
  }
}

on("item", () => {
  const { item } = state;
  element("empty").hidden = Boolean(item);
  element("panes").hidden = element("tools").hidden = !item;
  document.title = item ? `${item.name} – yolopv2 studio` : "yolopv2 studio";
  if (!item) tell("Start page");
  drawTray();
});
let first = null; // whose first frame the tray has shown
on("look", () => {
  if (state.item?.kind === "video" && first !== state.item && state.item.bitmap) {
    first = state.item;
    drawTray();
  }
});
