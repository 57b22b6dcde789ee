// Puts the page together.

import * as api from "./api.js";
import { backToBatch, buildBatch, openBatch } from "./batch.js";
import { openCamera } from "./camera.js";
import { buildCatalogue } from "./catalogue.js";
import { buildCompare, caption, toggleCompare } from "./compare.js";
import { lookAnew, open, openDrive, openFiles, openScene, show } from "./items.js";
import { droppedFolder, looseFiles, pickedFolder } from "./folder.js";
import { listenToKeys } from "./keys.js";
import { fillPickers } from "./models.js";
import { complain } from "./notice.js";
import { buildPanel, showSeen } from "./panel.js";
import { attachPointer, buildSplit, placeTip, toggleSplit } from "./pointer.js";
import { changed, element, make, on, state } from "./state.js";
import { buildTable } from "./table.js";
import { buildTake } from "./take.js";
import { toggleTheme } from "./theme.js";
import { buildTimeline } from "./video.js";
import { Pane, fit, viewport } from "./view.js";
import { buildWorkflow } from "./workflow.js";

const DRIVE = { seed: 119, frames: 60 };
const EXAMPLES = [
  { seed: 119, title: "Clear day" },
  { seed: 7, weather: "rain", time: "night", title: "Rain at night" },
  { seed: 12, weather: "snow", time: "day", title: "Snow" },
  { seed: 33, weather: "overcast", time: "dusk", title: "Dusk" },
];

let isDrawn = true; // nothing is waiting to be drawn
const redraw = () => {
  if (!isDrawn) return;
  isDrawn = false;
  requestAnimationFrame(() => {
    isDrawn = true;
    first.draw();
    if (state.other) second.draw();
    placeTip(first);
    element("zoom").textContent = `${Math.round(100 * viewport.zoom)} %`;
  });
};
const first = new Pane(element("canvas-a"), redraw);
const second = new Pane(element("canvas-b"), redraw, first);

function wirePanes() {
  on("item", fit);
  on("look", () => {
    const { item } = state;
    if (item?.bitmap) first.show(item.bitmap, item.look);
    else first.clear();
    showAll();
  });
  on("sliders", () => {
    first.decide();
    if (state.other) second.decide();
    showAll();
  });
  on("compared", showCaptions);
  on("compare", showCaptions);
  on("layers highlight split view theme", redraw);
  on("item look compare", arrange);
  new ResizeObserver(arrange).observe(element("stage"));
  for (const pane of [first, second]) attachPointer(pane);
}

// Two panes lie side by side or one over the other, whichever shows the picture larger.
function arrange() {
  const { clientWidth, clientHeight } = element("stage");
  const { width, height } = state.item?.bitmap ?? { width: 16, height: 9 };
  const scale = (columns, rows) => Math.min(clientWidth / columns / width, clientHeight / rows / height);
  element("panes").classList.toggle("stacked", Boolean(state.other) && scale(1, 2) > scale(2, 1));
  redraw();
}

function showAll() {
  state.highlighted = null;
  state.seen = first.seen;
  changed("seen");
  showSeen(first.look, first.seen, first.colourOf);
  showCaptions();
  redraw();
}

function showCaptions() {
  caption(element("caption-a"), state.item?.choice, first.look, first.seen, element("speed").firstChild?.textContent);
  caption(element("caption-b"), state.other, second.look, second.seen, second.speed);
}

const MOST_SINGLE = 6; // more files at once are a batch

const pick = () => element("files").click();
const pickFolder = () => element("folder").click();

const openAll = (files) => (files.length > MOST_SINGLE ? openBatch(looseFiles(files)) : openFiles(files));

async function openDropped(transfer) {
  const files = [...transfer.files];
  const folder = await droppedFolder(transfer);
  await (folder ? openBatch(folder) : openAll(files));
}
const zoomBy = (factor) => first.zoomBy(factor);
const zoomFit = () => {
  fit();
  redraw();
};

function wireControls() {
  const click = (id, act) => element(id).addEventListener("click", () => act());
  click("pick", pick);
  click("open", pick);
  click("flow-open", pick);
  click("new", () => show(null));
  click("camera", openCamera);
  click("try-drive", () => openDrive(DRIVE));
  click("zoom-in", () => zoomBy(1.4));
  click("zoom-out", () => zoomBy(1 / 1.4));
  click("fit", zoomFit);
  click("before-after", toggleSplit);
  click("compare", toggleCompare);
  click("theme", toggleTheme);
  click("help", () => element("keys").showModal());
  click("pick-folder", pickFolder);
  click("open-folder", pickFolder);
  click("back", backToBatch);
  takeFrom("files", (files) => openAll(files));
  takeFrom("folder", (files) => openBatch(pickedFolder(files)));
  element("address").addEventListener("submit", (event) => {
    event.preventDefault();
    const url = element("url").value;
    open(url.split("/").at(-1) || url, (choice, signal) => api.openUrl(url, choice, signal));
  });
  element("seeds").addEventListener("submit", (event) => {
    event.preventDefault();
    const [weather, time] = [element("weather").value || null, element("time").value || null];
    const generated = { seed: Number(element("seed").value), weather, time };
    if (event.submitter?.value === "drive") openDrive({ ...generated, frames: Number(element("frames").value) });
    else openScene(generated);
  });
  listenToKeys({ zoomBy, zoomFit, pick, pickFolder });
  on("choice", lookAnew);
}

function takeFrom(id, opening) {
  element(id).addEventListener("change", async ({ target }) => {
    const files = [...target.files];
    target.value = "";
    if (files.length) await opening(files).catch(complain);
  });
}

function wireDropAndPaste() {
  let depth = 0; // dragenter and dragleave come for every element on the way
  const showDrop = (by) => {
    depth = Math.max(depth + by, 0);
    element("drop").hidden = depth === 0;
  };
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragenter", (event) => hasFiles(event) && showDrop(1));
  document.addEventListener("dragleave", (event) => hasFiles(event) && showDrop(-1));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    showDrop(-depth);
    openDropped(event.dataTransfer).catch(complain);
  });
  document.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) openAll([...event.clipboardData.files]);
  });
}

function showExamples() {
  element("examples").append(...EXAMPLES.map(({ title, ...generated }) => {
    const picture = make("img", { src: `/page/examples/${generated.seed}.jpg`, alt: "", width: 160, height: 90 });
    return make("li", {}, make("button", { onclick: () => openScene(generated) }, picture, make("span", {}, title)));
  }));
}

async function start() {
  wirePanes();
  wireControls();
  wireDropAndPaste();
  buildSplit();
  buildTimeline();
  buildCompare(second);
  buildTake(first);
  buildTable();
  buildBatch();
  buildWorkflow();
  buildCatalogue();
  showExamples();
  try {
    const facts = await api.begin();
    state.palette = facts.palette;
    state.limits = facts.limits;
    element("address").hidden = !facts.addresses;
    fillPickers(facts.models);
    buildPanel(facts.least_conf);
    show(null);
    document.documentElement.dataset.ready = "true";
  } catch (error) {
    complain(error);
  }
  window.addEventListener("pagehide", api.end);
  window.addEventListener("pageshow", (event) => event.persisted && location.reload());
}

start();
