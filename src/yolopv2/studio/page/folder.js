// Files of folders: picked, or dropped; with their paths below what was given.

import { tell } from "./notice.js";
import { state } from "./state.js";

const byName = new Intl.Collator("en", { numeric: true }); // 9.jpg before 10.jpg, as the library reads them

// Of a picked folder: {name, files: [{file, path}], isFolder}.
export function pickedFolder(list) {
  const files = [...list].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
  return bundle(files, true);
}

// Of what was dropped: as above, or null where nothing of it is a folder. Entries must be asked for at once, before waiting.
export async function droppedFolder(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return null;
  const files = [];
  for (const entry of entries) await walk(entry, files);
  return bundle(files, true);
}

// Of several files that lie in no folder that is known.
export const looseFiles = (list) => bundle([...list].map((file) => ({ file, path: file.name })), false);

async function walk(entry, files) {
  if (files.length > state.limits.files || entry.name.startsWith(".")) return;
  if (entry.isFile) {
    if (isMedia(entry.name)) files.push({ file: await new Promise((done, fail) => entry.file(done, fail)), path: entry.fullPath.replace(/^\//, "") });
    return;
  }
  const reader = entry.createReader();
  for (;;) { // comes in parts
    const part = await new Promise((done, fail) => reader.readEntries(done, fail));
    if (!part.length) return;
    for (const child of part) await walk(child, files);
  }
}

function bundle(files, isFolder) {
  const seen = isFolder ? files.filter(({ path }) => isMedia(path) && !/(^|\/)\./.test(path)) : files;
  if (!seen.length) throw new Error("There is no picture and no video in this folder.");
  seen.sort((a, b) => byName.compare(a.path, b.path));
  if (seen.length > state.limits.files) tell(`Of ${seen.length} files the first ${state.limits.files} are looked at`);
  const roots = new Set(seen.map(({ path }) => path.split("/")[0]));
  const name = isFolder && roots.size === 1 ? [...roots][0] : `${seen.length} files`;
  return { name, files: seen.slice(0, state.limits.files), roots: isFolder ? [...roots] : null };
}

const isMedia = (name) => state.limits.suffixes.includes(name.split(".").at(-1).toLowerCase());
