// Panels: ranges of gates, what is read under the crosshair, sliders, keys.

import assert from "node:assert/strict";
import { test } from "node:test";

import { intensity, windowed } from "../../../scse_viz/ui/components/panels/controls.js";
import { pressed } from "../../../scse_viz/ui/components/panels/pointer.js";
import { gateRange, keyWords, rangeWords } from "../../../scse_viz/ui/components/panels/ranges.js";
import { positionText, valueAt } from "../../../scse_viz/ui/components/panels/readings.js";

const gate = (low, high) => ({ kind: "gate", span: [low, high] });

test("the range is 0 to 1 unless it is stretched, and then holds every gate of the row and nothing else", () => {
  const row = [gate(0.1, 0.15), { kind: "activation", span: [0, 9] }, { kind: "none", span: null }, gate(0.12, 0.2)];
  assert.deepEqual(gateRange(row, "fixed"), [0, 1]);
  assert.deepEqual(gateRange(row, "block"), [0.1, 0.2]);
  assert.deepEqual(gateRange([row[1]], "block"), [0, 1]);
});

test("a row of flat gates is not stretched, else it would look as if it varied", () => {
  assert.deepEqual(gateRange([gate(0.998, 1)], "block"), [0, 1]);
});

test("the ends of a scale are named, with a third digit where two do not tell them apart", () => {
  assert.deepEqual(rangeWords([0, 1]), ["0", "1"]);
  assert.deepEqual(rangeWords([0.1, 0.2]), ["0.10", "0.20"]);
  assert.deepEqual(rangeWords([0.982, 0.9996]), ["0.982", "1.000"]);
});

test("the key names the range that all rows share, else says that each block has its own", () => {
  assert.deepEqual(keyWords([[0, 1], [0, 1]]), ["0", "1"]);
  assert.deepEqual(keyWords([[0.1, 0.2]]), ["0.10", "0.20"]);
  assert.deepEqual(keyWords([[0.1, 0.2], [0, 1]]), ["lowest of each block", "highest"]);
  assert.deepEqual(keyWords([]), ["0", "1"]);
});

const HEADER = {
  slice: { rows: 4, columns: 6, row_mm: 1, column_mm: 1 },
  structures: [{ name: "background" }, { name: "thalamus" }],
  kinds: { difference: { word: "difference" } },
  voxel: { origin: [0, 3, 9], row: [0, -1, 0], column: [1, 0, 0], affine: null },
};
const picture = { width: 3, height: 2, numbers: Uint8Array.of(0, 51, 102, 153, 204, 255) };

test("a gate is read from the pixel of its map, which may be larger than the slice's", () => {
  const cell = { kind: "gate", map_mm: [2, 2], span: [0.1, 0.2] };
  assert.equal(valueAt(cell, [5.9, 0.1], picture, HEADER), "gate 0.14");
  assert.equal(valueAt(cell, [5.9, 2.1], picture, HEADER), "gate 0.20");
});

test("beyond a map nothing is read, and a map that is not there reads as nothing", () => {
  const cell = { kind: "gate", map_mm: [1, 1], span: [0, 1] };
  assert.equal(valueAt(cell, [3.5, 0.5], picture, HEADER), null);
  assert.equal(valueAt(cell, [0.5, 2.5], picture, HEADER), null);
  assert.equal(valueAt(cell, [0.5, 0.5], undefined, HEADER), null);
});

test("labels are read by name, differences with their sign, shares by their words", () => {
  const labels = { width: 6, height: 4, numbers: new Uint8Array(24).fill(1) };
  assert.equal(valueAt({ kind: "labels" }, [1, 1], labels, HEADER), "thalamus");
  assert.equal(valueAt({ kind: "labels" }, [1, 1], { ...labels, numbers: labels.numbers.fill(7) }, HEADER), "class 7");
  const difference = { kind: "difference", map_mm: [2, 2], span: [-1, 1] };
  assert.equal(valueAt(difference, [5, 3], picture, HEADER), "difference +1.00");
  assert.equal(valueAt(difference, [1, 1], picture, HEADER), "difference -1.00");
  const share = { kind: "share", map_mm: [2, 2], readings: { 255: "1 of 2 differ" } };
  assert.equal(valueAt(share, [5, 3], picture, HEADER), "1 of 2 differ");
  assert.equal(valueAt(share, [3, 3], picture, HEADER), null);
});

test("the crosshair names its voxel, and its place in mm where the file says where that is", () => {
  assert.equal(positionText([2.5, 1.5], HEADER), "voxel (2, 2, 9)");
  const affine = [[-1, 0, 0, 90], [0, 1, 0, -126], [0, 0, 1, -72], [0, 0, 0, 1]];
  const oriented = { ...HEADER, voxel: { ...HEADER.voxel, affine } };
  assert.equal(positionText([2.5, 1.5], oriented), "voxel (2, 2, 9) · mm (88.0, -124.0, -63.0)");
});

test("black stays below white: the one that is not moved gives way", () => {
  const display = { black: 10, white: 20 };
  assert.deepEqual(windowed(display, "black", 30), { black: 30, white: 31 });
  assert.deepEqual(windowed(display, "white", 5), { black: 4, white: 5 });
  assert.deepEqual(windowed(display, "opacity", 5), { ...display, opacity: 5 });
  assert.deepEqual(display, { black: 10, white: 20 });
  assert.equal(intensity({ low: 0, high: 1234 }, 50), 617);
});

function press(key, modifiers = {}) {
  const done = [];
  const note = (name) => (...how) => done.push([name, ...how]);
  const view = { grid: "grid", step: note("step"), zoomBy: note("zoom"), pick: note("pick"), toggleBare: note("bare"), leave: note("leave") };
  pressed(view, { key, target: "grid", preventDefault: () => done.push(["kept"]), ...modifiers });
  return done;
}

test("keys of the grid step, zoom, pick and toggle, and keep the page from scrolling", () => {
  assert.deepEqual(press("ArrowUp"), [["step", 0, -1], ["kept"]]);
  assert.deepEqual(press("ArrowRight"), [["step", 1, 0], ["kept"]]);
  assert.deepEqual(press("0"), [["zoom", 0], ["kept"]]);
  assert.deepEqual(press("+"), [["zoom", 1.5], ["kept"]]);
  assert.deepEqual(press("O"), [["bare"], ["kept"]]);
  assert.deepEqual(press("Enter"), [["pick"], ["kept"]]);
});

test("other keys, and all with Ctrl, are left to the page", () => {
  assert.deepEqual(press("4"), []);
  assert.deepEqual(press("0", { ctrlKey: true }), []);
  assert.deepEqual(press("Enter", { target: "a button of the legend" }), []);
});
