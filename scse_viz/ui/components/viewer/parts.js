// What the 3-D view is made of: its controls, its colours, and the parts that come as messages of their own.

export const CONTROLS = `
<div class="bar" role="toolbar" aria-label="Display of the 3-D view">
  <label title="Three planes through one voxel and the head in space, or one of them alone.">Show
    <select name="show"><option value="all">planes and 3-D</option><option value="3d">3-D</option>
      <option value="sagittal">sagittal</option><option value="coronal">coronal</option>
      <option value="axial">axial</option></select></label>
  <label title="How opaque the scan is; in space, what lies inside shows through.">Opacity: scan
    <input type="range" name="scan" min="0" max="100" step="1"><output></output></label>
  <label title="How strongly the block's map covers the scan.">map
    <input type="range" name="map" min="0" max="100" step="1"><output></output></label>
  <label title="How strongly the predicted structures cover the scan.">structures
    <input type="range" name="labels" min="0" max="100" step="1"><output></output></label>
  <label title="The map is clear where it is lower.">Map from
    <input type="range" name="since" min="0" max="100" step="1"><output></output></label>
  <label title="Leave map and structures out where the scan is black, as in the air around a head.">
    <input type="checkbox" name="masked">Not in the air</label>
  <label title="Cut the head in space open at the crosshair, along the plane of the slices.">
    <input type="checkbox" name="cut">Cut open</label>
  <label title="Interpolate between voxels. Off, every voxel stays a block of its own size.">
    <input type="checkbox" name="smooth">Smooth</label>
</div>
<div class="stage"><canvas role="img"></canvas><div class="wait">Loading the viewer …</div></div>
<div class="key"><figure hidden><figcaption></figcaption><span></span><i></i><span></span></figure>
  <span class="convention"></span>
  <span class="slow" hidden>Drawn without a graphics card, so it is slow.</span>
  <span class="place" role="status"></span></div>`;

const parts = (globalThis.scseVolumeParts ??= new Map()); // name -> {bytes: a promise, arrived: what settles it}

// The bytes of a part, once it has come.
export function part(name) {
  if (!parts.has(name)) {
    const place = {};
    place.bytes = new Promise((arrived) => (place.arrived = arrived));
    parts.set(name, place);
  }
  return parts.get(name).bytes;
}

export async function library(name) {
  if (!globalThis.scseNiivue) {
    const url = URL.createObjectURL(new Blob([await part(name)], { type: "text/javascript" }));
    globalThis.scseNiivue = await import(url);
    URL.revokeObjectURL(url);
  }
  return globalThis.scseNiivue;
}

export const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

// 256 colours for the numbers of a map: 0 is nothing, 1 to 255 the scale, clear up to `since` percent of it.
export function mapTable(base64, since) {
  const rgb = bytesOf(base64);
  const table = { R: [], G: [], B: [], A: [], I: [], min: 0, max: 0 };
  for (let i = 0; i < 256; i++) {
    const at = 3 * Math.max(0, i - 1);
    table.R.push(rgb[at]);
    table.G.push(rgb[at + 1]);
    table.B.push(rgb[at + 2]);
    table.A.push(i > 0 && (i - 1) / 254 >= since / 100 ? 255 : 0);
    table.I.push(i);
  }
  return table;
}

// NiiVue's table of colours for the structures; background is clear.
export function labelTable(structures) {
  const channel = (at) => structures.map(({ colour }) => parseInt(colour.slice(at, at + 2), 16));
  return {
    R: channel(1), G: channel(3), B: channel(5), A: structures.map((_, number) => (number ? 255 : 0)),
    I: structures.map((_, number) => number), labels: structures.map(({ name }) => name),
  };
}
