// The drawing of the network: where its stages stand and which lines join them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { connections, layOut, standing } from "../../../scse_viz/ui/components/network/layout.js";

const NAMES = [
  "input", "encoder1", "encoder2", "encoder3", "encoder4", "bottleneck",
  "decoder4", "decoder3", "decoder2", "decoder1", "prediction",
];

test("a stage stands as deep as its number, the decoder opposite the encoder", () => {
  assert.deepEqual(standing("encoder3", 4), { level: 2, side: "left" });
  assert.deepEqual(standing("decoder3", 4), { level: 2, side: "right" });
  assert.deepEqual(standing("bottleneck", 4), { level: 4, side: "middle" });
});

for (const width of [320, 500, 699, 700, 1100]) {
  test(`at ${width} px all pictures are within the drawing and none covers another`, () => {
    const { boxes, height } = layOut(NAMES, width, 0.8);
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
  });
}

test("a network of another depth has its bottleneck just below its last encoder stage", () => {
  const names = ["input", "encoder1", "encoder2", "bottleneck", "decoder2", "decoder1", "prediction"];
  const layout = layOut(names, 900, 0.8);
  assert.equal(layout.boxes.get("bottleneck").y - layout.boxes.get("encoder2").y, layout.step);
  assert.equal(connections(names, layout).filter(([kind]) => kind === "skip").length, 2);
});

test("words stand below the pictures of a bow and beside those of a ladder", () => {
  assert.equal(layOut(NAMES, 1100, 0.8).words, "below");
  assert.equal(layOut(NAMES, 500, 0.8).words, "beside");
});

for (const width of [500, 1100]) {
  test(`at ${width} px a line joins each stage to the next and each encoder stage to its decoder stage`, () => {
    const lines = connections(NAMES, layOut(NAMES, width, 0.8));
    assert.equal(lines.filter(([kind]) => kind === "flow").length, NAMES.length - 1);
    assert.equal(lines.filter(([kind]) => kind === "skip").length, 4);
    assert.ok(lines.every(([, path]) => /^M[\d.]+ [\d.]+([HV][\d.]+)+$/.test(path)), JSON.stringify(lines));
  });
}
