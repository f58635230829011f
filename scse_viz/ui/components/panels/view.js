// The view: a grid of panels, blocks in rows and variants in columns, that share zoom, crosshair and scales.

import { coloured, gradient, labelTable, scaleTable, spanTable, windowTable } from "../shared/colours.js";
import { drawChannels, drawCross, drawLetters, drawMaps, drawRing } from "../shared/drawing.js";
import { element, sharpContext } from "../shared/elements.js";
import { clamp, extent, inside, middleOf, panned, pixelAt, placement, stepped, toMm, zoomed } from "../shared/geometry.js";
import { decodePictures, sameBytes, unpack } from "../shared/message.js";
import { kindKey, makeCells } from "./cells.js";
import { connectControls, CONTROLS, RESTED_MS } from "./controls.js";
import { connectGrid } from "./pointer.js";
import { gateRange, keyWords, rangeWords } from "./ranges.js";
import { positionText, valueAt } from "./readings.js";
import { Sight } from "./sight.js";

const GRID_LABEL = "Maps, blocks in rows and networks in columns. Arrow keys move the crosshair, + and - zoom.";
const shown = new Set();

export class PanelsView {
  constructor(root) {
    this.root = root;
    this.pictures = new Map();
    this.layers = new Map();
    this.cross = null; // mm
    this.bare = false;
    this.only = null;
    this.place = element("div", "panels");
    root.append(this.place);
    this.sight = new Sight(this.place, (part, inks) => this.drawPart(part, inks), () => this.read());
    this.watch = new ResizeObserver(() => this.draw());
    this.print = () => this.sight.drawSome(() => true);
    window.addEventListener("beforeprint", this.print);
    shown.add(this);
  }

  async show(message) {
    if (this.message && sameBytes(message, this.message)) return this.sight.retint();
    this.message = message;
    const unpacked = unpack(message);
    const pictures = await decodePictures(unpacked);
    if (message !== this.message) return undefined; // a later message came while this one was decoded
    this.pictures = pictures;
    this.header = unpacked.header;
    this.slice = this.header.slice;
    this.display ??= { ...this.header.display };
    if (this.shownSlice !== this.slice.picture) this.cross = null;
    this.shownSlice = this.slice.picture;
    this.place.dataset.layout = this.header.layout ?? "table";
    if (!this.grid) this.build();
    connectControls(this);
    this.fill();
    this.tables();
    return this.draw();
  }

  build() {
    this.place.innerHTML = CONTROLS;
    this.grid = element("div", "grid");
    this.grid.tabIndex = 0;
    this.grid.setAttribute("role", "group");
    this.place.append(this.grid);
    connectGrid(this);
    this.watch.observe(this.grid);
  }

  // One cell of the grid for each cell of the header; replaced in one go, so that nothing flashes.
  fill() {
    const { header, grid } = this;
    const [width, height] = extent(this.slice);
    const focus = header.layout === "focus";
    const made = makeCells(header, (number) => this.pickOut(number));
    Object.assign(this, { panels: made.panels, strips: made.strips, rowKeys: made.rowKeys });
    grid.style.setProperty("--columns", Math.max(header.columns.length, header.least_columns));
    grid.style.setProperty("--aspect", `${width} / ${height}`);
    grid.classList.toggle("focus", focus);
    grid.setAttribute("aria-label", header.label ?? GRID_LABEL);
    grid.replaceChildren(...made.cells);
    this.sight.watch([...this.panels, ...this.strips]);
    const drawn = (kind) => this.panels.some(({ cell }) => cell.kind === kind);
    this.find(".gates").hidden = focus && !drawn("gate");
    this.find(".activations").hidden = !drawn("activation");
    if (header.activations) this.find(".activations figcaption").textContent = header.activations;
    this.find(".kinds").replaceChildren(...Object.values(header.kinds).map(kindKey));
    this.find(".convention").textContent = this.slice.convention;
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  pickOut(structure) {
    this.only = structure;
    this.tables();
    this.draw();
  }

  // Colour tables changed: colour every picture again.
  tables() {
    const { scales, activation_scale: activation, kinds, rows, structures } = this.header;
    const { display } = this;
    const gate = scaleTable(scales[display.scale]);
    this.tableOf = { gate, activation: scaleTable(scales[activation]), labels: labelTable(structures, this.only) };
    for (const [kind, { scale, clear }] of Object.entries(kinds)) {
      this.tableOf[kind] = scaleTable(scale);
      if (clear) this.tableOf[kind][3] = 0;
    }
    this.ranges = rows.map(({ cells }) => gateRange(cells, display.range));
    this.layers = new Map();
    this.sliceCanvas = coloured(this.pictures.get(this.slice.picture), windowTable(display.black, display.white));
    this.place.style.setProperty("--gate", gradient(gate));
    this.place.style.setProperty("--activation", gradient(this.tableOf.activation));
    this.nameRanges();
  }

  // The ends of the gates' scale: at the key, and in the head of each row where every block has its own.
  nameRanges() {
    const withGates = this.ranges.filter((_, row) => this.panels.some((panel) => panel.row === row && panel.cell.kind === "gate"));
    const [low, high] = this.root.querySelectorAll(".gates > span");
    [low.textContent, high.textContent] = keyWords(withGates);
    for (const { key, row } of this.rowKeys) {
      key.hidden = this.display.range === "fixed";
      const ends = key.querySelectorAll("span");
      [ends[0].textContent, ends[1].textContent] = rangeWords(this.ranges[row]);
    }
  }

  layer({ cell, row }) {
    const picture = this.pictures.get(cell.picture);
    const table = this.tableOf[cell.kind];
    if (!picture || !table) return null;
    const gate = cell.kind === "gate";
    const key = gate ? `${cell.picture} ${cell.span} ${this.ranges[row]}` : `${cell.kind} ${cell.picture}`;
    if (!this.layers.has(key)) {
      this.layers.set(key, coloured(picture, gate ? spanTable(table, cell.span, this.ranges[row]) : table));
    }
    return this.layers.get(key);
  }

  draw() {
    if (this.grid) this.sight.draw();
  }

  drawPart(part, inks) {
    const { canvas, width, height } = part;
    const context = sharpContext(canvas, width, height);
    if (!part.order) return this.drawPanel(part, context);
    const { channels } = part.cell;
    part.order.sort((one, other) => (this.display.sorted && channels[one] - channels[other]) || one - other);
    return drawChannels(context, part, part.order.map((channel) => channels[channel]), inks, part.picked);
  }

  drawPanel(panel, context) {
    const { width, height, cell } = panel;
    const place = placement(this.slice, this.display, width, height);
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, height);
    drawMaps(context, place, this, { cell, layer: this.bare ? null : this.layer(panel) });
    if (this.slice.letters) drawLetters(context, this.slice.letters, width, height);
    const picked = this.pickedMm();
    if (picked) drawRing(context, place, picked, 5);
    if (this.cross ?? picked) drawCross(context, place, this.cross ?? picked, width, height);
  }

