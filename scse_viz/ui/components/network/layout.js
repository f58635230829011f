// The places of the stages of the network: a U where there is room, else a ladder, encoder left and decoder right.

const NARROW = 700; // px: below it, eleven pictures beside one another are too small to read
const SMALLEST = 60; // px of a picture in a U, below which stages of several blocks are folded into one picture
const MOST = 14; // pictures of a ladder, beyond which they are folded
const GAP = 16;
const WORDS = { below: 50, beside: 84 }; // px that a stage's name and size take

// Whether so many pictures are too many for the width.
export function tooMany(count, width) {
  return width < NARROW ? count > MOST : (width - GAP * (count - 1)) / count < SMALLEST;
}

// Cells {name, level, side, end} in the order of the forward pass -> their pictures' boxes {x, y, width, height} in px,
// and the whole height. Level 0 is the finest; the side is left, middle or right; an end is input or prediction.
export function layOut(cells, width, aspect) {
  return width < NARROW ? ladder(cells, width, aspect) : bow(cells, width, aspect);
}

function bow(cells, width, aspect) {
  const side = Math.min((width - GAP * (cells.length - 1)) / cells.length, 110);
  const height = side / aspect;
  const across = (width - side) / (cells.length - 1);
  const step = Math.max(34, Math.min(44, height * 0.42));
  const boxes = new Map(
    cells.map(({ name, level }, index) => [name, { x: index * across, y: level * step, width: side, height }]),
  );
  const deepest = Math.max(...cells.map(({ level }) => level));
  return { boxes, height: deepest * step + height + WORDS.below, step, words: "below" };
}

function ladder(cells, width, aspect) {
  const height = Math.min(84, (width / 2 - WORDS.beside - 30) / aspect);
  const side = height * aspect;
  const step = height + 12;
  const { rows, count } = rungs(cells);
  const boxes = new Map(
    cells.map(({ name, level, side: where, end }) => {
      const inset = WORDS.beside + (end ? 0 : Math.min(level, 3) * 8);
      const x = { left: inset, right: width - inset - side, middle: (width - side) / 2 }[where];
      return [name, { x, y: rows.get(name) * step, width: side, height }];
    }),
  );
  return { boxes, height: (count - 1) * step + height + WORDS.below, step, words: "beside" };
}

// The rows of a ladder: the ends, then level by level, the encoder downwards and the decoder upwards, and the middle.
function rungs(cells) {
  const rows = new Map(cells.filter(({ end }) => end).map(({ name }) => [name, 0]));
  const inner = cells.filter(({ end }) => !end);
  let count = 1;
  for (const level of [...new Set(inner.map((cell) => cell.level))].sort((one, other) => one - other)) {
    const [left, right] = ["left", "right"].map((where) => inner.filter((cell) => cell.level === level && cell.side === where));
    const high = Math.max(left.length, right.length);
    left.forEach(({ name }, index) => rows.set(name, count + index));
    right.forEach(({ name }, index) => rows.set(name, count + high - 1 - index));
    count += high;
  }
  inner.filter(({ side }) => side === "middle").forEach(({ name }) => rows.set(name, count++));
  return { rows, count };
}

// Lines of the drawing: [kind, path], kind "flow" from a cell to the next, "skip" from encoder to decoder of a level.
export function connections(cells, { boxes, step, words }) {
  const lines = cells.slice(1).map(({ name }, index) => {
    const [from, to] = [boxes.get(cells[index].name), boxes.get(name)];
    return ["flow", words === "below" ? sideways(from, to) : steps(from, to)];
  });
  const inner = cells.filter(({ end }) => !end);
  for (const level of new Set(inner.map((cell) => cell.level))) {
    const from = inner.findLast((cell) => cell.level === level && cell.side === "left");
    const to = inner.find((cell) => cell.level === level && cell.side === "right");
    if (from && to) lines.push(["skip", skip(boxes.get(from.name), boxes.get(to.name), words === "below" ? step / 2 - 4 : undefined)]);
  }
  return lines;
}

function skip(from, to, down = from.height / 2) {
  const [start, end] = [from.y + down, to.y + down];
  const corner = start === end ? "" : `H${(from.x + from.width + to.x) / 2}V${end}`;
  return `M${from.x + from.width + 1} ${start}${corner}H${to.x - 6}`;
}

// From the right edge of one picture to the left edge of the next, at the height of the lower one's middle.
function sideways(from, to) {
  const y = Math.max(from.y, to.y) + (Math.min(from.y, to.y) + from.height - Math.max(from.y, to.y)) / 2 + 6;
  if (Math.abs(from.y - to.y) < from.height) return `M${from.x + from.width + 1} ${y}H${to.x - 6}`;
  const x = (from.x + from.width + to.x) / 2; // round the corner where the two are not side by side
  return `M${from.x + from.width + 1} ${from.y + from.height / 2}H${x}V${to.y + to.height / 2}H${to.x - 6}`;
}

// Down, up, or round the corner to the bottleneck.
function steps(from, to) {
  const middle = (box) => box.x + box.width / 2;
  if (from.y === to.y) return `M${from.x + from.width + 1} ${from.y + from.height / 2}H${to.x - 6}`;
  if (Math.abs(middle(from) - middle(to)) < from.width) {
    const x = (middle(from) + middle(to)) / 2;
    return from.y < to.y ? `M${x} ${from.y + from.height + 1}V${to.y - 5}` : `M${x} ${from.y - 1}V${to.y + to.height + 5}`;
  }
  if (from.y < to.y) return `M${middle(from)} ${from.y + from.height + 1}V${to.y + to.height / 2}H${to.x - 6}`;
  return `M${from.x + from.width + 1} ${from.y + from.height / 2}H${middle(to)}V${to.y + to.height + 5}`;
}
