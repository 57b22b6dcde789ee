// A pane: one picture with its layers on a canvas, drawn at the screen's own resolution. Panes share one viewport.

import { counterparts, decide, decidedSize } from "./decide.js";
import { instanceCanvas, maskCanvas, panopticCanvas } from "./maps.js";
import { colour, state, vehicleColour } from "./state.js";

const MOST_ZOOM = 24;

// Where the picture lies: zoom over fitting, and the picture's point (0..1) in the middle of the pane.
export const viewport = { zoom: 1, x: 0.5, y: 0.5 };

export function fit() {
  Object.assign(viewport, { zoom: 1, x: 0.5, y: 0.5 });
}

export class Pane {
  // Vehicles that another pane shows too have its colours here.
  constructor(canvas, redraw, other = null) {
    this.canvas = canvas;
    this.other = other;
    this.context = canvas.getContext("2d");
    this.redraw = redraw;
    this.clear();
  }

  clear() {
    this.bitmap = this.look = this.seen = this.before = null;
    this.painted = {};
  }

  // Another picture or look; keeps the picture when only the look is new.
  show(bitmap, look) {
    this.bitmap = bitmap;
    this.look = look;
    this.decide();
  }

  decide() {
    if (this.seen) this.before = { vehicles: this.seen.vehicles, numbers: this.numbers };
    this.seen = this.look && decide(this.look, state.sliders);
    this.stale = new Set(["drivable", "lanes", "masks", "panoptic"]);
    this.numbers = this.seen && this.colourNumbers();
    this.redraw();
  }

  // What counts off each vehicle's colour: its own number, or that of its counterpart in the other pane, or in the
  // frame before of what moves, where the order of the vehicles changes and colours by it would flicker.
  colourNumbers() {
    const { vehicles } = this.seen;
    const moves = ["video", "camera"].includes(state.item?.kind);
    const known = this.other?.seen ? { vehicles: this.other.seen.vehicles, numbers: this.other.numbers } : moves && this.before;
    if (!known) return [...vehicles.keys()];
    const taken = new Set(known.numbers);
    let following = 0;
    return counterparts(vehicles, known.vehicles).map((place) => {
      if (place !== null) return known.numbers[place];
      while (taken.has(following)) following++;
      taken.add(following);
      return following;
    });
  }

  colourOf = (number) => vehicleColour(this.look.masks ? this.numbers[number] : this.seen.vehicles[number].classId);

  // Where the picture lies on the canvas, in CSS pixels: {scale, left, top}.
  placement() {
    const { clientWidth, clientHeight } = this.canvas;
    const scale = Math.min(clientWidth / this.bitmap.width, clientHeight / this.bitmap.height) * viewport.zoom;
    return {
      scale,
      left: clientWidth / 2 - viewport.x * this.bitmap.width * scale,
      top: clientHeight / 2 - viewport.y * this.bitmap.height * scale,
    };
  }

