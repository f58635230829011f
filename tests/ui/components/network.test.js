// The drawing of the network: where its stages stand, which lines join them, and what is folded.

import assert from "node:assert/strict";
import { test } from "node:test";

import { connections, layOut, tooMany } from "../../../scse_viz/ui/components/network/layout.js";
import { blockCells, members, shownIn } from "../../../scse_viz/ui/components/network/stages.js";

const stage = (side, level, ...blocks) => ({ name: `${side} ${level}`, side, level, blocks });
const OURS = [
  ...[0, 1, 2, 3].map((level) => stage("encoder", level, `encoder${level + 1}`)),
  stage("bottleneck", 4, "bottleneck"),
  ...[3, 2, 1, 0].map((level) => stage("decoder", level, `decoder${level + 1}`)),
];
const blocks = (name, count) => Array.from({ length: count }, (_, number) => `${name}.${number}`);
const EFFICIENT = [
  ...[1, 2, 2, 6, 5].map((count, index) => stage("encoder", index + 1, ...blocks(`e${index}`, count))),
  ...[4, 3, 2, 1, 0].map((level) => stage("decoder", level, ...blocks(`d${level}`, 2))),
];
const LONG = [
  ...[3, 8, 36, 3].map((count, index) => stage("encoder", index + 1, ...blocks(`e${index}`, count))),
  ...[4, 3, 2, 1, 0].map((level) => stage("decoder", level, ...blocks(`d${level}`, 2))),
];

function assertApart(boxes, width, height) {
  const placed = [...boxes.values()];
  for (const box of placed) {
    assert.ok(box.x >= 0 && box.x + box.width <= width + 1e-6 && box.y >= 0 && box.y + box.height <= height);
    assert.ok(Math.abs(box.width / box.height - 0.8) < 1e-6);
  }
  placed.forEach((one, at) => placed.slice(at + 1).forEach((other) => {
    const across = one.x + one.width <= other.x + 1e-6 || other.x + other.width <= one.x + 1e-6;
    const along = one.y + one.height <= other.y + 1e-6 || other.y + other.height <= one.y + 1e-6;
    assert.ok(across || along);
  }));
}

for (const [name, stages] of Object.entries({ OURS, EFFICIENT, LONG })) {
  for (const width of [320, 500, 699, 700, 1100]) {
    test(`${name}: at ${width} px all pictures are within the drawing and none covers another`, () => {
      const count = stages.flatMap((one) => one.blocks).length + 2;
      const folded = tooMany(count, width);
      const { boxes, height } = layOut(blockCells(stages, folded), width, 0.8);
      const most = stages.reduce((one, other) => (other.blocks.length > one.blocks.length ? other : one));
      const strip = folded ? members(stages, most.blocks[0], width, 0.8, height) : { boxes: [], height: 0 };
      assertApart(new Map([...boxes, ...strip.boxes]), width, height + strip.height);
    });
  }
}

test("our networks are drawn block by block, many blocks are folded into their stages", () => {
  assert.equal(tooMany(11, 1100), false);
  assert.equal(tooMany(11, 500), false);
  assert.equal(tooMany(28, 1100), true);
  assert.equal(tooMany(28, 500), true);
  assert.deepEqual(blockCells(EFFICIENT, true).map(({ name }) => name).slice(0, 4), ["input", "e0.0", "stage encoder 2", "stage encoder 3"]);
  assert.equal(blockCells(EFFICIENT, false).length, 28);
});

test("a folded stage shows the selected block, else the last one that runs", () => {
  const rows = new Map([["a", { cells: [{ picture: "p" }] }], ["b", { cells: [{ channels: [1] }] }], ["dead", { cells: [{}] }]]);
  const mixed = stage("decoder", 0, "a", "b", "dead");
  assert.equal(shownIn(mixed, "a", rows), "a");
  assert.equal(shownIn(mixed, "elsewhere", rows), "b");
  assert.equal(shownIn(stage("decoder", 0, "dead"), "", rows), "dead");
});

test("a stage stands as deep as its resolution, the decoder opposite the encoder", () => {
  const cells = blockCells(OURS, false);
  const layout = layOut(cells, 900, 0.8);
  assert.equal(layout.boxes.get("encoder3").y, layout.boxes.get("decoder3").y);
  assert.equal(layout.boxes.get("bottleneck").y - layout.boxes.get("encoder4").y, layout.step);
  assert.equal(layout.boxes.get("input").y, 0);
});

test("words stand below the pictures of a bow and beside those of a ladder", () => {
  assert.equal(layOut(blockCells(OURS, false), 1100, 0.8).words, "below");
  assert.equal(layOut(blockCells(OURS, false), 500, 0.8).words, "beside");
});

for (const [name, stages, skips] of [["OURS", OURS, 4], ["EFFICIENT", EFFICIENT, 4], ["LONG", LONG, 4]]) {
  for (const width of [500, 1100]) {
    test(`${name}: at ${width} px a line joins each stage to the next and each encoder stage to its decoder stage`, () => {
      const cells = blockCells(stages, true);
      const lines = connections(cells, layOut(cells, width, 0.8));
      assert.equal(lines.filter(([kind]) => kind === "flow").length, cells.length - 1);
      assert.equal(lines.filter(([kind]) => kind === "skip").length, skips);
      assert.ok(lines.every(([, path]) => /^M[\d.]+ [\d.]+([HV][\d.]+)+$/.test(path)), JSON.stringify(lines));
    });
  }
}
