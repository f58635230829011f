// Messages, colour tables and the geometry of panels.

import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync, inflateRawSync } from "node:zlib";

import { gradient, labelTable, scaleTable, spanTable, windowTable } from "../../../scse_viz/ui/components/shared/colours.js";
import * as geometry from "../../../scse_viz/ui/components/shared/geometry.js";
import { decodePictures, sameBytes, unpack } from "../../../scse_viz/ui/components/shared/message.js";

const SLICE = { rows: 40, columns: 20, row_mm: 2, column_mm: 1.5 }; // 30 mm wide, 80 mm high
const MIRRORED = { ...SLICE, mirrored: true };
const near = (actual, expected) => actual.forEach((value, at) => assert.ok(Math.abs(value - expected[at]) < 1e-9, `${actual} is not ${expected}`));

function packed(header, body) {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const message = new Uint8Array(3 + 4 + text.length + body.length); // 3 bytes before it, as in a larger buffer
  new DataView(message.buffer).setUint32(3, text.length, true);
  message.set(text, 7);
  message.set(body, 7 + text.length);
  return message.subarray(3);
}

test("a message is read from the middle of a buffer, its header in UTF-8", () => {
  const { header, body } = unpack(packed({ name: "µ × é" }, [1, 2, 3]));
  assert.deepEqual(header, { name: "µ × é" });
  assert.deepEqual([...body], [1, 2, 3]);
});

test("messages are the same if all their bytes are", () => {
  const bytes = (...numbers) => Uint8Array.from(numbers);
  assert.ok(sameBytes(bytes(1, 2), bytes(1, 2)));
  assert.ok(!sameBytes(bytes(1, 2), bytes(1, 3)));
  assert.ok(!sameBytes(bytes(1, 2), bytes(1, 2, 3)));
});

test("pictures are read from one stream in the order of their names, each row upon the row above", async () => {
  const header = { pictures: { "2x3-b": [2, 3], "1x2-a": [1, 2] } };
  const body = deflateRawSync(Uint8Array.of(1, 2, 250, 1, 0, 10, 7, 8));
  const pictures = await decodePictures({ header, body }, inflateRawSync);
  assert.deepEqual([...pictures.keys()], ["2x3-b", "1x2-a"]);
  assert.deepEqual([...pictures.get("2x3-b").numbers], [1, 2, 250, 2, 2, 4]);
  const { width, height, numbers } = pictures.get("1x2-a");
  assert.deepEqual([width, height, ...numbers], [2, 1, 7, 8]);
});

test("a scale from Python becomes 256 opaque colours", () => {
  const rgb = Uint8Array.from({ length: 768 }, (_, at) => at % 251);
  const table = scaleTable(Buffer.from(rgb).toString("base64"));
  assert.deepEqual([...table.subarray(4, 8)], [3, 4, 5, 255]);
  assert.equal(table.length, 1024);
  assert.match(gradient(table), /^linear-gradient\(to right, rgb\(0 1 2\), .*\)$/);
});

const GRAYS = Uint8Array.from({ length: 1024 }, (_, at) => (at % 4 === 3 ? 255 : at >> 2));
const graysOf = (table) => Array.from({ length: 256 }, (_, number) => table[4 * number]);

test("a gate between 0.1 and 0.2 has the colours of its values on the scale of 0 to 1, and all of them if stretched", () => {
  const fixed = graysOf(spanTable(GRAYS, [0.1, 0.2], [0, 1]));
  assert.deepEqual([fixed[0], fixed[128], fixed[255]], [26, 38, 51]);
  assert.deepEqual(graysOf(spanTable(GRAYS, [0.1, 0.2], [0.1, 0.2])), graysOf(GRAYS));
});

test("a flat gate has its one colour, and values beyond the range end at the ends", () => {
  assert.equal(graysOf(spanTable(GRAYS, [1, 1], [0, 1]))[0], 255);
  const beyond = graysOf(spanTable(GRAYS, [0, 1], [0.4, 0.6]));
  assert.deepEqual([beyond[0], beyond[255]], [0, 255]);
});

test("the window is black up to its lower end and white from its upper one", () => {
  const grays = graysOf(windowTable(20, 80));
  assert.equal(grays[51], 0);
  assert.equal(grays[204], 255);
  assert.ok(grays[128] > 120 && grays[128] < 136);
});

