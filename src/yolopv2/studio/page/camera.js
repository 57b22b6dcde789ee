// The camera: the next frame is sent when the one before is answered, so what is shown is always the newest.

import * as api from "./api.js";
import { lookChanged, show } from "./items.js";
import { unpack } from "./maps.js";
import { complain, tell } from "./notice.js";
import { on, state } from "./state.js";

const WIDE = 1280;
const REASONS = {
  NotAllowedError: "The browser was not allowed to use the camera: allow it in the address bar, then try again.",
  NotFoundError: "No camera was found: connect one, or open a picture or video instead.",
  NotReadableError: "The camera is used by another program: close that, then try again.",
};

let stop = null;

export async function openCamera() {
  stop?.();
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: WIDE }, facingMode: "environment" } });
  } catch (error) {
    complain(new Error(REASONS[error.name] ?? "The camera cannot be used here: the page must be opened as localhost or over https."));
    return;
  }
  const video = Object.assign(document.createElement("video"), { srcObject: stream, muted: true, playsInline: true });
  const item = { kind: "camera", name: "Camera", choice: null };
  stop = () => {
    stream.getTracks().forEach((track) => track.stop());
    stop = null;
  };
  try {
    await video.play();
    tell("The camera is on");
    await run(video, item);
  } catch (error) {
    complain(error);
  } finally {
    stop?.();
  }
}

async function run(video, item) {
  let isFirst = true;
  while (stop && (isFirst || state.item === item)) {
    const scale = Math.min(1, WIDE / video.videoWidth);
    const canvas = new OffscreenCanvas(Math.round(video.videoWidth * scale), Math.round(video.videoHeight * scale));
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    const choice = { ...state.choice };
    const [answer, bitmap] = await Promise.all([
      canvas.convertToBlob({ type: "image/jpeg", quality: 0.9 }).then((jpeg) => api.lookLive(jpeg, choice)),
      createImageBitmap(canvas),
    ]);
    const { look } = await unpack(answer);
    Object.assign(item, { bitmap, look, choice, engine: look.engine });
    if (isFirst) show(item);
    else lookChanged(item, bitmap, look);
    isFirst = false;
    await new Promise(requestAnimationFrame);
  }
}

on("item", () => {
  if (stop && state.item && state.item.kind !== "camera") stop();
  if (!state.item) stop?.();
});
