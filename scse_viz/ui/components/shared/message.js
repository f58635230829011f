// The message of rendering.panels.pack: a header, then PNGs of numbers; decoded pictures are kept by name.

import { newCanvas } from "./elements.js";

export const ROOM = 16e6; // bytes kept of pictures out of view, such as those of the slice or variant seen just before

export function unpack(message) {
  const bytes = new Uint8Array(message.buffer, message.byteOffset, message.byteLength);
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
  return { header, body: bytes.subarray(4 + size) };
}

export function sameBytes(one, other) {
  if (one === other) return true;
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}

// The pictures of a message by name, and as many of the known ones as there is room for, the last used at the end.
export async function decodeAll({ header, body }, known, decode = decodePicture) {
  const entries = await Promise.all(
    Object.entries(header.pictures).map(async ([name, [offset, length]]) => [
      name,
      known.get(name) ?? (await decode(body.subarray(offset, offset + length))),
    ]),
  );
  const earlier = [...known].filter(([name]) => !(name in header.pictures));
  let room = ROOM;
  const kept = earlier.reverse().filter(([, { numbers }]) => (room -= numbers.length) > 0);
  return new Map([...kept.reverse(), ...entries]);
}

// PNG -> {width, height, numbers}: the very bytes that were encoded, whatever the screen's colour profile.
async function decodePicture(png) {
  const blob = new Blob([png], { type: "image/png" });
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const canvas = newCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  const { width, height } = bitmap;
  bitmap.close();
  const rgba = context.getImageData(0, 0, width, height).data;
  const numbers = new Uint8Array(width * height);
  for (let i = 0; i < numbers.length; i++) numbers[i] = rgba[4 * i];
  return { width, height, numbers };
}
