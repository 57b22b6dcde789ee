// What the page asks of the studio. Every error is an Error whose message is a sentence.

let session = "new";

export async function begin() {
  const facts = await (await ask("POST", "/api/session")).json();
  session = facts.session;
  return facts;
}

// On leaving, so that nothing of this page is kept.
export function end() {
  fetch("/api/session", { method: "DELETE", headers: { "X-Studio-Session": session }, keepalive: true }).catch(() => {});
}

export const models = async () => (await ask("GET", "/api/models")).json();

const downloadPath = (name) => `/api/models/${encodeURIComponent(name)}/download`;

export const download = async (name) => (await ask("POST", downloadPath(name))).json();

export const downloadProgress = async (name) => (await ask("GET", downloadPath(name))).json();

export const cancelDownload = async (name) => (await ask("DELETE", downloadPath(name))).json();

export const openFile = (file, choice, signal) =>
  parts("POST", "/api/sources", { ...choice, name: encodeURIComponent(file.name || "pasted.png") }, file, signal);

export const openUrl = (url, choice, signal) => parts("POST", "/api/sources", choice, { url }, signal);

export const openGenerated = (generated, choice, signal) => parts("POST", "/api/sources", choice, { generated }, signal);

export const lookAgain = (item, choice) =>
  item.kind === "video"
    ? parts("POST", `/api/videos/${item.id}/frames/${item.index}/look`, choice)
    : parts("POST", `/api/pictures/${item.id}/look`, choice);

export const lookLive = (jpeg, choice) => parts("POST", "/api/live", choice, jpeg);

export const scene = async (item, choice, sliders) =>
  item.kind === "video"
    ? (await ask("POST", `/api/videos/${item.id}/frames/${item.index}/scene`, {}, sliders)).json()
    : (await ask("POST", `/api/pictures/${item.id}/scene`, choice, sliders)).json();

export const videoProgress = async (id, since) => (await ask("GET", `/api/videos/${id}`, { since })).json();

export const videoFrame = (id, index) => parts("GET", `/api/videos/${id}/frames/${index}`);

export const videoLook = async (id, choice) => (await ask("POST", `/api/videos/${id}/look`, choice)).json();

export const videoCancel = async (id) => (await ask("POST", `/api/videos/${id}/cancel`)).json();

export const videoExport = async (id, sliders, layers) =>
  (await ask("POST", `/api/videos/${id}/export`, {}, { sliders, layers })).json();

export const videoFile = async (id, name) => (await ask("GET", `/api/videos/${id}/${name}`)).blob();

const batchPath = (id, what = "") => `/api/batches/${id}${what}`;

export const batchBegin = async (choice, sliders) => (await ask("POST", "/api/batches", choice, sliders)).json();

export const batchAdd = async (id, number, file, path) => (await ask("POST", batchPath(id, `/files/${number}`), { name: encodeURIComponent(path) }, file)).json();

export const batchRow = async (id, number) => (await ask("GET", batchPath(id, `/files/${number}`))).json();

export const batchRows = async (id, sliders) => (await ask("POST", batchPath(id, "/rows"), {}, sliders)).json();

export const batchCancel = (id) => ask("POST", batchPath(id, "/cancel"));

export const batchEnd = (id) => ask("DELETE", batchPath(id));

export const batchArchive = async (id, sliders, layers, drawn) =>
  (await ask("POST", batchPath(id, "/archive"), {}, { sliders, layers, drawn })).json();

export const workflowTasks = async () => (await ask("GET", "/api/workflow/tasks")).json();

export const workflowCheck = async (file) => (await ask("POST", "/api/workflow/check", {}, file)).json();

const runPath = (id, what = "") => `/api/workflow/runs/${id}${what}`;

export const workflowRun = async (asked) => (await ask("POST", "/api/workflow/runs", {}, asked)).json();

export const workflowProgress = async (id) => (await ask("GET", runPath(id))).json();

export const workflowCancel = (id) => ask("POST", runPath(id, "/cancel"));

export const workflowPicture = async (id, task) => (await ask("GET", runPath(id, `/tasks/${task}.jpg`))).blob();

export const workflowFiles = async (id, task) => (await ask("POST", runPath(id, `/tasks/${task}/files`))).json();

// An answer in parts: its facts, and its picture and maps as blobs.
async function parts(method, path, query, body, signal) {
  const form = await (await ask(method, path, query, body, signal)).formData();
  const { facts, ...blobs } = Object.fromEntries(form);
  return { ...JSON.parse(typeof facts === "string" ? facts : await facts.text()), ...blobs };
}

async function ask(method, path, query = {}, body = undefined, signal = undefined) {
  const headers = { "X-Studio-Session": session };
  const isFile = body instanceof Blob;
  if (body !== undefined) headers["Content-Type"] = isFile ? "application/octet-stream" : "application/json";
  const address = `${path}?${new URLSearchParams(query)}`;
  let answer;
  try {
    answer = await fetch(address, { method, headers, body: isFile || body === undefined ? body : JSON.stringify(body), signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The studio does not answer: is it still running in its terminal?");
  }
  if (answer.ok) return answer;
  const { error } = await answer.json().catch(() => ({}));
  throw new Error(error || `The studio answered with ${answer.status}.`);
}
