// The 3-D viewer: what is read at its crosshair, its keys, its cut and its colours.

import assert from "node:assert/strict";
import { test } from "node:test";

import { labelTable, mapTable } from "../../../scse_viz/ui/components/viewer/parts.js";
import { amount, crosshairText, cutDepth, keyStep, toScan } from "../../../scse_viz/ui/components/viewer/readings.js";

test("a voxel of the volume that is drawn leads to the scan's, never beyond it", () => {
  const data = { steps: [2, 1, 3], shape: [9, 10, 11] };
  assert.deepEqual(toScan(Float32Array.of(3, 4.4, 2, 0), data), [6, 4, 6]);
  assert.deepEqual(toScan([-1, 20, 5], data), [0, 9, 10]);
});

test("structure and map are said in words; 0 in a map is a slice that was not run", () => {
  const data = { structures: [{ name: "background" }, { name: "thalamus" }], map: { title: "encoder2, sSE gate", span: [0, 1] } };
  const said = (number) => crosshairText([1, 2, 3], [{ name: "scan.nii", value: 9 }, { name: "labels.nii", value: 1 }, { name: "map.nii", value: number }], data);
  assert.equal(said(128), "voxel (1, 2, 3) · thalamus · encoder2, sSE gate 0.5");
  assert.equal(said(0), "voxel (1, 2, 3) · thalamus · slice not done");
  assert.equal(amount(0.5, [0, 0.0123]), "0.0062");
});

test("left and right keys are those of the screen in both conventions, up and down never change", () => {
  assert.deepEqual(keyStep("ArrowRight", false), [1, 0, 0]);
  assert.deepEqual(keyStep("ArrowRight", true), [-1, 0, 0]);
  assert.deepEqual(keyStep("ArrowUp", true), [0, 1, 0]);
  assert.deepEqual(keyStep("PageUp", true), [0, 0, 1]);
  assert.equal(keyStep("a", true), undefined);
});

test("the cut goes through the crosshair", () => {
  assert.equal(cutDepth("axial", [0.1, 0.2, 0.75]), 0.25);
  assert.equal(cutDepth("sagittal", [0.25, 0.2, 0.75]), 0.25);
});

test("a map is clear where nothing was run and below the value it is drawn from", () => {
  const scale = Buffer.from(Uint8Array.from({ length: 768 }, (_, at) => Math.floor(at / 3))).toString("base64");
  const { R, A } = mapTable(scale, 50);
  assert.deepEqual([A[0], A[127], A[128], A[255]], [0, 0, 255, 255]);
  assert.deepEqual([R[1], R[255]], [0, 254]);
});

test("structures keep their colours and names, and background is clear", () => {
  const table = labelTable([{ name: "background", colour: "#000000" }, { name: "thalamus", colour: "#0a7610" }]);
  assert.deepEqual([table.R[1], table.G[1], table.B[1]], [10, 118, 16]);
  assert.deepEqual(table.A, [0, 255]);
});
