// The panels as a file: an SVG of what is drawn, maps as pixels and words as words, or a PNG of that SVG.

import { newCanvas } from "../shared/elements.js";

const SVG = "http://www.w3.org/2000/svg";
const SHARPNESS = 2; // pixels of the PNG for a CSS pixel

export async function savePanels(view, format) {
  view.sight.drawSome(() => true);
  const svg = pictureOf(view);
  const text = new XMLSerializer().serializeToString(svg);
  const vector = new Blob([text], { type: "image/svg+xml" });
  const link = document.createElement("a");
  link.download = `scse-viz-maps.${format}`;
  link.href = URL.createObjectURL(format === "svg" ? vector : await rastered(vector, svg));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function pictureOf(view) {
  const frame = view.place.getBoundingClientRect();
  const top = view.root.querySelector(".bar").getBoundingClientRect().bottom;
  const [width, height] = [Math.ceil(frame.width), Math.ceil(frame.bottom - top)];
  const placed = ({ left, top: y, width: w, height: h }) => ({ x: left - frame.left, y: y - top, width: w, height: h });
  const box = (part) => placed(part.getBoundingClientRect());
  const style = getComputedStyle(view.place);
  const svg = shape("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
  svg.append(shape("rect", { width, height, fill: style.getPropertyValue("--st-background-color") || "#ffffff" }));
  for (const canvas of view.place.querySelectorAll("canvas")) {
    if (canvas.width && canvas.clientWidth)
      svg.append(shape("image", { ...box(canvas), href: canvas.toDataURL(), preserveAspectRatio: "none" }));
  }
  for (const entry of view.place.querySelectorAll(".legend button")) {
    const { x, y, height: tall } = box(entry);
    const fill = entry.style.getPropertyValue("--colour");
    svg.append(shape("rect", { x: x + 7, y: y + tall / 2 - 6, width: 12, height: 12, fill, stroke: "#808080" }));
  }
  view.place.querySelectorAll("i").forEach((bar, index) => drawBar(svg, bar, box(bar), `scale${index}`, style));
  drawWords(svg, view.place, placed, view.header.hint);
  return svg;
}

// A colour scale, or a mean from 0 to 1.
function drawBar(svg, bar, place, name, style) {
  if (!place.width) return;
  const colours = getComputedStyle(bar).backgroundImage.match(/rgba?\([^)]*\)/g);
  const value = bar.style.getPropertyValue("--value");
  if (value) {
    svg.append(shape("rect", { ...place, fill: "#80808055" }));
    const fill = style.getPropertyValue("--st-primary-color") || "#1f6f8b";
    svg.append(shape("rect", { ...place, width: place.width * Number(value), fill }));
  } else if (colours) {
    const gradient = shape("linearGradient", { id: name });
    colours.forEach((colour, at) =>
      gradient.append(shape("stop", { offset: at / (colours.length - 1), "stop-color": colour })));
    svg.append(gradient, shape("rect", { ...place, fill: `url(#${name})` }));
  }
}

// All that is written, but the hint on how to read a place.
function drawWords(svg, place, placed, hint) {
  const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const parent = node.parentElement;
    if (!node.data.trim() || parent.closest(".bar, select, style") || node.data === hint) continue;
    const { color, fontFamily, fontSize, fontWeight } = getComputedStyle(parent);
    const look = { fill: color, "font-family": fontFamily, "font-size": fontSize, "font-weight": fontWeight };
    for (const { text, box } of linesOf(node)) {
      const { x, y, width, height } = placed(box);
      // The page's font may be missing where the file is drawn: words keep the width that they have on the page.
      const words = shape("text", { x, y: y + 0.78 * height, textLength: width, lengthAdjust: "spacingAndGlyphs", ...look });
      words.textContent = text;
      svg.append(words);
    }
  }
}

// The lines that the browser has broken a text into, each with its box on the screen.
function linesOf(node) {
  const lines = [];
  for (const { 0: word, index } of node.data.matchAll(/\S+/g)) {
    const range = document.createRange();
    range.setStart(node, index);
    range.setEnd(node, index + word.length);
    const box = range.getBoundingClientRect();
    if (!box.width) continue;
    const line = lines.at(-1);
    if (line && Math.abs(line.box.top - box.top) < 1) {
      line.text += ` ${word}`;
      line.box.width = box.right - line.box.left;
    } else lines.push({ text: word, box: DOMRect.fromRect(box) });
  }
  return lines;
}

async function rastered(vector, svg) {
  const picture = new Image();
  picture.src = URL.createObjectURL(vector);
  await picture.decode();
  const canvas = newCanvas(SHARPNESS * svg.getAttribute("width"), SHARPNESS * svg.getAttribute("height"));
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(picture.src);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

function shape(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
