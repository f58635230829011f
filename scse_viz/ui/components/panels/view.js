// The view: a grid of panels, blocks in rows and variants in columns, that share zoom, crosshair and scales.

const shown = new Set();

class PanelsView {
  constructor(root) {
    this.root = root;
    this.pictures = new Map();
    this.layers = new Map();
    this.cross = null;
    this.bare = false;
    this.only = null;
    this.place = document.createElement("div");
    this.place.className = "panels";
    root.append(this.place);
    this.watch = new ResizeObserver(() => this.draw());
    this.print = () => this.drawSome(() => true);
    window.addEventListener("beforeprint", this.print);
    shown.add(this);
  }

  async show(message) {
    if (this.message && sameBytes(message, this.message)) return this.retint();
    this.message = message;
    const unpacked = unpack(message);
    const pictures = await decodeAll(unpacked, this.pictures);
    if (message !== this.message) return; // a later message came while this one was decoded
    this.pictures = pictures;
    this.header = unpacked.header;
    this.slice = this.header.slice;
    this.structures = this.header.structures;
    this.display ??= { ...this.header.display };
    const sameSlice = this.shownSlice === this.slice.picture;
    this.shownSlice = this.slice.picture;
    if (!sameSlice) this.cross = null;
    Object.assign(this.place.dataset, { layout: this.header.layout ?? "table" });
    if (!this.grid) this.build();
    connectControls(this);
    this.tables();
    this.fill();
    this.draw();
  }

  build() {
    this.place.innerHTML = CONTROLS;
    this.grid = document.createElement("div");
    this.grid.className = "grid";
    this.grid.tabIndex = 0;
    this.grid.setAttribute("role", "group");
    this.grid.setAttribute(
      "aria-label", "Maps, blocks in rows and networks in columns. Arrow keys move the crosshair, + and - zoom.",
    );
    this.place.append(this.grid);
    connectGrid(this);
    this.watch.observe(this.grid);
  }

  // One cell of the grid for each cell of the header; replaced in one go, so that nothing flashes.
  fill() {
    const { header } = this;
    this.panels = [];
    this.strips = [];
    this.grid.style.setProperty("--columns", Math.max(header.columns.length, header.places));
    this.grid.style.setProperty(
      "--aspect", `${this.slice.columns * this.slice.column_mm} / ${this.slice.rows * this.slice.row_mm}`,
    );
    this.grid.classList.toggle("focus", header.layout === "focus");
    if (header.layout === "focus") this.fillFocus();
    else this.fillTable();
    this.look();
    const drawn = (kind) => this.panels.some(({ cell }) => cell.kind === kind);
    this.root.querySelector(".gates").hidden = header.layout === "focus" && !drawn("gate");
    this.root.querySelector(".activations").hidden = !drawn("activation");
    if (header.label) this.grid.setAttribute("aria-label", header.label);
    if (header.activations) this.root.querySelector(".activations figcaption").textContent = header.activations;
    this.root.querySelector(".kinds").replaceChildren(...Object.values(header.kinds).map(kindKey));
  }

  // Rows and columns with their names.
  fillTable() {
    const { header } = this;
    const cells = [element("div", "head first", "slice")];
    for (const { title, detail } of header.columns) {
      const head = element("div", "head", title);
      head.title = detail;
      cells.push(head);
    }
    header.rows.forEach((row, index) => {
      cells.push(this.firstCell(row, index));
      for (const cell of row.cells) cells.push(this.cell(cell, row));
      if (index === 0) cells.push(this.legend());
    });
    this.grid.replaceChildren(...cells);
  }

  firstCell(row, index) {
    const slice = { kind: "slice", alt: this.slice.alt, caption: "slice" };
    const cell = row.reference ?? (index === 0 ? slice : null);
    const place = cell ? this.cell(cell, row) : rowHead(row, this.header.columns);
    place.classList.add("first");
    return place;
  }

  cell(cell, row) {
    const place = element("div", `cell ${cell.kind}`);
    const caption = element("div", "caption", cell.caption);
    if (cell.kind === "none") {
      const hollow = element("div", "hollow", cell.note);
      place.append(hollow, caption);
      if (cell.channels) hollow.append(this.strip(cell, row, caption));
      return place;
    }
    const canvas = element("canvas", "map");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", cell.alt);
    place.append(canvas, caption);
    this.panels.push({ canvas, cell, caption });
    if (cell.kind === "gate") {
      const weights = element("div", "caption", cell.channels ? cell.weights : cell.note);
      place.append(cell.channels ? this.strip(cell, row, weights) : element("div", "strip"), weights);
    } else if (cell.kind === "activation") {
      const key = element("div", "strip scale");
      key.innerHTML = `<span>0</span><i></i><span>${Number(cell.span[1].toPrecision(3))}</span>`;
      place.append(key);
    }
    return place;
  }

