// From what the network gave to what is seen, as yolopv2/inference/postprocess.py decides it. Pure functions.

const MOST_DETECTIONS = 300;
const MOST_PIXELS = 2.2e6; // maps are decided at the frame's size, or for larger frames at about 1080p
const f = Math.fround; // the library computes in float32, and so must this

// look: {candidates: [[x1, y1, x2, y2, confidence, class]], names, masks, drivable, lanes (maps), width, height}
export function decide(look, sliders) {
  const rows = suppress(look.candidates, sliders.conf, sliders.iou);
  const vehicles = rows.map((row) => {
    const [x1, y1, x2, y2, confidence, classId] = look.candidates[row];
    return { row, x1, y1, x2, y2, confidence, classId, name: look.names[classId] ?? String(classId) };
  });
  return { vehicles, drivable: above(look, "drivable", sliders.drivable_conf), lanes: above(look, "lanes", sliders.lane_conf) };
}

// Greedy non-maximum suppression within classes. Candidates come sorted by confidence. Returns the rows that stay.
export function suppress(candidates, conf, iou, most = MOST_DETECTIONS) {
  const kept = [];
  const [least, limit] = [f(conf), f(iou)];
  for (let row = 0; row < candidates.length && kept.length < most; row++) {
    if (f(candidates[row][4]) < least) break;
    const isFree = kept.every((other) => candidates[other][5] !== candidates[row][5] || overlap(candidates[other], candidates[row]) <= limit);
    if (isFree) kept.push(row);
  }
  return kept;
}

// Intersection over union, rounded to float32 after each step.
export function overlap(a, b) {
  const width = Math.max(f(f(Math.min(a[2], b[2])) - f(Math.max(a[0], b[0]))), 0);
  const height = Math.max(f(f(Math.min(a[3], b[3])) - f(Math.max(a[1], b[1]))), 0);
  const shared = f(width * height);
  const union = f(f(area(a) + area(b)) - shared);
  return union > 0 ? f(shared / union) : 0;
}

const area = (box) => f(Math.max(f(f(box[2]) - f(box[0])), 0) * Math.max(f(f(box[3]) - f(box[1])), 0));

// Of each vehicle the one among others that it overlaps most, by half or more, as its number; each once, else null.
export function counterparts(vehicles, others) {
  const corners = ({ x1, y1, x2, y2 }) => [x1, y1, x2, y2];
  const free = new Set(others.keys());
  return vehicles.map((vehicle) => {
    let [best, most] = [null, 0.5];
    for (const number of free) {
      const shared = overlap(corners(vehicle), corners(others[number]));
      if (shared >= most) [best, most] = [number, shared];
    }
    free.delete(best);
    return best;
  });
}

// One map against its threshold: {width, height, on: Uint8Array of 0 and 1, share}, or null where the model has no such head.
function above(look, name, threshold) {
  const map = look[name];
  if (!map) return null;
  map.full ??= enlarge(map, ...decidedSize(look.width, look.height));
  const { pixels, width, height } = map.full;
  const on = new Uint8Array(pixels.length);
  const limit = threshold * 255;
  let count = 0;
  for (let i = 0; i < pixels.length; i++) count += on[i] = pixels[i] > limit ? 1 : 0;
  return { width, height, on, share: count / pixels.length };
}

export function decidedSize(width, height) {
  const factor = Math.min(1, Math.sqrt(MOST_PIXELS / (width * height)));
  return [Math.max(1, Math.round(width * factor)), Math.max(1, Math.round(height * factor))];
}

// Bilinear, with pixel centres aligned as OpenCV does it.
export function enlarge(map, width, height) {
  if (map.width === width && map.height === height) return map;
  const columns = taps(map.width, width);
  const rows = taps(map.height, height);
  const pixels = new Uint8Array(width * height);
  const lines = [new Float32Array(width), new Float32Array(width)];
  const held = [-1, -1]; // which source row each line holds
  const line = (row) => {
    const slot = row & 1;
    if (held[slot] !== row) {
      const start = row * map.width;
      for (let x = 0; x < width; x++) {
        const left = map.pixels[start + columns.first[x]];
        lines[slot][x] = left + (map.pixels[start + columns.second[x]] - left) * columns.weight[x];
      }
      held[slot] = row;
    }
    return lines[slot];
  };
  for (let y = 0, i = 0; y < height; y++) {
    const [above, below, weight] = [line(rows.first[y]), line(rows.second[y]), rows.weight[y]];
    for (let x = 0; x < width; x++, i++) pixels[i] = above[x] + (below[x] - above[x]) * weight + 0.5;
  }
  return { width, height, pixels };
}

