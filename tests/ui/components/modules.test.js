// Every component's modules find what they import from one another.

import assert from "node:assert/strict";
import { test } from "node:test";

for (const name of ["panels/panels", "network/network", "viewer/viewer", "viewer/part", "keys/keys"]) {
  test(`${name}.js exports its component`, async () => {
    const module = await import(`../../../scse_viz/ui/components/${name}.js`);
    assert.equal(typeof module.default, "function");
  });
}
