// Downloads, and the code in the panel.

import * as api from "./api.js";
import { cliCode, drawnLayers, pythonCode } from "./code.js";
import { busy, complain, idle, tell } from "./notice.js";
import { element, make, on, state } from "./state.js";

let language = "python";

export function buildTake(pane) {
  const click = (id, act) => element(id).addEventListener("click", () => act().catch(complain).finally(idle));
  click("take-png", async () => save(await pane.toPng(), `${stem()}.png`));
  click("take-json", async () => {
    const { item, sliders } = state;
    const scene = await api.scene(item, item.choice, sliders);
    save(new Blob([`${JSON.stringify(scene)}\n`], { type: "application/json" }), `${stem()}.json`);
  });
  click("take-mp4", () => takeVideo("export.mp4", `${stem(false)}.mp4`));
  click("take-jsonl", () => takeVideo("scenes.jsonl", "scenes.jsonl"));
  click("take-zip", takeBatch);
  element("copy").addEventListener("click", () => copyText(element("code"), element("copy")));
  for (const name of ["python", "cli"]) element(`code-${name}`).addEventListener("click", () => chooseLanguage(name));
}

const stem = (ofFrame = true) => {
  const { item } = state;
  const name = item.name.replace(/\.[^.]*$/, "") || "picture";
  return `${name}${item.kind === "video" && ofFrame ? `_${String(item.index).padStart(6, "0")}` : ""}_seen`;
};

export function save(blob, name) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  tell(`${name} is saved`);
}

// Writes the video with what is seen now, unless that was done already, and saves one of its files.
async function takeVideo(name, savedAs) {
  const { item, sliders } = state;
  const asked = { sliders: { ...sliders }, layers: drawnLayers(state.layers) };
  const key = JSON.stringify([asked, item.choice, item.done]);
  if (item.written !== key) {
    busy("Writing the video");
    let { export: work } = await api.videoExport(item.id, asked.sliders, asked.layers);
    while (work.state === "waiting" || work.state === "looking") {
      busy(`Writing the video: ${work.done} of ${work.total} frames`, () => api.videoCancel(item.id).catch(complain));
      await new Promise((resolve) => setTimeout(resolve, 250));
      work = (await api.videoProgress(item.id, item.curves.length)).export;
    }
    if (work.state === "failed") throw new Error(work.error);
    if (work.state === "cancelled") return;
    item.written = key;
  }
  save(await api.videoFile(item.id, name), savedAs);
}

// The browser takes it by itself, straight to disk, while the studio writes it.
async function takeBatch() {
  const { item, sliders } = state;
  const { address } = await api.batchArchive(item.id, sliders, drawnLayers(state.layers), element("zip-drawn").checked);
  make("a", { href: address, download: `${item.name}_seen.zip` }).click();
  tell("The results are being saved");
}

function chooseLanguage(name) {
  language = name;
  for (const other of ["python", "cli"]) element(`code-${other}`).setAttribute("aria-pressed", String(other === name));
  showCode();
}

function showCode() {
  const { item, sliders } = state;
  if (!item || item.kind === "pending") {
    element("code").textContent = language === "python" ? 'from yolopv2 import YOLOPv2\n\nmodel = YOLOPv2("nano")\n' : "yolopv2 predict street.jpg\n";
    return;
  }
  const facts = { item, choice: item.choice ?? state.choice, sliders, layers: drawnLayers(state.layers) };
  element("code").textContent = language === "python" ? pythonCode(facts) : cliCode(facts);
}

export async function copyText(place, button) {
  try {
    await navigator.clipboard.writeText(place.textContent);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
    tell("The code is copied");
  } catch {
    getSelection().selectAllChildren(place);
    complain(new Error("The browser does not let the page copy: the code is selected, press Ctrl-C."));
  }
}

on("item", () => {
  const isVideo = state.item?.kind === "video";
  const isBatch = state.item?.kind === "batch";
  element("take-mp4").hidden = element("take-jsonl").hidden = !isVideo;
  element("take-png").hidden = element("take-json").hidden = isBatch;
  element("take-batch").hidden = !isBatch;
});
on("item look sliders layers choice", showCode);
