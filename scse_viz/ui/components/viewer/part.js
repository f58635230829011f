// A part of the 3-D view, sent once and kept by its name: the viewer's own code, or a volume. Gzipped, after a name.
// A part is a message of its own so that a new map does not send the scan again.

const KEPT = 8;
const parts = (globalThis.scseVolumeParts ??= new Map()); // as in parts.js

export default function part({ data, parentElement }) {
  const message = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const name = new TextDecoder().decode(message.subarray(1, 1 + message[0]));
  parentElement.host?.closest("[data-testid=stElementContainer]")?.style.setProperty("display", "none");
  const place = parts.get(name);
  if (place && !place.arrived) return;
  const packed = new Blob([message.subarray(1 + message[0])]).stream();
  const bytes = new Response(packed.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  place?.arrived(bytes);
  parts.set(name, { bytes });
  for (const [old, { arrived }] of [...parts].slice(0, -KEPT)) if (!arrived) parts.delete(old);
}
