// Pointer, wheel and keys over the grid of panels.

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const ZOOMS = { "+": 1.5, "=": 1.5, "-": 1 / 1.5, 0: 0 };
const STILL = 4; // px that the pointer may move between press and release of a click

export function connectGrid(view) {
  const { grid } = view;
  connectFingers(view);
  grid.onpointerleave = () => view.leave();
  grid.ondblclick = (event) => panelOf(view, event) && view.zoomBy(2, panelOf(view, event), event);
  grid.onkeydown = (event) => pressed(view, event);
  grid.addEventListener("wheel", (event) => {
    const panel = panelOf(view, event);
    if (!panel || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    view.zoomBy(Math.exp(-event.deltaY / 200), panel, event);
  }, { passive: false });
}

const panelOf = (view, event) => view.panels.find(({ canvas }) => canvas === event.target);

// One finger or the mouse drags and clicks, two fingers zoom.
function connectFingers(view) {
  const { grid } = view;
  const fingers = new Map();
  let start = null;
  grid.onpointerdown = (event) => {
    const panel = panelOf(view, event);
    if (!panel) return;
    fingers.set(event.pointerId, event);
    start = event;
    if (view.display.zoom > 1) panel.canvas.setPointerCapture(event.pointerId);
  };
  grid.onpointermove = (event) => {
    const panel = panelOf(view, event);
    const before = fingers.get(event.pointerId);
    if (before && fingers.size === 2) {
      const [other] = [...fingers.values()].filter(({ pointerId }) => pointerId !== event.pointerId);
      view.zoomBy(apart(event, other) / Math.max(1, apart(before, other)));
    } else if (before && panel && view.display.zoom > 1) {
      view.panBy(panel, event.clientX - before.clientX, event.clientY - before.clientY);
    }
    if (before) fingers.set(event.pointerId, event);
    if (panel) view.point(panel, event);
    view.pointChannel(event);
  };
  grid.onpointerup = grid.onpointercancel = (event) => {
    fingers.delete(event.pointerId);
    const clicked = event.type === "pointerup" && event.button === 0 && start && apart(event, start) < STILL;
    if (clicked && panelOf(view, event)) {
      view.point(panelOf(view, event), event);
      view.pick();
    }
    start = null;
  };
}

const apart = (one, other) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);

// What a key means while the grid has the focus; other keys are the page's.
export function pressed(view, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key in STEPS) view.step(...STEPS[event.key]);
  else if (event.key in ZOOMS) view.zoomBy(ZOOMS[event.key]);
  else if (event.key === "Enter" && event.target === view.grid) view.pick();
  else if (event.key.toLowerCase() === "o") view.toggleBare();
  else if (event.key === "Escape") view.leave();
  else return;
  event.preventDefault();
}
