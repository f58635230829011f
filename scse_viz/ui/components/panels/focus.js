// One block at a time: its map large, what belongs to it beside it.

Object.assign(PanelsView.prototype, {
  // The panels of the one row, the first of them large, each below its name; the slice stands after the labels.
  fillFocus() {
    const { columns, rows: [row] } = this.header;
    const cells = row.cells.map((cell, index) => {
      const place = this.cell(cell, row);
      place.prepend(element("div", "name", columns[index].title));
      place.title = columns[index].detail;
      return place;
    });
    const slice = this.firstCell(row, 0);
    slice.prepend(element("div", "name", row.reference ? "labels of the scan" : "slice"));
    cells.splice(row.cells.findIndex(({ kind }) => kind === "labels") + 1, 0, slice);
    this.grid.replaceChildren(...cells, this.legend());
  },
});
