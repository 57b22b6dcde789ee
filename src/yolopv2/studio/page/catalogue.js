// The catalogue of models: what is here, what can be downloaded and on which terms.

import * as api from "./api.js";
import { choose, offer } from "./models.js";
import { complain, tell } from "./notice.js";
import { element, make, state } from "./state.js";

const POLL = 300; // milliseconds
const HEADS = { detection: "vehicles", masks: "instance masks", drivable: "drivable area", lanes: "lane markings" };
const followed = new Set();

export function buildCatalogue() {
  element("models").addEventListener("click", () => {
    element("catalogue").showModal();
    refresh().catch(complain);
  });
}

async function refresh() {
  const models = await api.models();
  offer(models);
  element("entries").replaceChildren(...models.weights.map(entryOf));
  for (const { name, download } of models.weights) if (download?.state === "downloading") follow(name);
}

function entryOf(model) {
  const row = make("li", { id: `entry-${model.name}` },
    make("div", {}, make("h3", {}, model.name), make("p", {}, model.description), factsOf(model)),
    make("div", { className: "act" }));
  act(row, model);
  return row;
}

function factsOf({ variant, heads, names, size, licence, source, needs, here }) {
  const facts = [
    ["Sees", (heads ?? []).map((head) => HEADS[head] ?? head).join(", ")],
    ["Classes", (names ?? []).join(", ")],
    ["Network", [variant, size && megabytes(size)].filter(Boolean).join(", ")],
    ["From", source],
    ["Terms", licence],
    ["Needs", here ? "" : needs],
  ];
  return make("dl", {}, ...facts.filter(([, text]) => text).flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)]));
}

// What can be done with a model: use it, download it, or end its download.
function act(row, model) {
  const { name, here, download } = model;
  const place = row.querySelector(".act");
  row.querySelector(".failure")?.remove();
  const button = (text, doing, className = "") => make("button", { textContent: text, className, onclick: () => doing().catch(complain) });
  if (here) {
    const isUsed = state.choice.weights === name;
    place.replaceChildren(isUsed ? make("span", {}, "In use") : button("Use", async () => use(name)));
  } else if (download?.state === "downloading") {
    const bar = make("progress", { max: download.total, value: download.done });
    bar.setAttribute("aria-label", `Download of ${name}`);
    place.replaceChildren(bar, make("span", {}, `${megabytes(download.done, false)} of ${megabytes(download.total)}`),
      button("Cancel", async () => update(row, model, await api.cancelDownload(name))));
  } else if (model.can_download) {
    if (download?.state === "failed") row.append(make("p", { className: "failure" }, download.error));
    place.replaceChildren(button(`Download ${megabytes(model.size)}`, async () => {
      update(row, model, await api.download(name));
      follow(name);
    }));
  } else place.replaceChildren(make("code", {}, `yolopv2 models pull ${name}`));
}

function update(row, model, download) {
  const hadFocus = row.contains(document.activeElement);
  act(row, { ...model, download });
  if (hadFocus) row.querySelector("button")?.focus();
}

async function follow(name) {
  if (followed.has(name)) return;
  followed.add(name);
  try {
    let work;
    do {
      await new Promise((resolve) => setTimeout(resolve, POLL));
      work = await api.downloadProgress(name);
      const row = element(`entry-${name}`);
      const bar = row?.querySelector("progress");
      if (bar) {
        bar.value = work.done;
        bar.nextElementSibling.textContent = `${megabytes(work.done, false)} of ${megabytes(work.total)}`;
      }
    } while (work.state === "downloading");
    tell(work.state === "done" ? `${name} is here` : `${name} was not downloaded`);
    await refresh();
  } catch (error) {
    complain(error);
  } finally {
    followed.delete(name);
  }
}

function use(name) {
  element("catalogue").close();
  choose("", "weights", name);
}

const megabytes = (bytes, hasUnit = true) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)}${hasUnit ? " MB" : ""}`;