  strip(cell, row, caption) {
    const canvas = element("canvas", "strip");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", cell.kind === "none" ? cell.alt : `${row.title}: ${cell.weights}`);
    this.strips.push({ canvas, cell, caption, order: cell.channels.map((_, channel) => channel), picked: -1 });
    return canvas;
  }

  // The structures; pointing at one shows it alone. Those that do not occur are faint, so that nothing below moves.
  legend() {
    const place = element("div", "legend");
    this.structures.forEach(({ name, colour }, number) => {
      if (number === 0) return;
      const entry = element("button", "", name);
      entry.disabled = !this.header.occurring.includes(number);
      entry.type = "button";
      entry.style.setProperty("--colour", colour);
      const pick = (only) => () => {
        this.only = only;
        this.tables();
        this.draw();
      };
      entry.onpointerenter = entry.onfocus = pick(number);
      entry.onpointerleave = entry.onblur = pick(null);
      place.append(entry);
    });
    return place;
  }

  // Colour tables changed: colour every picture again.
  tables() {
    const { scales, activation_scale: activation } = this.header;
    const { display } = this;
    const gate = scaleTable(scales[display.scale]);
    const other = scaleTable(scales[activation]);
    this.tableOf = { gate, activation: other, labels: labelTable(this.structures, this.only) };
    for (const [kind, { scale, clear }] of Object.entries(this.header.kinds)) {
      this.tableOf[kind] = scaleTable(scale);
      if (clear) this.tableOf[kind][3] = 0;
    }
    this.layers = new Map();
    this.sliceCanvas = coloured(this.pictures.get(this.slice.picture), windowTable(display.black, display.white));
    this.root.querySelector(".gates i").style.background = gradient(gate);
    this.place.style.setProperty("--activation", gradient(other));
  }

  layer(cell) {
    const picture = this.pictures.get(cell.picture);
    const table = this.tableOf[cell.kind];
    if (!picture || !table) return null;
    const key = `${cell.kind} ${cell.picture}`;
    if (!this.layers.has(key)) this.layers.set(key, coloured(picture, table));
    return this.layers.get(key);
  }

  changed(colours) {
    if (colours) this.tables();
    this.draw();
    for (const other of shown) if (other !== this) other.follow(this.display, colours);
    window.dispatchEvent(new CustomEvent("scse-viz-display", { detail: { ...this.display } }));
    clearTimeout(this.rest);
    this.rest = setTimeout(() => this.send("display", { ...this.display }), RESTED_MS);
  }

  // Another grid of the page was changed: the same opacities, window and colours here, but a place of one's own.
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
    this.root.querySelector("[name=bare]").setAttribute("aria-pressed", this.bare);
    this.draw();
  }

  close() {
    shown.delete(this);
    this.watch.disconnect();
    this.sight?.disconnect();
    window.removeEventListener("beforeprint", this.print);
    clearTimeout(this.rest);
    cancelAnimationFrame(this.frame);
    cancelAnimationFrame(this.later);
    cancelAnimationFrame(this.tint);
    this.place.remove();
  }
}

// A block's name, and its mean gates side by side: read down the rows they are a profile through the networks.
function rowHead(row, columns) {
  const place = element("div", "row");
  place.append(element("strong", "", row.title), element("span", "detail", row.detail));
  const lists = [["mean sSE gate", (cell) => cell.kind === "gate" && cell.mean],
    ["mean cSE weight", (cell) => cell.channels && cell.channels.reduce((sum, weight) => sum + weight, 0) / cell.channels.length]];
  for (const [title, mean] of lists) {
    const list = element("div", "means");
    row.cells.forEach((cell, index) => {
      const value = mean(cell);
      if (typeof value !== "number") return;
      const bar = element("i");
      bar.style.setProperty("--value", value);
      list.append(element("span", "", columns[index].title), bar, element("span", "", value.toFixed(2)));
    });
    if (list.children.length) place.append(element("span", "detail", title), list);
  }
  return place;
}

// The colour scale of a kind of map and what its ends mean.
function kindKey({ title, scale, low, high }) {
  const key = element("figure", "");
  const bar = element("i");
  bar.style.background = gradient(scaleTable(scale));
  key.append(element("figcaption", "", title), element("span", "", low), bar, element("span", "", high));
  return key;
}

function element(name, className, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}
