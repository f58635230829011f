// What the pointer and the keys do to all panels together, and what they read.

Object.assign(PanelsView.prototype, {
  placeIn(panel) {
    return placement(this.slice, this.display, panel.canvas.clientWidth, panel.canvas.clientHeight);
  },

  // The place under the pointer, in mm from the top left corner of the slice.
  mmAt(panel, event) {
    const box = panel.canvas.getBoundingClientRect();
    const place = this.placeIn(panel);
    return [
      (event.clientX - box.left - place.left) / place.perMm, (event.clientY - box.top - place.top) / place.perMm,
    ];
  },

  inside([x, y]) {
    const { slice } = this;
    return x >= 0 && y >= 0 && x < slice.columns * slice.column_mm && y < slice.rows * slice.row_mm;
  },

  point(panel, event) {
    const mm = this.mmAt(panel, event);
    this.cross = this.inside(mm) ? mm : null;
    this.draw();
  },

  leave() {
    this.cross = null;
    for (const strip of this.strips) strip.picked = -1;
    this.draw();
  },

  // The place that the page holds on to, [row, column] of the slice, in mm; null where it asks for none.
  pickedMm() {
    if (!this.header.picked) return null;
    const [row, column] = this.header.picked;
    return [(column + 0.5) * this.slice.column_mm, (row + 0.5) * this.slice.row_mm];
  },

  // Tell the page, where it asks for it, which pixel of the slice is under the crosshair.
  pick() {
    if (!this.header.pick || !this.cross) return;
    const { row_mm: down, column_mm: across } = this.slice;
    this.header.picked = [Math.floor(this.cross[1] / down), Math.floor(this.cross[0] / across)];
    this.draw();
    this.trigger("picked", this.header.picked);
  },

  // One voxel along columns and rows.
  step(columns, rows) {
    const { column_mm: across, row_mm: down, columns: width, rows: height } = this.slice;
    const [x, y] = this.cross ?? this.pickedMm() ?? [(width * across) / 2, (height * down) / 2];
    this.cross = [
      clamp((Math.floor(x / across) + columns + 0.5) * across, across / 2, (width - 0.5) * across),
      clamp((Math.floor(y / down) + rows + 0.5) * down, down / 2, (height - 0.5) * down),
    ];
    this.draw();
  },

  // 0 fits the whole slice; the place under the pointer, where there is one, stays under it.
  zoomBy(factor, panel, event) {
    const { display } = this;
    const fixed = panel && this.mmAt(panel, event);
    const before = panel && this.placeIn(panel).perMm;
    const middle = [(this.slice.columns * this.slice.column_mm) / 2, (this.slice.rows * this.slice.row_mm) / 2];
    const centre = (display.zoom > 1 && display.centre) || middle;
    display.zoom = factor === 0 ? 1 : clamp(display.zoom * factor, 1, 16);
    if (display.zoom === 1) display.centre = null;
    else if (fixed) {
      const shrink = before / this.placeIn(panel).perMm;
      display.centre = this.held([0, 1].map((axis) => fixed[axis] + (centre[axis] - fixed[axis]) * shrink));
    } else display.centre = this.held(centre);
    this.changed(false);
  },

  panBy(panel, right, down) {
    const { perMm } = this.placeIn(panel);
    const [x, y] = this.display.centre;
    this.display.centre = this.held([x - right / perMm, y - down / perMm]);
    this.changed(false);
  },

  held([x, y]) {
    const { slice } = this;
    return [clamp(x, 0, slice.columns * slice.column_mm), clamp(y, 0, slice.rows * slice.row_mm)];
  },

  pointChannel(event) {
    const strip = this.strips.find(({ canvas }) => canvas === event.target);
    const picked = (one) => {
      if (one !== strip) return -1;
      const box = one.canvas.getBoundingClientRect();
      const place = (event.clientX - box.left - 14) / (box.width - 14);
      return clamp(Math.floor(place * one.order.length), 0, one.order.length - 1);
    };
    if (strip) this.cross = null;
    if (strip || this.strips.some((one) => one.picked >= 0)) {
      for (const one of this.strips) one.picked = picked(one);
      this.draw();
    }
  },

  // The number of a cell at a place, in words.
  valueAt(cell, [x, y]) {
    const picture = this.pictures.get(cell.picture);
    if (!picture) return null;
    const [rowMm, columnMm] = cell.map_mm ?? [this.slice.row_mm, this.slice.column_mm];
    const column = Math.floor(x / columnMm);
    const row = Math.floor(y / rowMm);
    const number = picture.numbers[row * picture.width + column];
    if (number === undefined || column >= picture.width) return null;
    if (cell.kind === "labels") return this.structures[number]?.name ?? `class ${number}`;
    if (cell.readings) return cell.readings[number] ?? null;
    const value = cell.span[0] + ((cell.span[1] - cell.span[0]) * number) / 255;
    const kind = this.header.kinds[cell.kind];
    if (kind) return `${kind.word} ${cell.span[0] < 0 && value > 0 ? "+" : ""}${value.toFixed(2)}`;
    return cell.kind === "gate" ? `gate ${value.toFixed(2)}` : `activation ${Number(value.toPrecision(2))} a.u.`;
  },

  // Captions and the line above the panels say what is under the crosshair, else what each panel shows.
  read() {
    const place = this.cross ?? this.pickedMm();
    for (const { cell, caption } of this.panels) {
      caption.textContent = (place && this.valueAt(cell, place)) || cell.caption;
      caption.classList.toggle("here", Boolean(place));
    }
    for (const { cell, caption, order, picked } of this.strips) {
      if (picked >= 0) caption.textContent = `channel ${order[picked]}: ${cell.channels[order[picked]].toFixed(2)}`;
      else caption.textContent = cell.weights;
    }
    this.root.querySelector(".place").textContent = place ? this.where(place) : this.header.hint;
  },

  where([x, y]) {
    const { origin, row, column, affine } = this.header.voxel;
    const { row_mm: down, column_mm: across } = this.slice;
    const rows = Math.floor(y / down);
    const columns = Math.floor(x / across);
    const voxel = origin.map((start, axis) => start + rows * row[axis] + columns * column[axis]);
    const text = `voxel (${voxel.join(", ")})`;
    if (!affine) return text;
    const mm = affine.slice(0, 3).map((line) => line[0] * voxel[0] + line[1] * voxel[1] + line[2] * voxel[2] + line[3]);
    return `${text} · mm (${mm.map((value) => value.toFixed(1)).join(", ")})`;
  },
});

const views = new WeakMap();

export default function panels({ data, parentElement, setStateValue, setTriggerValue }) {
  let view = views.get(parentElement);
  if (!view) {
    view = new PanelsView(parentElement);
    views.set(parentElement, view);
  }
  view.send = setStateValue;
  view.trigger = setTriggerValue;
  view.show(data);
  return () => {
    views.delete(parentElement);
    view.close();
  };
}
