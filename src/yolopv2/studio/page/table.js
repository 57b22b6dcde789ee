// The table of a batch: a row for each file, sorted by any column; one row has the focus, arrows move it.

import { element, make, percent } from "./state.js";

const COLUMNS = [
  { name: "name", title: "File", text: (row) => row.name, isText: true },
  { name: "vehicles", title: "Vehicles", text: (row) => (Number.isInteger(row.vehicles) ? String(row.vehicles) : row.vehicles.toFixed(1)) },
  { name: "drivable", title: "Drivable", text: (row) => percent(row.drivable) },
  { name: "lanes", title: "Lanes", text: (row) => percent(row.lanes, 2) },
  { name: "milliseconds", title: "ms", text: (row) => row.milliseconds.toFixed(row.milliseconds < 10 ? 1 : 0) },
];
const MOST_SHOWN = 500; // rows at first, and more each time they are asked for
const byName = new Intl.Collator("en", { numeric: true });

export function buildTable() {
  element("batch-head").append(...COLUMNS.map(({ name, title, isText }) => {
    const button = make("button", { className: "quiet", id: `sort-${name}` }, title);
    const cell = make("th", { scope: "col", className: isText ? "text" : "" }, button);
    return cell;
  }));
  element("batch-rows").addEventListener("keydown", walk);
}

// All rows, in the order of the chosen column.
export function drawRows(item, open) {
  const rows = sorted(item);
  item.shown ??= MOST_SHOWN;
  element("batch-rows").replaceChildren(...rows.slice(0, item.shown).map((row) => rowOf(item, row, open)));
  showMore(item, open);
  COLUMNS.forEach(({ name }) => {
    const way = item.sort?.name === name ? (item.sort.isDown ? "descending" : "ascending") : "none";
    const button = element(`sort-${name}`);
    button.parentElement.setAttribute("aria-sort", way);
    button.onclick = () => sortBy(item, name, open);
  });
  makeReachable();
}

// The rest is a click away, so that ten thousand rows do not slow the page down.
function showMore(item, open) {
  const hidden = item.rows.size - item.shown;
  const button = element("batch-more");
  button.hidden = hidden <= 0;
  button.textContent = `Show ${Math.min(hidden, MOST_SHOWN)} more of ${hidden}`;
  button.onclick = () => {
    const first = item.shown;
    item.shown += MOST_SHOWN;
    drawRows(item, open);
    buttons()[first]?.focus();
  };
}

function sortBy(item, name, open) {
  const isSame = item.sort?.name === name;
  item.sort = { name, isDown: isSame ? !item.sort.isDown : name !== "name" }; // the largest numbers first
  drawRows(item, open);
}

function sorted(item) {
  const rows = [...item.rows.values()].sort((a, b) => a.number - b.number);
  if (!item.sort) return rows;
  const { name, isDown } = item.sort;
  const compare = name === "name" ? (a, b) => byName.compare(a.name, b.name) : (a, b) => a[name] - b[name];
  const known = rows.filter((row) => typeof row[name] === "string" || typeof row[name] === "number").sort(compare);
  if (isDown) known.reverse();
  return [...known, ...rows.filter((row) => !known.includes(row))]; // what has no number comes last
}

// One row, at its place where it is there already, else as the last.
export function updateRow(item, row, open) {
  const old = element(`file-${row.number}`);
  const hadFocus = old?.contains(document.activeElement);
  const made = rowOf(item, row, open);
  if (old) old.replaceWith(made);
  else if (element("batch-rows").children.length < item.shown) element("batch-rows").append(made);
  else return showMore(item, open);
  if (hadFocus) made.querySelector("button")?.focus();
  makeReachable();
}

function rowOf(item, row, open) {
  const made = make("tr", { id: `file-${row.number}` });
  const kind = row.kind === "video" ? ` video, ${row.frames} ${row.frames === 1 ? "frame" : "frames"}` : "";
  const button = make("button", { className: "file", title: row.name, tabIndex: -1, onclick: () => open(item, row) }, ...pathOf(row.name), make("small", {}, kind));
  made.append(make("th", { scope: "row" }, button));
  if (row.frames && row.state !== "looking") {
    made.append(...COLUMNS.slice(1).map(({ text }) => make("td", {}, text(row))));
    if (row.state !== "done") made.firstChild.append(make("small", { className: "failure" }, row.error || "cancelled"));
  } else {
    const words = row.state === "failed" ? row.error : `Looking${row.total > 1 ? ` ${row.done} of ${row.total}` : ""} …`;
    button.disabled = row.state === "failed";
    made.append(make("td", { colSpan: COLUMNS.length - 1, className: row.state === "failed" ? "failure" : "soft" }, words));
  }
  return made;
}

// The folder may be cut short where there is little room, the file's own name as little as can be.
function pathOf(path) {
  const at = path.lastIndexOf("/") + 1;
  return [...(at ? [make("span", { className: "folder" }, path.slice(0, at))] : []), make("span", {}, path.slice(at))];
}

const buttons = () => [...element("batch-rows").querySelectorAll("button.file:not(:disabled)")];

// One row can be tabbed to: the last that had the focus, or the first.
function makeReachable() {
  if (!element("batch-rows").querySelector('button.file[tabindex="0"]:not(:disabled)')) buttons()[0]?.setAttribute("tabindex", 0);
}

function walk(event) {
  const rows = buttons();
  const at = rows.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (at < 0 || !rows[to]) return;
  event.preventDefault();
  rows[at].tabIndex = -1;
  rows[to].tabIndex = 0;
  rows[to].focus();
}

export function focusRow(number) {
  const button = element(`file-${number}`)?.querySelector("button");
  if (!button) return;
  for (const other of buttons()) other.tabIndex = -1;
  button.tabIndex = 0;
  button.focus();
  button.scrollIntoView({ block: "center" });
}
