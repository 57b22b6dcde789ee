// Three curves along a video: vehicles, drivable share, lane share; drawn from what every frame's candidates and counts say.

import { shareAbove, suppress } from "./decide.js";
import { colour, percent, state } from "./state.js";

const ROWS = [
  { name: "vehicles", hue: "vehicles", show: (seen) => String(seen.vehicles.length) },
  { name: "drivable", hue: "drivable", show: (seen) => percent(seen.drivable?.share) },
  { name: "lane marking", hue: "lanes", show: (seen) => percent(seen.lanes?.share, 2) },
];
const LABEL = 92; // pixels left of the curves
const RIGHT = 8;

// Values per frame: [[vehicles...], [drivable...], [lanes...]]; what a slider does not concern is kept.
export function series(item) {
  const { conf, iou, drivable_conf: drivable, lane_conf: lane } = state.sliders;
  item.plotted ??= {};
  const row = (name, key, valueOf) => {
    if (item.plotted[name]?.key !== key) item.plotted[name] = { key, values: [] };
    const { values } = item.plotted[name];
    for (let index = values.length; index < item.curves.length; index++) values.push(valueOf(item.curves[index]));
    return values;
  };
  return [
    row("vehicles", `${conf} ${iou}`, (frame) => suppress(frame.candidates, conf, iou).length),
    row("drivable", `${drivable}`, (frame) => shareAbove(frame.drivable, drivable)),
    row("lanes", `${lane}`, (frame) => shareAbove(frame.lanes, lane)),
  ];
}

export function drawPlots(canvas, item) {
  const density = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = Math.round(width * density);
  canvas.height = Math.round(height * density);
  const context = canvas.getContext("2d");
  context.scale(density, density);
  const style = getComputedStyle(canvas);
  const ink = style.getPropertyValue("color");
  const high = height / ROWS.length;
  const values = series(item);
  const x = (index) => xOf(index, frameCount(item), width);
  ROWS.forEach((row, number) => drawRow(context, row, values[number], { top: number * high, high, width, x, ink }));
  context.fillStyle = ink;
  context.fillRect(x(item.index) - 0.75, 0, 1.5, height);
}

function drawRow(context, { name, hue, show }, values, { top, high, width, x, ink }) {
  const known = values.filter((value) => value !== null);
  const most = Math.max(...known, hue === "vehicles" ? 1 : 0.001);
  const y = (value) => top + high - 6 - (value / most) * (high - 12);
  context.fillStyle = ink;
  context.font = "12px system-ui, sans-serif";
  context.textBaseline = "middle";
  context.globalAlpha = 0.75;
  context.fillText(name, 0, top + high / 2 - 7);
  context.globalAlpha = 1;
  context.font = "600 13px system-ui, sans-serif";
  context.fillText(state.seen ? show(state.seen) : "–", 0, top + high / 2 + 8);
  context.globalAlpha = 0.18;
  context.fillRect(LABEL, top + high - 6, width - LABEL - RIGHT, 1);
  context.globalAlpha = 1;
  if (!known.length) return;
  context.beginPath();
  values.forEach((value, frame) => context.lineTo(x(frame), y(value)));
  context.strokeStyle = colour(state.palette[hue === "vehicles" ? "vehicles" : hue].flat().slice(0, 3));
  context.lineWidth = 1.75;
  context.lineJoin = "round";
  context.stroke();
  context.lineTo(x(values.length - 1), top + high - 6);
  context.lineTo(x(0), top + high - 6);
  context.fillStyle = context.strokeStyle;
  context.globalAlpha = 0.14;
  context.fill();
  context.globalAlpha = 1;
}

export const frameCount = (item) => Math.max(item.total ?? 0, item.curves.length, 1);

const xOf = (index, count, width) => LABEL + ((width - LABEL - RIGHT) * index) / Math.max(count - 1, 1);

export function frameAt(offset, width, item) {
  const at = Math.min(Math.max((offset - LABEL) / (width - LABEL - RIGHT), 0), 1);
  return Math.round(at * (frameCount(item) - 1));
}
