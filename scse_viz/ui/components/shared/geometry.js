// Places of a slice are in mm from the top left corner of its array, whichever side of the screen that is drawn on.

export const MOST_ZOOM = 16;

export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

// Width and height of a slice.
export function extent({ columns, rows, column_mm: across, row_mm: down }) {
  return [columns * across, rows * down];
}

// Where a slice is drawn in `width` x `height` CSS pixels: pixels per mm, the corner on the screen, the extent in mm.
export function placement(slice, { zoom, centre }, width, height) {
  const mm = extent(slice);
  const perMm = Math.min(width / mm[0], height / mm[1]) * zoom;
  const [x, y] = zoom > 1 && centre ? centre : [mm[0] / 2, mm[1] / 2];
  const mirrored = Boolean(slice.mirrored);
  return { perMm, left: width / 2 - (mirrored ? mm[0] - x : x) * perMm, top: height / 2 - y * perMm, mm, mirrored };
}

// mm -> CSS pixels of the panel.
export function toScreen({ perMm, left, top, mm, mirrored }, [x, y]) {
  return [left + (mirrored ? mm[0] - x : x) * perMm, top + y * perMm];
}

// CSS pixels of the panel -> mm.
export function toMm({ perMm, left, top, mm, mirrored }, [right, down]) {
  const x = (right - left) / perMm;
  return [mirrored ? mm[0] - x : x, (down - top) / perMm];
}

export function inside(slice, [x, y]) {
  const [width, height] = extent(slice);
  return x >= 0 && y >= 0 && x < width && y < height;
}

// mm -> [row, column] of the slice.
export const pixelAt = (slice, [x, y]) => [Math.floor(y / slice.row_mm), Math.floor(x / slice.column_mm)];

// [row, column] -> mm of the pixel's middle.
export const middleOf = (slice, [row, column]) => [(column + 0.5) * slice.column_mm, (row + 0.5) * slice.row_mm];

// The middle of the pixel that lies `right` and `down` pixels away on the screen, or of the last one on that way.
export function stepped(slice, place, right, down) {
  const [row, column] = pixelAt(slice, place);
  const across = slice.mirrored ? -right : right;
  return middleOf(slice, [clamp(row + down, 0, slice.rows - 1), clamp(column + across, 0, slice.columns - 1)]);
}

// The display {zoom, centre} zoomed by a factor, 0 to fit; `fixed` (mm) stays where it is on the screen.
export function zoomed(slice, display, factor, fixed = null) {
  const zoom = factor === 0 ? 1 : clamp(display.zoom * factor, 1, MOST_ZOOM);
  if (zoom === 1) return { zoom, centre: null };
  const [width, height] = extent(slice);
  const centre = (display.zoom > 1 && display.centre) || [width / 2, height / 2];
  if (!fixed) return { zoom, centre: held(slice, centre) };
  const shrink = display.zoom / zoom;
  return { zoom, centre: held(slice, [0, 1].map((axis) => fixed[axis] + (centre[axis] - fixed[axis]) * shrink)) };
}

// The centre after the picture was dragged by CSS pixels.
export function panned(slice, centre, { perMm, mirrored }, right, down) {
  return held(slice, [centre[0] - ((mirrored ? -1 : 1) * right) / perMm, centre[1] - down / perMm]);
}

function held(slice, [x, y]) {
  const [width, height] = extent(slice);
  return [clamp(x, 0, width), clamp(y, 0, height)];
}

// [row, column] -> [x, y, z] of the scan, by what Python sends: the first pixel's voxel, and what a step adds.
export function voxelOf({ origin, row, column }, [rows, columns]) {
  return origin.map((start, axis) => start + rows * row[axis] + columns * column[axis]);
}

// Voxel -> mm of the scan's space, by its affine (4, 4).
export function spaceOf(affine, [x, y, z]) {
  return affine.slice(0, 3).map((line) => line[0] * x + line[1] * y + line[2] * z + line[3]);
}
