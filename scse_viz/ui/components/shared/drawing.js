// Drawing of slices, maps and channel weights on canvases.

import { toScreen } from "./geometry.js";

// The slice, and over it the coloured map of a cell, {layer, cell}, where there is one.
export function drawMaps(context, place, { slice, display, sliceCanvas }, { layer, cell }) {
  const whole = [place.left, place.top, place.mm[0] * place.perMm, place.mm[1] * place.perMm];
  context.save();
  context.beginPath();
  context.rect(...whole);
  context.clip();
  if (place.mirrored) {
    context.translate(2 * place.left + whole[2], 0);
    context.scale(-1, 1);
  }
  context.imageSmoothingEnabled = display.smooth;
  context.imageSmoothingQuality = "high";
  context.drawImage(sliceCanvas, ...whole);
  if (layer) {
    context.globalAlpha = (cell.kind === "labels" ? display.labels : display.opacity) / 100;
    context.imageSmoothingEnabled = display.smooth && cell.kind !== "labels" && !cell.readings;
    const [rowMm, columnMm] = cell.map_mm ?? [slice.row_mm, slice.column_mm];
    const size = [layer.width * columnMm * place.perMm, layer.height * rowMm * place.perMm];
    context.drawImage(layer, whole[0], whole[1], ...size);
  }
  context.restore();
}

// Letters [top, right, bottom, left] at the edges.
export function drawLetters(context, [top, right, bottom, left], width, height) {
  context.font = "600 11px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineWidth = 3;
  context.strokeStyle = "#000c";
  context.fillStyle = "#fff";
  for (const [letter, x, y] of [
    [top, width / 2, 9], [right, width - 8, height / 2], [bottom, width / 2, height - 9], [left, 8, height / 2],
  ]) {
    context.strokeText(letter, x, y);
    context.fillText(letter, x, y);
  }
}

export function drawCross(context, place, mm, width, height) {
  const [left, top] = toScreen(place, mm);
  for (const [colour, line] of [["#000a", 3], ["#fffd", 1]]) {
    context.strokeStyle = colour;
    context.lineWidth = line;
    context.beginPath();
    for (const [x1, y1, x2, y2] of [
      [left, 0, left, top - 5], [left, top + 5, left, height], [0, top, left - 5, top], [left + 5, top, width, top],
    ]) {
      context.moveTo(x1, y1);
      context.lineTo(x2, y2);
    }
    context.stroke();
  }
}

export function drawRing(context, place, mm, radius) {
  for (const [colour, line] of [["#000a", 3.5], ["#fffd", 1.5]]) {
    context.strokeStyle = colour;
    context.lineWidth = line;
    context.beginPath();
    context.arc(...toScreen(place, mm), radius, 0, 2 * Math.PI);
    context.stroke();
  }
}

// Channel weights as bars from 0 to 1, one a channel; the picked one, by its place, in another colour.
export function drawChannels(context, { width, height }, weights, colours, picked = -1) {
  context.clearRect(0, 0, width, height);
  const left = 14;
  const step = (width - left) / weights.length;
  context.strokeStyle = colours.line;
  context.lineWidth = 1;
  context.beginPath();
  for (const value of [0, 0.5, 1]) {
    const y = 4.5 + Math.round((height - 9) * (1 - value));
    context.moveTo(left, y);
    context.lineTo(width, y);
  }
  context.stroke();
  weights.forEach((weight, index) => {
    context.fillStyle = index === picked ? colours.text : colours.bar;
    const size = (height - 9) * weight;
    context.fillRect(left + index * step, height - 4.5 - size, step - (step > 3 ? 1 : 0), size);
  });
  context.fillStyle = colours.faded;
  context.font = "10px system-ui, sans-serif";
  context.textAlign = "left";
  context.textBaseline = "top";
  context.fillText("1", 2, 0);
  context.textBaseline = "bottom";
  context.fillText("0", 2, height);
}

// Words in the middle of a picture that is crossed out: there is nothing to draw.
export function drawNote(context, { width, height }, words, colours) {
  context.clearRect(0, 0, width, height);
  context.strokeStyle = colours.line;
  context.lineWidth = 1;
  context.beginPath();
  for (let x = -height; x < width; x += 9) {
    context.moveTo(x, height);
    context.lineTo(x + height, 0);
  }
  context.stroke();
  context.fillStyle = colours.text;
  context.font = "600 11px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(words, width / 2, height / 2, width - 6);
}

const INKS = ["text", "faded", "line", "bar"]; // colours of the theme that are drawn, not styled

export function inksOf(place) {
  const style = getComputedStyle(place);
  return Object.fromEntries(INKS.map((name) => [name, style.getPropertyValue(`--${name}`)]));
}