test("background is clear, and so is every structure but the one picked out", () => {
  const structures = ["#000000", "#010203", "#ff0080"].map((colour) => ({ colour }));
  const alpha = (only, number) => labelTable(structures, only)[4 * number + 3];
  assert.deepEqual([0, 1, 2].map((number) => alpha(null, number)), [0, 255, 255]);
  assert.deepEqual([0, 1, 2].map((number) => alpha(2, number)), [0, 0, 255]);
  assert.deepEqual([...labelTable(structures).subarray(8, 12)], [255, 0, 128, 255]);
});

test("a slice is fitted into the middle of its panel with pixels of true shape", () => {
  const place = geometry.placement(SLICE, { zoom: 1, centre: null }, 200, 160);
  assert.deepEqual(place, { perMm: 2, left: 70, top: 0, mm: [30, 80], mirrored: false });
});

for (const [name, slice] of [["as it is", SLICE], ["mirrored", MIRRORED]]) {
  test(`a place on the screen leads back to where it came from, ${name}`, () => {
    for (const display of [{ zoom: 1, centre: null }, { zoom: 3.7, centre: [4, 61] }]) {
      const place = geometry.placement(slice, display, 210, 333);
      near(geometry.toMm(place, geometry.toScreen(place, [3.25, 70])), [3.25, 70]);
    }
  });

  test(`the place under the pointer stays under it while zooming, ${name}`, () => {
    const fixed = [20, 30];
    const before = { zoom: 2, centre: [15, 40] };
    const after = geometry.zoomed(slice, before, 1.7, fixed);
    near([after.zoom], [3.4]);
    const [from, to] = [before, after].map((display) => geometry.toScreen(geometry.placement(slice, display, 200, 300), fixed));
    near(from, to);
  });

  test(`what is dragged follows the pointer, ${name}`, () => {
    const display = { zoom: 4, centre: [15, 40] };
    const place = geometry.placement(slice, display, 200, 300);
    const centre = geometry.panned(slice, display.centre, place, 7, -11);
    const moved = geometry.toScreen(geometry.placement(slice, { zoom: 4, centre }, 200, 300), [15, 40]);
    near(moved, [107, 139]);
  });
}

test("mirrored, the first column is drawn right and an arrow to the right goes down the columns", () => {
  const place = geometry.placement(MIRRORED, { zoom: 1, centre: null }, 60, 160);
  near(geometry.toScreen(place, [0, 0]), [60, 0]);
  const from = geometry.middleOf(SLICE, [10, 10]);
  assert.deepEqual(geometry.pixelAt(SLICE, geometry.stepped(SLICE, from, 1, 0)), [10, 11]);
  assert.deepEqual(geometry.pixelAt(MIRRORED, geometry.stepped(MIRRORED, from, 1, 0)), [10, 9]);
  assert.deepEqual(geometry.pixelAt(MIRRORED, geometry.stepped(MIRRORED, from, 0, 1)), [11, 10]);
});

test("steps end at the border", () => {
  const corner = geometry.middleOf(SLICE, [0, 19]);
  assert.deepEqual(geometry.stepped(SLICE, corner, 1, -1), corner);
});

test("a zoom of 0 fits, none is below 1 or above the most, and no centre leaves the slice", () => {
  const display = { zoom: 2, centre: [15, 40] };
  assert.deepEqual(geometry.zoomed(SLICE, display, 0), { zoom: 1, centre: null });
  assert.deepEqual(geometry.zoomed(SLICE, display, 0.1), { zoom: 1, centre: null });
  assert.equal(geometry.zoomed(SLICE, display, 1000).zoom, geometry.MOST_ZOOM);
  const place = geometry.placement(SLICE, display, 200, 300);
  assert.deepEqual(geometry.panned(SLICE, display.centre, place, -1e6, 1e6), [30, 0]);
});

test("the border belongs to the slice at its beginning alone", () => {
  assert.ok(geometry.inside(SLICE, [0, 0]));
  assert.ok(!geometry.inside(SLICE, [30, 0]));
  assert.ok(!geometry.inside(SLICE, [-0.1, 5]));
});

test("pixels lead to voxels of the scan, and by its affine to mm", () => {
  const axial = { origin: [0, 39, 7], row: [0, -1, 0], column: [1, 0, 0] };
  assert.deepEqual(geometry.voxelOf(axial, [3, 5]), [5, 36, 7]);
  assert.deepEqual(geometry.spaceOf([[2, 0, 0, -10], [0, 3, 0, 1], [0, 0, 1, 0], [0, 0, 0, 1]], [5, 36, 7]), [0, 109, 7]);
});
