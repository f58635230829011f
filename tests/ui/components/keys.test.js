// Keys of the whole page: which are sent, in which order, and which are left to what has the focus.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import keys from "../../../scse_viz/ui/components/keys/keys.js";

let leave = [];
beforeEach(() => {
  globalThis.document = new EventTarget();
  mock.timers.enable({ apis: ["setTimeout"] });
});
afterEach(() => {
  leave.forEach((close) => close());
  leave = [];
  mock.timers.reset();
  delete globalThis.document;
});

// A listener as Streamlit mounts it; `again` is what the next run of the page does.
function mounted(listened, order = 1) {
  const parentElement = {};
  const reported = [];
  const setStateValue = (_, presses) => reported.push(presses);
  const again = (handled, wanted = listened) => {
    leave.push(keys({ data: { keys: wanted, order, handled }, parentElement, setStateValue }));
  };
  again(0);
  return { reported, again };
}

function press(key, { path = [], ...how } = {}) {
  const event = Object.assign(new Event("keydown", { cancelable: true }), { key, ...how });
  event.composedPath = () => path;
  document.dispatchEvent(event);
  return event;
}

const field = { matches: (selector) => selector.split(",").includes("input") };

test("a key that is listened to is sent, and the page does not scroll by it", () => {
  const { reported } = mounted(["ArrowLeft"]);
  assert.ok(press("ArrowLeft").defaultPrevented);
  assert.ok(!press("x").defaultPrevented);
  assert.deepEqual(reported.map((presses) => presses.map(([, key]) => key)), [["ArrowLeft"]]);
});

test("fields and keys with Ctrl keep their own meaning", () => {
  const { reported } = mounted(["1"]);
  press("1", { path: [{}, field, globalThis.document] });
  press("1", { ctrlKey: true });
  assert.deepEqual(reported, []);
});

test("what is pressed while the page runs waits for it, and then goes in one message in its order", () => {
  const { reported, again } = mounted(["1", "2"]);
  for (const key of ["1", "2", "2"]) press(key);
  assert.equal(reported.length, 1);
  again(reported[0][0][0]);
  assert.deepEqual(reported[1].map(([, key]) => key), ["2", "2"]);
  const numbers = [...reported[0], ...reported[1]].map(([number]) => number);
  assert.deepEqual([...new Set(numbers)].sort((one, other) => one - other), numbers);
});

test("a run of the page that has not handled the press yet changes nothing", () => {
  const { reported, again } = mounted(["1"]);
  press("1");
  press("1");
  again(0);
  assert.equal(reported.length, 1);
});

test("a page that never answers does not stop the keys", () => {
  const { reported } = mounted(["1"]);
  press("1");
  press("1");
  mock.timers.tick(6000);
  assert.equal(reported.length, 2);
});

test("of two that listen to a key the later in the page has it", () => {
  const later = mounted(["1"], 2);
  const earlier = mounted(["1", "2"], 1);
  press("1");
  press("2");
  assert.equal(later.reported.length, 1);
  assert.deepEqual(earlier.reported.map((presses) => presses.at(-1)[1]), ["2"]);
});
