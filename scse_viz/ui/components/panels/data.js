// The message of pictures.pack: header, then PNGs of numbers; decoded pictures are kept by name.

const ROOM = 16e6; // bytes of pictures out of view, such as those of the slice or the variant seen just before

function unpack(message) {
  const bytes = new Uint8Array(message.buffer, message.byteOffset, message.byteLength);
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
  return { header, body: bytes.subarray(4 + size) };
}

function sameBytes(one, other) {
  if (one === other) return true;
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
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

// The pictures of a message, decoded, and as many of earlier ones as there is room for, those used last at the end.
async function decodeAll({ header, body }, known) {
  const entries = await Promise.all(
    Object.entries(header.pictures).map(async ([name, [offset, length]]) => [
      name,
      known.get(name) ?? (await decodePicture(body.subarray(offset, offset + length))),
    ]),
  );
  const earlier = [...known].filter(([name]) => !(name in header.pictures));
  let room = ROOM;
  const kept = earlier.reverse().filter(([, { numbers }]) => (room -= numbers.length) > 0);
  return new Map([...kept.reverse(), ...entries]);
}

function newCanvas(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

// Numbers -> a canvas of the same size, by a table of 256 colours [r, g, b, a].
function coloured(picture, table) {
  const canvas = newCanvas(picture.width, picture.height);
  const context = canvas.getContext("2d");
  const image = context.createImageData(picture.width, picture.height);
  const words = new Uint32Array(image.data.buffer);
  const colours = new Uint32Array(table.buffer);
  for (let i = 0; i < words.length; i++) words[i] = colours[picture.numbers[i]];
  context.putImageData(image, 0, 0);
  return canvas;
}

// A scale as Python sends it, base64 of (256, 3) -> 256 x [r, g, b, 255].
function scaleTable(base64) {
  const rgb = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const table = new Uint8Array(1024);
  for (let i = 0; i < 256; i++) table.set([rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2], 255], 4 * i);
  return table;
}

// Gray between two percentages of the range of intensities that was sent.
function windowTable(black, white) {
  const table = new Uint8Array(1024);
  const low = 2.55 * black;
  const high = Math.max(2.55 * white, low + 1);
  for (let i = 0; i < 256; i++) {
    const gray = Math.round(255 * Math.min(1, Math.max(0, (i - low) / (high - low))));
    table.set([gray, gray, gray, 255], 4 * i);
  }
  return table;
}

// Structures -> their colours; background is clear, and so are all others while one is picked out.
function labelTable(structures, only) {
  const table = new Uint8Array(1024);
  structures.forEach(({ colour }, number) => {
    if (number === 0 || (only !== null && only !== number)) return;
    const rgb = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
    table.set([...rgb, 255], 4 * number);
  });
  return table;
}

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
