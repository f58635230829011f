// The network itself: every stage a small picture of what its block does, in the order of the forward pass.

import { coloured, labelTable, scaleTable, spanTable, windowTable } from "../shared/colours.js";
import { drawChannels, drawMaps, drawRing, inksOf } from "../shared/drawing.js";
import { element, sharpContext } from "../shared/elements.js";
import { clamp, extent, middleOf, placement } from "../shared/geometry.js";
import { decodeAll, sameBytes, unpack } from "../shared/message.js";
import { connections, depthOf, layOut, standing } from "./layout.js";

const MOVES = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

export class NetworkView {
  constructor(root) {
    this.root = root;
    this.pictures = new Map();
    this.place = element("div", "network");
    this.place.innerHTML = `<svg aria-hidden="true"><defs>
      <marker id="tip" viewBox="0 0 6 6" refX="1" refY="3" markerWidth="5" markerHeight="5" orient="auto-start-reverse">
        <path d="M0 0L6 3L0 6Z"/></marker></defs><g></g></svg>`;
    this.stages = element("div", "stages");
    this.stages.setAttribute("role", "toolbar");
    this.stages.onkeydown = (event) => this.key(event);
    this.place.append(this.stages);
    root.append(this.place);
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(this.place);
    this.listen = (event) => this.follow(event.detail);
    window.addEventListener("scse-viz-display", this.listen);
  }

  async show(message) {
    if (this.message && sameBytes(message, this.message)) return;
    this.message = message;
    const unpacked = unpack(message);
    const pictures = await decodeAll(unpacked, this.pictures);
    if (message !== this.message) return; // a later message came while this one was decoded
    this.pictures = pictures;
    this.header = unpacked.header;
    this.slice = this.header.slice;
    this.display ??= { ...this.header.display };
    this.selected = this.header.selected;
    this.stages.setAttribute("aria-label", this.header.label);
    this.colour();
    this.fill();
    this.draw();
  }

  // Panels of the same page were given other colours or another opacity: the same here.
  follow(display) {
    if (!this.header) return;
    this.display = { ...this.display, ...display };
    this.colour();
    this.draw();
  }

  colour() {
    const { scales, activation_scale: activation, structures } = this.header;
    const { display } = this;
    this.tables = {
      gate: scaleTable(scales[display.scale]),
      activation: scaleTable(scales[activation]),
      labels: labelTable(structures),
    };
    this.layers = new Map();
    this.sliceCanvas = coloured(this.pictures.get(this.slice.picture), windowTable(display.black, display.white));
  }

  // Buttons stay when only their content changes, so that the focus does.
  fill() {
    const rows = this.header.rows;
    const input = { title: "input", detail: "", cells: [{ kind: "slice", alt: this.slice.alt }] };
    const [prediction, ...blocks] = rows;
    const stages = [input, ...blocks, prediction];
    const names = stages.map(({ title }) => title);
    if (String(names) !== String(this.names)) {
      this.names = names;
      this.cells = new Map(stages.map((stage) => [stage.title, this.stage(stage.title, blocks.includes(stage))]));
      this.stages.replaceChildren(...[...this.cells.values()].map(({ place }) => place));
    }
    for (const { title, detail, cells: [cell] } of stages) {
      const stage = this.cells.get(title);
      stage.cell = cell;
      stage.detail.textContent = detail;
      stage.place.setAttribute("aria-label", detail ? `${cell.alt}; ${detail.replace("\n", ", ")}` : cell.alt);
      stage.place.title = cell.alt;
    }
    this.mark();
  }

  stage(name, isBlock) {
    const place = element(isBlock ? "button" : "figure", "stage");
    const canvas = element("canvas", "");
    canvas.setAttribute("aria-hidden", "true");
    const words = element("span", "words");
    const detail = element("span", "detail");
    words.append(element("strong", "", name), detail);
    place.append(canvas, words);
    place.dataset.stage = name;
    if (isBlock) {
      place.type = "button";
      place.onclick = () => this.select(name);
    } else {
      place.setAttribute("role", "img");
    }
    return { place, canvas, words, detail };
  }

  mark() {
    for (const [name, { place }] of this.cells) {
      if (place.tagName !== "BUTTON") continue;
      place.setAttribute("aria-pressed", name === this.selected);
      place.tabIndex = name === this.selected ? 0 : -1;
    }
  }

  select(name) {
    this.cells.get(name).place.focus();
    if (name === this.selected) return;
    this.selected = name;
    this.mark();
    this.trigger("block", name);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const buttons = [...this.stages.querySelectorAll("button")];
    const at = buttons.indexOf(this.root.activeElement ?? document.activeElement);
    const to = { Home: 0, End: buttons.length - 1 }[event.key] ?? at + (MOVES[event.key] ?? NaN);
    if (Number.isNaN(to)) return;
    event.preventDefault();
    buttons[clamp(to, 0, buttons.length - 1)].focus();
  }

  // Once a frame at most.
  draw() {
    if (this.frame || !this.header) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      const width = this.place.clientWidth;
      if (!width) return;
      const mm = extent(this.slice);
      const layout = layOut(this.names, width, mm[0] / mm[1]);
      this.place.dataset.words = layout.words;
      this.place.style.height = `${layout.height}px`;
      this.lines(layout, width);
      for (const [name, stage] of this.cells) this.drawStage(stage, layout.boxes.get(name), standing(name, depthOf(this.names)));
      this.place.dataset.drawn = this.slice.picture;
    });
  }

  lines(layout, width) {
    const svg = this.place.querySelector("svg");
    svg.setAttribute("viewBox", `0 0 ${width} ${layout.height}`);
    svg.querySelector("g").innerHTML = connections(this.names, layout)
      .map(([kind, path]) => `<path class="${kind}" d="${path}" marker-end="url(#tip)"/>`)
      .join("");
  }

  // Gates are always on the scale of 0 to 1 here: blocks are compared with one another.
  drawStage({ place, canvas, cell }, box, { side }) {
    const { width, height } = box;
    Object.assign(place.style, { left: `${box.x}px`, top: `${box.y}px`, width: `${width}px` });
    place.dataset.side = side;
    canvas.style.height = `${height}px`;
    const context = sharpContext(canvas, width, height);
    if (cell.kind === "none") {
      const weights = [...(cell.channels ?? [])].sort((one, other) => other - one);
      drawChannels(context, box, weights, inksOf(this.place));
      return;
    }
    const fitted = placement(this.slice, { zoom: 1 }, width, height);
    drawMaps(context, fitted, this, { cell, layer: this.layer(cell) });
    if (this.header.picked) drawRing(context, fitted, middleOf(this.slice, this.header.picked), 4);
  }

  layer(cell) {
    const picture = this.pictures.get(cell.picture);
    if (!picture || !this.tables[cell.kind]) return null;
    const table = this.tables[cell.kind];
    const gate = cell.kind === "gate";
    const key = `${cell.kind} ${cell.picture}${gate ? ` ${cell.span}` : ""}`;
    if (!this.layers.has(key)) this.layers.set(key, coloured(picture, gate ? spanTable(table, cell.span, [0, 1]) : table));
    return this.layers.get(key);
  }

  close() {
    this.watch.disconnect();
    window.removeEventListener("scse-viz-display", this.listen);
    cancelAnimationFrame(this.frame);
    this.place.remove();
  }
}
