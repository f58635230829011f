// The cells of the grid, made anew for each message: panels and strips of channel weights, and the words around them.

import { gradient, scaleTable } from "../shared/colours.js";
import { element } from "../shared/elements.js";

// All cells of a header -> {cells, panels, strips, rowKeys}; `onStructure` is told the structure pointed at, or null.
export function makeCells(header, onStructure) {
  const made = { cells: [], panels: [], strips: [], rowKeys: [] };
  if (header.layout === "focus") fillFocus(made, header, onStructure);
  else fillTable(made, header, onStructure);
  return made;
}

// Rows and columns with their names.
function fillTable(made, header, onStructure) {
  made.cells.push(element("div", "head first", "slice"));
  for (const { title, detail } of header.columns) {
    const head = element("div", "head", title);
    head.title = detail;
    made.cells.push(head);
  }
  header.rows.forEach((row, index) => {
    made.cells.push(firstCell(made, header, index));
    for (const cell of row.cells) made.cells.push(makeCell(made, cell, index, row));
    if (index === 0) made.cells.push(legend(header, onStructure));
  });
}

// The panels of the one row, the first of them large, each below its name; the slice comes after the labels.
function fillFocus(made, header, onStructure) {
  const { columns, rows: [row] } = header;
  made.cells = row.cells.map((cell, index) => {
    const place = makeCell(made, cell, 0, row);
    place.prepend(element("div", "name", columns[index].title));
    place.title = columns[index].detail;
    return place;
  });
  const slice = firstCell(made, header, 0);
  slice.prepend(element("div", "name", row.reference ? "labels of the scan" : "slice"));
  made.cells.splice(row.cells.findIndex(({ kind }) => kind === "labels") + 1, 0, slice);
  made.cells.push(legend(header, onStructure));
}

function firstCell(made, header, index) {
  const row = header.rows[index];
  const slice = { kind: "slice", alt: header.slice.alt, caption: "slice" };
  const cell = row.reference ?? (index === 0 ? slice : null);
  const place = cell ? makeCell(made, cell, index, row) : rowHead(made, row, index, header.columns);
  place.classList.add("first");
  return place;
}

function makeCell(made, cell, index, row) {
  const place = element("div", `cell ${cell.kind}`);
  const caption = element("div", "caption", cell.caption);
  if (cell.kind === "none") {
    const hollow = element("div", "hollow", cell.note);
    place.append(hollow, caption);
    if (cell.channels) hollow.append(makeStrip(made, cell, row, caption));
    return place;
  }
  const canvas = element("canvas", "map");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", cell.alt);
  place.append(canvas, caption);
  if (cell.flat) place.append(element("div", "flat", cell.flat));
  made.panels.push({ canvas, cell, caption, row: index });
  if (cell.kind === "gate") {
    const weights = element("div", "caption", cell.channels ? cell.weights : cell.note);
    place.append(cell.channels ? makeStrip(made, cell, row, weights) : element("div", "strip"), weights);
  } else if (cell.kind === "activation") {
    const key = element("div", "strip scale");
    key.innerHTML = `<span>0</span><i></i><span>${Number(cell.span[1].toPrecision(3))}</span>`;
    place.append(key);
  }
  return place;
}

function makeStrip(made, cell, row, caption) {
  const canvas = element("canvas", "strip");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", cell.kind === "none" ? cell.alt : `${row.title}: ${cell.weights}`);
  made.strips.push({ canvas, cell, caption, order: cell.channels.map((_, channel) => channel), picked: -1 });
  return canvas;
}

// The structures; pointing at one shows it alone. Those that do not occur are faint, so that nothing below moves.
function legend({ structures, occurring }, onStructure) {
  const place = element("div", "legend");
  structures.forEach(({ name, colour }, number) => {
    if (number === 0) return;
    const entry = element("button", "", name);
    entry.disabled = !occurring.includes(number);
    entry.type = "button";
    entry.style.setProperty("--colour", colour);
    entry.onpointerenter = entry.onfocus = () => onStructure(number);
    entry.onpointerleave = entry.onblur = () => onStructure(null);
    place.append(entry);
  });
  return place;
}

// A block's name, and its mean gates side by side: read down the rows they are a profile through the networks.
function rowHead(made, row, index, columns) {
  const place = element("div", "row");
  place.append(element("strong", "", row.title), element("span", "detail", row.detail));
  if (row.cells.some(({ kind }) => kind === "gate")) {
    const key = element("div", "stretched");
    key.innerHTML = "<span></span><i></i><span></span>";
    made.rowKeys.push({ key, row: index });
    place.append(key);
  }
  for (const [title, mean] of MEANS) {
    const list = element("div", "means");
    row.cells.forEach((cell, column) => {
      const value = mean(cell);
      if (typeof value !== "number") return;
      const bar = element("i");
      bar.style.setProperty("--value", value);
      list.append(element("span", "", columns[column].title), bar, element("span", "", value.toFixed(2)));
    });
    if (list.children.length) place.append(element("span", "detail", title), list);
  }
  return place;
}

const MEANS = [
  ["mean gate", ({ kind, mean }) => kind === "gate" && mean],
  ["mean channel weight", ({ channels }) => channels && channels.reduce((sum, weight) => sum + weight, 0) / channels.length],
];

// The colour scale of a kind of map and what its ends mean.
export function kindKey({ title, scale, low, high }) {
  const key = element("figure", "");
  const bar = element("i");
  bar.style.background = gradient(scaleTable(scale));
  key.append(element("figcaption", "", title), element("span", "", low), bar, element("span", "", high));
  return key;
}
