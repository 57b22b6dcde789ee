// Pictures and maps from what the studio sent, and masks as pictures.

import { eachPixel, panoptic, vehicleMask } from "./decide.js";

// Decodes the parts of an answer: {bitmap, look}; bitmap is null where no picture came.
export async function unpack(answer) {
  const { picture, drivable, lanes, ...facts } = answer;
  const [bitmap, drivableMap, lanesMap] = await Promise.all([
    picture ? createImageBitmap(picture) : null,
    readMap(drivable),
    readMap(lanes),
  ]);
  return { bitmap, look: { ...facts, drivable: drivableMap, lanes: lanesMap } };
}

// A grey PNG as {width, height, pixels}.
async function readMap(blob) {
  if (!blob) return null;
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const pixels = new Uint8Array(width * height);
  for (let i = 0; i < pixels.length; i++) pixels[i] = data[4 * i];
  return { width, height, pixels };
}

// A mask in one colour, as a canvas to be drawn over the picture; canvases are used again.
export function maskCanvas(mask, [red, green, blue], canvas) {
  return paint(canvas, mask.width, mask.height, (words) => {
    const word = rgba(red, green, blue);
    for (let i = 0; i < words.length; i++) words[i] = mask.on[i] ? word : 0;
  });
}

// The instance masks, each in its vehicle's colour, the most confident on top.
export function instanceCanvas(look, seen, size, colourOf, canvas) {
  return paint(canvas, ...size, (words) => {
    words.fill(0);
    for (let number = seen.vehicles.length - 1; number >= 0; number--) {
      const mask = vehicleMask(look, seen.vehicles[number]);
      const word = rgba(...colourOf(number));
      if (mask) eachPixel(look, seen.vehicles[number], mask, ...size, (i) => (words[i] = word));
    }
  });
}

// The panoptic map: a colour per segment, dark between neighbours.
export function panopticCanvas(look, seen, palette, colourOf, canvas) {
  const { width, height, ids } = panoptic(look, seen);
  const table = [0, ...seen.vehicles.map((_, number) => rgba(...colourOf(number))), rgba(...palette.drivable), rgba(...palette.lanes)];
  const dark = rgba(0, 0, 0);
  return paint(canvas, width, height, (words) => {
    for (let i = 0; i < ids.length; i++) {
      const borders = (i % width && ids[i] !== ids[i - 1]) || (i >= width && ids[i] !== ids[i - width]);
      words[i] = borders ? dark : table[ids[i]];
    }
  });
}

function paint(canvas, width, height, fill) {
  if (canvas?.width !== width || canvas.height !== height) canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  fill(new Uint32Array(image.data.buffer));
  context.putImageData(image, 0, 0);
  return canvas;
}

const isLittleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

const rgba = (red, green, blue) =>
  (isLittleEndian ? (255 << 24) | (blue << 16) | (green << 8) | red : (red << 24) | (green << 16) | (blue << 8) | 255) >>> 0;
