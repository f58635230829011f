// Drawing: everything is placed in mm from the top left corner of the slice, so pixels keep their true shape.

// Where the slice lies in a panel of `width` x `height` CSS pixels: CSS pixels per mm, and the slice's corner.
function placement(slice, display, width, height) {
  const mm = [slice.columns * slice.column_mm, slice.rows * slice.row_mm];
  const fit = Math.min(width / mm[0], height / mm[1]);
  const perMm = fit * display.zoom;
  const centre = display.zoom > 1 && display.centre ? display.centre : [mm[0] / 2, mm[1] / 2];
  return { perMm, left: width / 2 - centre[0] * perMm, top: height / 2 - centre[1] * perMm, mm };
}

function drawPanel(panel, view) {
  const { canvas, cell, width, height } = panel;
  const { slice, display } = view;
  if (!width || !height) return;
  const ratio = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.fillStyle = "#000";
  context.fillRect(0, 0, width, height);
  const place = placement(slice, display, width, height);
  const whole = [place.left, place.top, place.mm[0] * place.perMm, place.mm[1] * place.perMm];
  context.save();
  context.beginPath();
  context.rect(...whole);
  context.clip();
  context.imageSmoothingEnabled = display.smooth;
  context.imageSmoothingQuality = "high";
  context.drawImage(view.sliceCanvas, ...whole);
  const layer = view.bare ? null : view.layer(cell);
  if (layer) {
    context.globalAlpha = (cell.kind === "labels" ? display.labels : display.opacity) / 100;
    context.imageSmoothingEnabled = display.smooth && cell.kind !== "labels" && !cell.readings;
    const [rowMm, columnMm] = cell.map_mm ?? [slice.row_mm, slice.column_mm];
    context.drawImage(
      layer, whole[0], whole[1], layer.width * columnMm * place.perMm, layer.height * rowMm * place.perMm,
    );
    context.globalAlpha = 1;
  }
  context.restore();
  drawLetters(context, slice.letters, width, height);
  const picked = view.pickedMm();
  if (picked) drawRing(context, picked, place);
  if (view.cross ?? picked) drawCross(context, view.cross ?? picked, place, width, height);
}

function drawLetters(context, letters, width, height) {
  if (!letters) return;
  const [top, right, bottom, left] = letters;
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

function drawCross(context, [x, y], place, width, height) {
  const left = place.left + x * place.perMm;
  const top = place.top + y * place.perMm;
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

function drawRing(context, [x, y], place) {
  for (const [colour, line] of [["#000a", 3.5], ["#fffd", 1.5]]) {
    context.strokeStyle = colour;
    context.lineWidth = line;
    context.beginPath();
    context.arc(place.left + x * place.perMm, place.top + y * place.perMm, 5, 0, 2 * Math.PI);
    context.stroke();
  }
}

// Channel weights as bars from 0 to 1, one a channel.
function drawChannels({ canvas, width, height }, weights, colours, picked) {
  if (!width || !height) return;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
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

// A colour scale as CSS, left to right.
function gradient(table) {
  const stops = [];
  for (let i = 0; i < 256; i += 15) stops.push(`rgb(${table[4 * i]} ${table[4 * i + 1]} ${table[4 * i + 2]})`);
  return `linear-gradient(to right, ${stops.join(", ")})`;
}
