// What is read at the crosshair, and where keys and the cut through the head go.

// What is cut away, as azimuth and elevation in degrees, and whether that is the way to higher voxels: the left, the
// front and the top, since the head is seen from the left and the front.
export const CUTS = {
  sagittal: { axis: 0, azimuth: 270, elevation: 0, way: -1 },
  coronal: { axis: 1, azimuth: 180, elevation: 0, way: 1 },
  axial: { axis: 2, azimuth: 0, elevation: 90, way: 1 },
};
const KEYS = {
  ArrowLeft: [-1, 0, 0], ArrowRight: [1, 0, 0],
  ArrowDown: [0, -1, 0], ArrowUp: [0, 1, 0],
  PageDown: [0, 0, -1], PageUp: [0, 0, 1],
};

// NiiVue measures a cut from the middle of the volume; half of a side is 0.5. `position` is the crosshair, 0 to 1.
export const cutDepth = (plane, position) => CUTS[plane].way * (position[CUTS[plane].axis] - 0.5);

// The voxels that a key moves the crosshair by; left and right are those of the screen. Undefined for other keys.
export function keyStep(key, radiological) {
  const step = KEYS[key];
  return step && radiological && step[0] ? [-step[0], 0, 0] : step;
}

// Voxel of the volume that is drawn, which has every `steps`-th voxel -> voxel of the scan.
export function toScan(voxel, { steps, shape }) {
  return Array.from(voxel.slice(0, 3), (place, axis) => {
    return Math.min(shape[axis] - 1, Math.max(0, Math.round(place) * steps[axis]));
  });
}

// A share of the map's scale as a value of two digits.
export const amount = (share, [low, high]) => Number((low + (high - low) * share).toPrecision(2)).toString();

// Voxel, structure and map at the crosshair; `values` are NiiVue's {name, value}.
export function crosshairText(voxel, values, { structures, map }) {
  const said = [`voxel (${voxel.join(", ")})`];
  for (const { name, value } of values) {
    const number = Math.round(value);
    if (name.startsWith("labels")) said.push(structures[number]?.name ?? `class ${number}`);
    if (name.startsWith("map")) said.push(number ? `${map.title} ${amount((number - 1) / 254, map.span)}` : "slice not done");
  }
  return said.join(" · ");
}