  draw() {
    const { canvas, context } = this;
    const density = Math.min(window.devicePixelRatio || 1, 3);
    const [width, height] = [Math.round(canvas.clientWidth * density), Math.round(canvas.clientHeight * density)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    if (!this.bitmap) return;
    const place = this.placement();
    context.setTransform(density, 0, 0, density, 0, 0);
    context.imageSmoothingEnabled = place.scale < 4;
    this.drawPicture(this.bitmap, place);
    if (!this.seen) return;
    context.save();
    if (state.split !== null) {
      context.beginPath();
      context.rect(state.split * canvas.clientWidth, 0, canvas.clientWidth, canvas.clientHeight);
      context.clip();
    }
    this.drawLayers(place);
    context.restore();
  }

  // The picture with its layers at its own size, as a PNG.
  async toPng() {
    const { width, height } = this.bitmap;
    const picture = new OffscreenCanvas(width, height);
    const shown = this.context;
    this.context = picture.getContext("2d");
    this.drawPicture(this.bitmap, { scale: 1, left: 0, top: 0 });
    this.drawLayers({ scale: 1, left: 0, top: 0 }, Math.max(1, Math.sqrt((width * height) / (1280 * 720))));
    this.context = shown;
    return picture.convertToBlob({ type: "image/png" });
  }

  drawPicture(image, { scale, left, top }) {
    this.context.drawImage(image, left, top, this.bitmap.width * scale, this.bitmap.height * scale);
  }

  drawLayers(place, unit = 1) {
    for (const layer of state.layers.panoptic ? ["panoptic"] : ["drivable", "lanes", "masks"]) {
      const painted = state.layers[layer] && this.paint(layer);
      if (!painted) continue;
      this.context.globalAlpha = state.opacity[layer];
      this.drawPicture(painted, place);
    }
    this.context.globalAlpha = state.opacity.vehicles;
    if (state.layers.vehicles) this.drawBoxes(place, unit);
    this.context.globalAlpha = 1;
  }

  // The canvas of a layer, painted anew where what is seen has changed.
  paint(layer) {
    if (!this.stale.has(layer)) return this.painted[layer];
    const { look, seen } = this;
    const old = this.painted[layer];
    const size = decidedSize(look.width, look.height);
    const painters = {
      drivable: () => seen.drivable && maskCanvas(seen.drivable, state.palette.drivable, old),
      lanes: () => seen.lanes && maskCanvas(seen.lanes, state.palette.lanes, old),
      masks: () => look.masks && instanceCanvas(look, seen, size, this.colourOf, old),
      panoptic: () => panopticCanvas(look, seen, state.palette, (number) => vehicleColour(this.numbers[number]), old),
    };
    this.painted[layer] = painters[layer]();
    this.stale.delete(layer);
    return this.painted[layer];
  }

  drawBoxes({ scale, left, top }, unit) {
    const { context } = this;
    const factor = (this.bitmap.width / this.look.width) * scale;
    const several = Object.keys(this.look.names).length > 1;
    for (let number = this.seen.vehicles.length - 1; number >= 0; number--) {
      const vehicle = this.seen.vehicles[number];
      const isOn = number === state.highlighted;
      const box = [left + vehicle.x1 * factor, top + vehicle.y1 * factor, (vehicle.x2 - vehicle.x1) * factor, (vehicle.y2 - vehicle.y1) * factor];
      const thickness = (isOn ? 3.5 : 2) * unit;
      context.lineJoin = "round";
      context.strokeStyle = "rgb(0 0 0 / 0.65)";
      context.lineWidth = thickness + 2 * unit;
      context.strokeRect(...box);
      context.strokeStyle = isOn ? "#fff" : colour(this.colourOf(number));
      context.lineWidth = thickness;
      context.strokeRect(...box);
      if (isOn || box[2] > 44 * unit) this.drawTag(vehicle, number, box, unit, several);
    }
  }

  drawTag(vehicle, number, [x, y], unit, several) {
    const { context } = this;
    const shown = `${Math.round(100 * vehicle.confidence)} %`;
    const text = several ? `${vehicle.name} ${shown}` : shown;
    context.font = `600 ${11.5 * unit}px system-ui, sans-serif`;
    const [wide, high] = [context.measureText(text).width + 9 * unit, 17 * unit];
    const above = y - high - unit >= 0 ? y - high - unit : y + unit;
    const ground = this.colourOf(number);
    context.fillStyle = number === state.highlighted ? "#fff" : colour(ground);
    context.fillRect(x - unit, above, wide, high);
    context.fillStyle = luminance(ground) > 0.18 || number === state.highlighted ? "#000" : "#fff";
    context.textBaseline = "middle";
    context.fillText(text, x + 3.5 * unit, above + high / 2 + 0.5 * unit);
  }

  // The smallest vehicle at a point of the canvas, as its number, or null.
  vehicleAt(x, y) {
    if (!this.seen || !state.layers.vehicles) return null;
    const { scale, left, top } = this.placement();
    const factor = (this.bitmap.width / this.look.width) * scale;
    const [px, py] = [(x - left) / factor, (y - top) / factor];
    let best = null;
    this.seen.vehicles.forEach((vehicle, number) => {
      const isInside = px >= vehicle.x1 && px <= vehicle.x2 && py >= vehicle.y1 && py <= vehicle.y2;
      if (isInside && (best === null || size(vehicle) < size(this.seen.vehicles[best]))) best = number;
    });
    return best;
  }

  // Zooms around a point of the canvas, or around its middle.
  zoomBy(factor, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2) {
    if (!this.bitmap) return;
    const before = this.placement();
    const at = [(x - before.left) / before.scale, (y - before.top) / before.scale];
    viewport.zoom = Math.min(Math.max(viewport.zoom * factor, 1), MOST_ZOOM);
    const after = this.placement();
    this.moveBy(x - after.left - at[0] * after.scale, y - after.top - at[1] * after.scale);
  }

  moveBy(x, y) {
    if (!this.bitmap) return;
    const { scale } = this.placement();
    viewport.x = clamp(viewport.x - x / (this.bitmap.width * scale));
    viewport.y = clamp(viewport.y - y / (this.bitmap.height * scale));
    if (viewport.zoom === 1) fit();
    this.redraw();
  }
}

// The middle may wander only as far as the picture still fills the pane.
function clamp(value) {
  const margin = 0.5 / viewport.zoom;
  return Math.min(Math.max(value, margin), 1 - margin);
}

const size = ({ x1, y1, x2, y2 }) => (x2 - x1) * (y2 - y1);

function luminance(rgb) {
  const [red, green, blue] = rgb.map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
