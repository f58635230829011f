// The network itself: every stage a small picture of what its block does, in the order of the forward pass.

import { coloured, labelTable, scaleTable, spanTable, windowTable } from "../shared/colours.js";
import { drawChannels, drawMaps, drawNote, drawRing, inksOf } from "../shared/drawing.js";
import { element, sharpContext } from "../shared/elements.js";
import { clamp, extent, middleOf, placement } from "../shared/geometry.js";
import { decodePictures, sameBytes, unpack } from "../shared/message.js";
import { connections, layOut, tooMany } from "./layout.js";
import { blockCells, MEMBER, members, shownIn, stageKey, stagesOf } from "./stages.js";

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
    this.heading = element("div", "opened");
    this.place.append(this.stages, this.heading);
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
    const pictures = await decodePictures(unpacked);
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
    const { scales, activation_scale: activation, kinds, structures } = this.header;
    const { display } = this;
    this.tables = {
      gate: scaleTable(scales[display.scale]),
      activation: scaleTable(scales[activation]),
      labels: labelTable(structures),
    };
    for (const [kind, { scale }] of Object.entries(kinds)) this.tables[kind] = scaleTable(scale);
    this.layers = new Map();
    this.sliceCanvas = coloured(this.pictures.get(this.slice.picture), windowTable(display.black, display.white));
  }

  // Buttons stay when only their content changes, so that the focus does.
  fill() {
    const input = { title: "input", detail: "", cells: [{ kind: "slice", alt: this.slice.alt }] };
    const [prediction, ...blocks] = this.header.rows;
    this.rows = new Map([input, ...blocks, prediction].map((row) => [row.title, row]));
    const stages = this.header.stages.filter((stage) => stage.blocks.length > 1);
    const keys = [...this.rows.keys(), ...stages.map(stageKey)];
    if (String(keys) !== String(this.keys)) {
      this.keys = keys;
      this.cells = new Map(keys.map((key) => [key, this.stage(key, key !== "input" && key !== "prediction")]));
      this.stages.replaceChildren(...[...this.cells.values()].map(({ place }) => place));
    }
    for (const { title, detail, cells: [cell] } of this.rows.values()) {
      const name = this.header.short[title] ?? title;
      this.say(title, cell, name, detail, detail ? `${cell.alt}; ${detail.replaceAll("\n", ", ")}` : cell.alt);
    }
    this.mark();
  }

  say(key, cell, name, detail, text) {
    const stage = this.cells.get(key);
    stage.cell = cell;
    stage.name.textContent = name.replaceAll(/[._]/g, "$&\u200b"); // a long path may break behind its dots
    stage.detail.textContent = detail;
    stage.place.setAttribute("aria-label", text);
    stage.place.title = text;
  }

  stage(key, isBlock) {
    const place = element(isBlock ? "button" : "figure", "stage");
    const canvas = element("canvas", "");
    canvas.setAttribute("aria-hidden", "true");
    const [words, name, detail] = [element("span", "words"), element("strong", ""), element("span", "detail")];
    words.append(name, detail);
    place.append(canvas, words);
    place.dataset.stage = key;
    if (isBlock) {
      place.type = "button";
      place.onclick = () => this.select(key);
    } else {
      place.setAttribute("role", "img");
    }
    return { place, canvas, words, name, detail };
  }

  // A stage of several blocks represents the one that it shows.
  mark() {
    for (const stage of this.header.stages) {
      if (stage.blocks.length === 1) continue;
      const shown = shownIn(stage, this.selected, this.rows);
      const { alt } = this.rows.get(shown).cells[0];
      this.say(stageKey(stage), this.rows.get(shown).cells[0], stage.name, stage.detail, `${stage.blocks.length} blocks, ${alt}`);
    }
    const open = stagesOf(this.header.stages, this.selected);
    for (const [key, { place }] of this.cells) {
      if (place.tagName !== "BUTTON") continue;
      const pressed = key === this.selected || key === open;
      place.setAttribute("aria-pressed", pressed);
      place.tabIndex = key === this.selected ? 0 : -1;
    }
  }

  select(key) {
    this.cells.get(key).place.focus();
    const stage = this.header.stages.find((each) => stageKey(each) === key);
    const name = stage && !this.rows.has(key) ? shownIn(stage, this.selected, this.rows) : key;
    if (name === this.selected) return;
    this.selected = name;
    this.mark();
    this.draw();
    this.trigger("block", name);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const buttons = this.order.map((key) => this.cells.get(key).place).filter(({ tagName }) => tagName === "BUTTON");
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
      const folded = tooMany(this.rows.size, width);
      const cells = blockCells(this.header.stages, folded);
      const layout = layOut(cells, width, mm[0] / mm[1]);
      const strip = folded
        ? members(this.header.stages, this.selected, width, mm[0] / mm[1], layout.height)
        : { boxes: new Map(), height: 0 };
      this.heading.hidden = !strip.height;
      this.heading.style.top = `${layout.height}px`;
      this.heading.textContent = strip.title ?? "";
      this.order = [...layout.boxes.keys(), ...strip.boxes.keys()];
      this.place.dataset.words = layout.words;
      this.place.style.height = `${layout.height + strip.height}px`;
      this.lines(cells, layout, width, layout.height + strip.height);
      const sides = new Map(cells.map(({ name, side }) => [name, side]));
      for (const [key, stage] of this.cells) {
        const box = layout.boxes.get(key) ?? strip.boxes.get(key);
        stage.place.hidden = !box;
        if (box) this.drawStage(stage, box, sides.get(key) ?? MEMBER);
      }
      this.place.dataset.drawn = this.slice.picture;
      this.place.dataset.folded = folded;
    });
  }

  lines(cells, layout, width, height) {
    const svg = this.place.querySelector("svg");
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.querySelector("g").innerHTML = connections(cells, layout)
      .map(([kind, path]) => `<path class="${kind}" d="${path}" marker-end="url(#tip)"/>`)
      .join("");
  }

  // Gates are always on the scale of 0 to 1 here: blocks are compared with one another.
  drawStage({ place, canvas, cell }, box, side) {
    const { width, height } = box;
    Object.assign(place.style, { left: `${box.x}px`, top: `${box.y}px`, width: `${width}px` });
    place.dataset.side = side;
    canvas.style.height = `${height}px`;
    const context = sharpContext(canvas, width, height);
    if (cell.kind === "none") {
      const weights = [...(cell.channels ?? [])].sort((one, other) => other - one);
      if (weights.length) drawChannels(context, box, weights, inksOf(this.place));
      else drawNote(context, box, cell.note ?? "", inksOf(this.place));
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
