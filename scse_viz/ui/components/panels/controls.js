// The tool bar: a change is drawn at once, in the browser; the server hears of it when nothing has changed for a while.

import { savePanels } from "./save.js";

export const RESTED_MS = 400;

export const CONTROLS = `
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
  <figure class="gates"><figcaption>gate of each pixel</figcaption><span>0</span><i></i><span>1</span>
    <select name="scale" aria-label="Colour scale of gates" title="Colour scale of the gates, the same in every panel."></select>
    <select name="range" aria-label="Range of the gates' colour scale" title="The gates at the two ends of the colour scale. Stretched by block: its lowest and highest gate, the same for all columns of a row, so rows cannot be compared by colour.">
      <option value="fixed">0 to 1</option><option value="block">stretched by block</option></select>
  </figure>
  <figure class="activations" title="A network without blocks has no gates: its column shows what leaves the same stage, on a scale of its own.">
    <figcaption>none: mean |activation|, a.u.</figcaption><span>0</span><i></i><span>as below each panel</span></figure>
  <span class="kinds"></span>
  <div class="line"><span class="convention"></span><span class="place" role="status"></span></div>
</div>`;

export function connectControls(view) {
  const field = (name) => view.root.querySelector(`[name=${name}]`);
  connectSliders(view, field);
  field("scale").replaceChildren(...view.header.gate_scales.map((name) => new Option(name, name)));
  for (const [name, kind, recolours] of [
    ["scale", "value", true], ["range", "value", true], ["smooth", "checked", false], ["sorted", "checked", false],
  ]) {
    field(name)[kind] = view.display[name];
    field(name).oninput = (event) => {
      view.display[name] = event.target[kind];
      view.changed(recolours);
    };
  }
  for (const format of ["png", "svg"]) field(format).onclick = () => savePanels(view, format);
  field("bare").onclick = () => view.toggleBare();
  field("in").onclick = () => view.zoomBy(1.5);
  field("out").onclick = () => view.zoomBy(1 / 1.5);
  field("fit").onclick = () => view.zoomBy(0);
}

function connectSliders(view, field) {
  const { display, slice } = view;
  const output = (name) => field(name).parentElement.querySelector("output");
  const write = () => {
    for (const name of ["opacity", "labels"]) output(name).value = `${display[name]} %`;
    for (const name of ["black", "white"]) output(name).value = intensity(slice, display[name]);
  };
  for (const name of ["opacity", "labels", "black", "white"]) {
    field(name).value = display[name];
    field(name).oninput = (event) => {
      Object.assign(display, windowed(display, name, Number(event.target.value)));
      for (const end of ["black", "white"]) field(end).value = display[end];
      write();
      view.changed(name === "black" || name === "white");
    };
  }
  write();
}

// The display after a slider was moved; of black and white, the other gives way.
export function windowed(display, name, value) {
  const changed = { ...display, [name]: value };
  if (name === "black") changed.white = Math.max(changed.white, value + 1);
  if (name === "white") changed.black = Math.min(changed.black, value - 1);
  return changed;
}

// A percentage of the range of intensities, as an intensity of three digits.
export const intensity = ({ low, high }, percent) => Number((low + ((high - low) * percent) / 100).toPrecision(3));