  // Captions and the line above the panels say what is under the crosshair, else what each panel shows.
  read() {
    const place = this.cross ?? this.pickedMm();
    for (const { cell, caption } of this.panels) {
      const said = place && valueAt(cell, place, this.pictures.get(cell.picture), this.header);
      caption.textContent = said || cell.caption;
      caption.classList.toggle("here", Boolean(place));
    }
    for (const { cell, caption, order, picked } of this.strips) {
      caption.textContent = picked < 0 ? cell.weights : `channel ${order[picked]}: ${cell.channels[order[picked]].toFixed(2)}`;
    }
    this.find(".place").textContent = place ? positionText(place, this.header) : this.header.hint;
    this.place.dataset.drawn = this.shownSlice;
  }

  placeIn({ canvas }) {
    return placement(this.slice, this.display, canvas.clientWidth, canvas.clientHeight);
  }

  // The place under the pointer, in mm.
  mmAt(panel, event) {
    const box = panel.canvas.getBoundingClientRect();
    return toMm(this.placeIn(panel), [event.clientX - box.left, event.clientY - box.top]);
  }

  // The pixel that the page holds on to, in mm; null where it asks for none.
  pickedMm() {
    return this.header.picked ? middleOf(this.slice, this.header.picked) : null;
  }

  point(panel, event) {
    const mm = this.mmAt(panel, event);
    this.cross = inside(this.slice, mm) ? mm : null;
    this.draw();
  }

  pointChannel(event) {
    const strip = this.strips.find(({ canvas }) => canvas === event.target);
    if (strip) this.cross = null;
    if (!strip && this.strips.every(({ picked }) => picked < 0)) return;
    for (const one of this.strips) one.picked = -1;
    if (strip) {
      const box = strip.canvas.getBoundingClientRect();
      const share = (event.clientX - box.left - 14) / (box.width - 14);
      strip.picked = clamp(Math.floor(share * strip.order.length), 0, strip.order.length - 1);
    }
    this.draw();
  }

  leave() {
    this.cross = null;
    for (const strip of this.strips) strip.picked = -1;
    this.draw();
  }

  // Tell the page, where it asks for it, which pixel of the slice is under the crosshair.
  pick() {
    if (!this.header.pick || !this.cross) return;
    this.header.picked = pixelAt(this.slice, this.cross);
    this.draw();
    this.trigger("picked", this.header.picked);
  }

  // By pixels to the right and down, as seen on the screen.
  step(right, down) {
    const [width, height] = extent(this.slice);
    this.cross = stepped(this.slice, this.cross ?? this.pickedMm() ?? [width / 2, height / 2], right, down);
    this.draw();
  }

  // 0 fits the whole slice; the place under the pointer, where there is one, stays under it.
  zoomBy(factor, panel, event) {
    Object.assign(this.display, zoomed(this.slice, this.display, factor, panel && this.mmAt(panel, event)));
    this.changed(false);
  }

  panBy(panel, right, down) {
    this.display.centre = panned(this.slice, this.display.centre, this.placeIn(panel), right, down);
    this.changed(false);
  }

  changed(colours) {
    if (colours) this.tables();
    this.draw();
    for (const other of shown) if (other !== this) other.follow(this.display, colours);
    window.dispatchEvent(new CustomEvent("scse-viz-display", { detail: { ...this.display } }));
    clearTimeout(this.rest);
    this.rest = setTimeout(() => this.send("display", { ...this.display }), RESTED_MS);
  }

  // Another grid of the page was changed: the same opacities, window and colours here, but its own zoom and centre.
  follow(display, colours) {
    if (!this.grid) return;
    const { zoom, centre } = this.display;
    Object.assign(this.display, display, { zoom, centre });
    connectControls(this);
    if (colours) this.tables();
    this.draw();
  }

  toggleBare() {
    this.bare = !this.bare;
    this.find("[name=bare]").setAttribute("aria-pressed", this.bare);
    this.draw();
  }

  close() {
    shown.delete(this);
    this.watch.disconnect();
    this.sight.close();
    window.removeEventListener("beforeprint", this.print);
    clearTimeout(this.rest);
    this.place.remove();
  }
}
