// Tables of 256 colours [r, g, b, a], and pictures of numbers coloured by them.

import { newCanvas } from "./elements.js";
import { clamp } from "./geometry.js";

// Numbers -> a canvas of the same size.
export function coloured(picture, table) {
  const canvas = newCanvas(picture.width, picture.height);
  const context = canvas.getContext("2d");
  const image = context.createImageData(picture.width, picture.height);
  const words = new Uint32Array(image.data.buffer);
  const colours = new Uint32Array(table.buffer);
  for (let i = 0; i < words.length; i++) words[i] = colours[picture.numbers[i]];
  context.putImageData(image, 0, 0);
  return canvas;
}

// A scale as Python sends it, base64 of (256, 3) -> its table.
export function scaleTable(base64) {
  const rgb = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const table = new Uint8Array(1024);
  for (let i = 0; i < 256; i++) table.set([rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2], 255], 4 * i);
  return table;
}

// The table for a picture whose numbers 0 and 255 are the values of `span`, where `range` are the ends of the scale.
export function spanTable(scale, span, range) {
  const table = new Uint8Array(1024);
  for (let i = 0; i < 256; i++) {
    const value = span[0] + ((span[1] - span[0]) * i) / 255;
    const at = clamp(Math.round((255 * (value - range[0])) / (range[1] - range[0])), 0, 255);
    table.set(scale.subarray(4 * at, 4 * at + 4), 4 * i);
  }
  return table;
}

// Gray between two percentages of the range of intensities that was sent.
export function windowTable(black, white) {
  const table = new Uint8Array(1024);
  const low = 2.55 * black;
  const high = Math.max(2.55 * white, low + 1);
  for (let i = 0; i < 256; i++) {
    const gray = Math.round(255 * clamp((i - low) / (high - low), 0, 1));
    table.set([gray, gray, gray, 255], 4 * i);
  }
  return table;
}

// Structures -> their colours; background is clear, and so are all others while `only` one is picked out.
export function labelTable(structures, only = null) {
  const table = new Uint8Array(1024);
  structures.forEach(({ colour }, number) => {
    if (number === 0 || (only !== null && only !== number)) return;
    const rgb = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
    table.set([...rgb, 255], 4 * number);
  });
  return table;
}

// A table as CSS, left to right.
export function gradient(table) {
  const stops = [];
  for (let i = 0; i < 256; i += 15) stops.push(`rgb(${table[4 * i]} ${table[4 * i + 1]} ${table[4 * i + 2]})`);
  return `linear-gradient(to right, ${stops.join(", ")})`;
}
