// What is read where the crosshair is.

import { pixelAt, spaceOf, voxelOf } from "../shared/geometry.js";

// The number of a cell's map at a place (mm) in words; null where the map has none.
export function valueAt(cell, [x, y], picture, { slice, structures, kinds }) {
  if (!picture) return null;
  const [rowMm, columnMm] = cell.map_mm ?? [slice.row_mm, slice.column_mm];
  const column = Math.floor(x / columnMm);
  const row = Math.floor(y / rowMm);
  const number = picture.numbers[row * picture.width + column];
  if (number === undefined || column >= picture.width) return null;
  if (cell.kind === "labels") return structures[number]?.name ?? `class ${number}`;
  if (cell.readings) return cell.readings[number] ?? null;
  const value = cell.span[0] + ((cell.span[1] - cell.span[0]) * number) / 255;
  const kind = kinds[cell.kind];
  if (kind) return `${kind.word} ${cell.span[0] < 0 && value > 0 ? "+" : ""}${value.toFixed(2)}`;
  return cell.kind === "gate" ? `gate ${value.toFixed(2)}` : `activation ${Number(value.toPrecision(2))} a.u.`;
}

// A place (mm of the slice) as a voxel, and in mm of the scan's space where that is known.
export function positionText(mm, { slice, voxel }) {
  const found = voxelOf(voxel, pixelAt(slice, mm));
  const text = `voxel (${found.join(", ")})`;
  if (!voxel.affine) return text;
  const space = spaceOf(voxel.affine, found).map((value) => value.toFixed(1));
  return `${text} · mm (${space.join(", ")})`;
}