function taps(source, target) {
  const [first, second, weight] = [new Int32Array(target), new Int32Array(target), new Float32Array(target)];
  for (let i = 0; i < target; i++) {
    const at = Math.min(Math.max(((i + 0.5) * source) / target - 0.5, 0), source - 1);
    first[i] = Math.floor(at);
    second[i] = Math.min(first[i] + 1, source - 1);
    weight[i] = at - first[i];
  }
  return { first, second, weight };
}

// COCO's compressed run lengths as {width, height, on}; see yolopv2/geometry/masks.py.
export function decodeRuns({ size: [height, width], counts }) {
  const runs = [];
  for (let i = 0; i < counts.length; ) {
    let [value, shift, code] = [0, 0, 0];
    do {
      code = counts.charCodeAt(i++) - 48;
      value += (code & 31) * 2 ** shift;
      shift += 5;
    } while (code & 32);
    if (code & 16) value -= 2 ** shift;
    runs.push(runs.length > 2 ? value + runs[runs.length - 2] : value);
  }
  const on = new Uint8Array(width * height);
  let at = 0;
  runs.forEach((run, number) => {
    if (number & 1) for (let k = at; k < at + run; k++) on[(k % height) * width + Math.floor(k / height)] = 1;
    at += run;
  });
  return { width, height, on };
}

// Everything in one map, as yolopv2/scene/panoptic.py paints it: 0 nothing, i + 1 vehicle i, then drivable, then lanes.
export function panoptic(look, seen) {
  const [width, height] = decidedSize(look.width, look.height);
  const ids = new Uint16Array(width * height);
  const count = seen.vehicles.length;
  [seen.drivable, seen.lanes].forEach((mask, k) => {
    if (mask) for (let i = 0; i < ids.length; i++) if (mask.on[i]) ids[i] = count + 1 + k;
  });
  for (let number = count - 1; number >= 0; number--) { // the most confident last, on top
    const mask = vehicleMask(look, seen.vehicles[number]);
    eachPixel(look, seen.vehicles[number], mask, width, height, (i) => (ids[i] = number + 1));
  }
  return { width, height, ids };
}

export function vehicleMask(look, vehicle) {
  if (!look.masks) return null;
  look.decodedMasks ??= new Map();
  if (!look.decodedMasks.has(vehicle.row)) look.decodedMasks.set(vehicle.row, decodeRuns(look.masks[vehicle.row]));
  return look.decodedMasks.get(vehicle.row);
}

// Visits the pixels of a vehicle on a raster of width x height: those of its mask, or of its box.
export function eachPixel(look, { x1, y1, x2, y2 }, mask, width, height, visit) {
  const [across, down] = [width / look.width, height / look.height];
  const within = mask ? [0, 0, width, height] : [x1 * across, y1 * down, x2 * across, y2 * down].map((edge) => Math.ceil(edge - 0.5));
  for (let y = Math.max(within[1], 0); y < Math.min(within[3], height); y++) {
    for (let x = Math.max(within[0], 0); x < Math.min(within[2], width); x++) {
      if (!mask || mask.on[Math.floor((y + 0.5) / down) * mask.width + Math.floor((x + 0.5) / across)]) visit(y * width + x);
    }
  }
}

// For the plots: from how often each value of a map occurs to the share above a threshold.
export function shareAbove(counts, threshold) {
  if (!counts) return null;
  let [total, over] = [0, 0];
  counts.forEach((count, value) => {
    total += count;
    if (value > threshold * 255) over += count;
  });
  return over / total;
}
