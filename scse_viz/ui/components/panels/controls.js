// The tool bar: what changes here is drawn at once, in the browser; the server hears of it once the hand has rested.

const RESTED_MS = 400;

const CONTROLS = `
<div class="bar" role="toolbar" aria-label="Display">
  <label title="How strongly gate and activation maps cover the slice.">Opacity: maps
    <input type="range" name="opacity" min="0" max="100" step="1"><output></output></label>
  <label title="How strongly predicted structures cover the slice.">structures
    <input type="range" name="labels" min="0" max="100" step="1"><output></output></label>
  <label title="The intensity of the slice that is drawn black.">Window
    <input type="range" name="black" min="0" max="99" step="1"><output></output></label>
  <label title="The intensity of the slice that is drawn white.">to
    <input type="range" name="white" min="1" max="100" step="1"><output></output></label>
  <label class="check" title="Interpolate between pixels. Off, every pixel of a map stays a square of its own size.">
    <input type="checkbox" name="smooth">Smooth</label>
  <label class="check" title="Channel weights from lowest to highest, not by channel number.">
    <input type="checkbox" name="sorted">Sort channels</label>
  <span class="buttons">
    <button type="button" name="bare" aria-pressed="false" title="Show the bare slice in every panel (key O).">Bare slice</button>
    <button type="button" name="out" aria-label="Zoom out" title="Zoom out (key -)">−</button>
    <button type="button" name="fit" aria-label="Fit" title="The whole slice (key 0)">Fit</button>
    <button type="button" name="in" aria-label="Zoom in" title="Zoom in (key +, or Ctrl and the wheel; then drag)">+</button>
    <button type="button" name="png" title="Save all panels as a PNG picture.">PNG</button>
    <button type="button" name="svg" title="Save all panels as an SVG picture: maps as pixels, words as words.">SVG</button>
  </span>
</div>
<div class="key">
  <figure class="gates"><figcaption>sSE gate</figcaption><span>0</span><i></i><span>1</span>
    <select name="scale" aria-label="Colour scale of gates" title="Colour scale of the gates, the same in every panel; its range is always 0 to 1."></select>
  </figure>
  <figure class="activations" title="A network without blocks has no gates: its column shows what leaves the same stage, on a scale of its own.">
    <figcaption>none: mean |activation|, a.u.</figcaption><span>0</span><i></i><span>as below each panel</span></figure>
  <span class="kinds"></span>
  <div class="place" role="status"></div>
</div>`;

function connectControls(view) {
  const { root, display } = view;
  const field = (name) => root.querySelector(`[name=${name}]`);
  const shown = () => {
    const { low, high } = view.slice;
    const intensity = (percent) => Number((low + ((high - low) * percent) / 100).toPrecision(3));
    for (const name of ["opacity", "labels"]) outputOf(field(name)).value = `${display[name]} %`;
    for (const name of ["black", "white"]) outputOf(field(name)).value = intensity(display[name]);
  };
  field("scale").replaceChildren(...view.header.gate_scales.map((name) => new Option(name, name)));
  for (const name of ["opacity", "labels", "black", "white"]) {
    field(name).value = display[name];
    field(name).oninput = (event) => {
      display[name] = Number(event.target.value);
      if (name === "black" && display.black >= display.white) field("white").value = display.white = display.black + 1;
      if (name === "white" && display.white <= display.black) field("black").value = display.black = display.white - 1;
      shown();
      view.changed(name === "black" || name === "white");
    };
  }
  field("scale").value = display.scale;
  field("scale").oninput = (event) => {
    display.scale = event.target.value;
    view.changed(true);
  };
  for (const name of ["smooth", "sorted"]) {
    field(name).checked = display[name];
    field(name).oninput = (event) => {
      display[name] = event.target.checked;
      view.changed(false);
    };
  }
  for (const format of ["png", "svg"]) field(format).onclick = () => savePanels(view, format);
  field("bare").onclick = () => view.toggleBare();
  field("in").onclick = () => view.zoomBy(1.5);
  field("out").onclick = () => view.zoomBy(1 / 1.5);
  field("fit").onclick = () => view.zoomBy(0);
  shown();
}

const outputOf = (input) => input.parentElement.querySelector("output");

// Pointer and keys over the grid of panels.
function connectGrid(view) {
  const { grid } = view;
  const fingers = new Map();
  let pressed = null;
  const panelOf = (event) => view.panels.find(({ canvas }) => canvas === event.target);
  grid.onpointerdown = (event) => {
    const panel = panelOf(event);
    if (!panel) return;
    fingers.set(event.pointerId, event);
    pressed = [event.clientX, event.clientY];
    if (view.display.zoom > 1) panel.canvas.setPointerCapture(event.pointerId);
  };
  grid.onpointermove = (event) => {
    const panel = panelOf(event);
    const before = fingers.get(event.pointerId);
    if (before && fingers.size === 2) {
      const [other] = [...fingers.values()].filter(({ pointerId }) => pointerId !== event.pointerId);
      const apart = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
      view.zoomBy(apart(event) / Math.max(1, apart(before)));
    } else if (before && panel && view.display.zoom > 1) {
      view.panBy(panel, event.clientX - before.clientX, event.clientY - before.clientY);
    }
    if (before) fingers.set(event.pointerId, event);
    if (panel) view.point(panel, event);
    view.pointChannel(event);
  };
  grid.onpointerup = grid.onpointercancel = (event) => {
    fingers.delete(event.pointerId);
    const still = pressed && Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) < 4;
    if (event.type === "pointerup" && still && panelOf(event) && event.button === 0) {
      view.point(panelOf(event), event);
      view.pick();
    }
    pressed = null;
  };
  grid.onpointerleave = () => view.leave();
  grid.ondblclick = (event) => panelOf(event) && view.zoomBy(2, panelOf(event), event);
  grid.addEventListener("wheel", (event) => {
    const panel = panelOf(event);
    if (!panel || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    view.zoomBy(Math.exp(-event.deltaY / 200), panel, event);
  }, { passive: false });
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const zooms = { "+": 1.5, "=": 1.5, "-": 1 / 1.5, 0: 0 };
  grid.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in steps) view.step(...steps[event.key]);
    else if (event.key in zooms) view.zoomBy(zooms[event.key]);
    else if (event.key === "Enter" && event.target === grid) view.pick();
    else if (event.key.toLowerCase() === "o") view.toggleBare();
    else if (event.key === "Escape") view.leave();
    else return;
    event.preventDefault();
  };
}
