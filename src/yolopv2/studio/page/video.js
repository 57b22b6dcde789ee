// Videos: progress of the work on them, and going through their frames.

import * as api from "./api.js";
import { lookChanged } from "./items.js";
import { unpack } from "./maps.js";
import { busy, complain, idle, tell } from "./notice.js";
import { drawPlots, frameAt, frameCount } from "./plots.js";
import { changed, element, on, state } from "./state.js";

const POLL = 300; // milliseconds
const MOST_FRAMES = 48; // decoded frames kept for quick steps back and forth
const RUNNING = ["waiting", "rendering", "looking"];
const WORDS = { waiting: "Waiting for its turn", rendering: "Rendering the drive", looking: "Looking", cancelled: "Cancelled after" };

const current = () => (state.item?.kind === "video" ? state.item : null);

// Follows the work on a video until it ends.
async function follow(item) {
  if (item.followed) return;
  item.followed = true;
  try {
    do {
      const { curves, ...facts } = await api.videoProgress(item.id, item.curves.length);
      const isFirst = !item.curves.length && curves.length;
      Object.assign(item, facts);
      item.curves.push(...curves);
      if (isFirst) {
        idle();
        await seek(item, 0);
      } else if (!item.curves.length && !item.bitmap && current() === item) busy(`${WORDS[item.state] ?? "Looking"} …`);
      if (current() === item) drawTimeline(item);
      if (!curves.length || RUNNING.includes(item.state)) await new Promise((resolve) => setTimeout(resolve, POLL));
    } while (RUNNING.includes(item.state) || item.curves.length < item.done);
    if (item.state === "failed") throw new Error(`${item.name}: ${item.error}`);
    if (current() === item) tell(`${item.name}: ${item.done} frames were looked at`);
  } catch (error) {
    complain(error);
  } finally {
    idle();
    item.followed = false;
  }
}

async function load(item, index) {
  if (!item.frames.has(index)) {
    item.frames.set(index, api.videoFrame(item.id, index).then(unpack));
    item.frames.get(index).catch(() => item.frames.delete(index));
    if (item.frames.size > MOST_FRAMES) item.frames.delete(item.frames.keys().next().value);
  }
  return item.frames.get(index);
}

// Shows a frame; of several wishes at once the last is granted.
export async function seek(item, index) {
  index = Math.min(Math.max(index, 0), item.curves.length - 1);
  if (index < 0) return;
  item.wanted = index;
  const { bitmap, look } = await load(item, index);
  if (item.wanted !== index) return;
  item.index = index;
  lookChanged(item, bitmap, look);
}

export function step(by) {
  const item = current();
  if (!item) return false;
  pause(item);
  seek(item, (item.wanted ?? item.index) + by).catch(complain);
  return true;
}

export function togglePlay() {
  const item = current();
  if (!item) return false;
  if (item.playing) pause(item);
  else play(item).catch(complain);
  return true;
}

// At the video's own rate; where looking or drawing is slower, frames are passed over.
async function play(item) {
  if (item.index >= item.curves.length - 1) await seek(item, 0);
  item.playing = true;
  drawTimeline(item);
  const [began, from] = [performance.now(), item.index];
  while (item.playing && current() === item) {
    const now = from + Math.floor(((performance.now() - began) / 1000) * item.fps);
    if (now !== item.index) await seek(item, now);
    load(item, Math.min(item.index + 1, item.curves.length - 1)).catch(() => {});
    if (item.index >= item.curves.length - 1) break;
    await new Promise(requestAnimationFrame);
  }
  pause(item);
}

function pause(item) {
  item.playing = false;
  if (current() === item) drawTimeline(item);
}

// Another model looks at the whole video.
async function lookAnew() {
  const item = current();
  if (!item) return;
  pause(item);
  try {
    const { curves, ...facts } = await api.videoLook(item.id, state.choice);
    Object.assign(item, facts, { choice: { ...state.choice }, curves, frames: new Map(), plotted: {}, written: null });
    follow(item);
  } catch (error) {
    complain(error);
    changed("refused");
  }
}

function drawTimeline(item) {
  const isRunning = RUNNING.includes(item.state);
  const count = frameCount(item);
  drawPlots(element("plots"), item);
  Object.assign(element("seek"), { max: Math.max(item.curves.length - 1, 0), value: item.index });
  element("seek").setAttribute("aria-valuetext", `Frame ${item.index + 1} of ${count}`);
  element("clock").textContent = `Frame ${item.index + 1} of ${count} · ${(item.look?.time ?? item.index / item.fps).toFixed(2)} s`;
  element("play").textContent = item.playing ? "❚❚" : "▶";
  element("play").setAttribute("aria-label", item.playing ? "Pause" : "Play");
  element("play").setAttribute("aria-pressed", String(Boolean(item.playing)));
  const progress = element("progress");
  progress.hidden = !isRunning;
  progress.setAttribute("aria-valuemax", item.total ?? 0);
  progress.setAttribute("aria-valuenow", item.done);
  progress.firstElementChild.style.width = `${item.total ? (100 * item.done) / item.total : 0}%`;
  const word = WORDS[item.state];
  element("progress-text").textContent = word ? `${word} ${item.done}${item.total ? ` of ${item.total}` : ""}` : "";
  element("cancel").hidden = !isRunning;
}

export function buildTimeline() {
  element("previous").addEventListener("click", () => step(-1));
  element("next").addEventListener("click", () => step(1));
  element("play").addEventListener("click", togglePlay);
  element("cancel").addEventListener("click", () => api.videoCancel(current().id).catch(complain));
  element("seek").addEventListener("input", (event) => step(Number(event.target.value) - (current().wanted ?? 0)));
  const plots = element("plots");
  const seekTo = (event) => {
    if (!event.buttons && event.type === "pointermove") return;
    pause(current());
    seek(current(), frameAt(event.offsetX, plots.clientWidth, current())).catch(complain);
  };
  plots.addEventListener("pointerdown", seekTo);
  plots.addEventListener("pointermove", seekTo);
  new ResizeObserver(() => current() && drawTimeline(current())).observe(plots);
}

on("item", () => {
  const item = current();
  element("timeline").hidden = !item;
  if (!item) return;
  drawTimeline(item);
  follow(item);
});
on("seen theme", () => current() && drawTimeline(current()));
on("choice", lookAnew);
