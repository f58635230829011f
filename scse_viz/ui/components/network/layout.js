// Where the stages of the network stand: a U where there is room, else a ladder, encoder left and decoder right.

const NARROW = 700; // px: below it, eleven pictures beside one another are too small to read
const GAP = 16;
const WORDS = { below: 34, beside: 84 }; // px that a stage's name and size take

// How many stages the encoder has.
export const depthOf = (names) => names.filter((name) => name.startsWith("encoder")).length;

// The name of a stage -> how far down it stands in a network of so many encoder stages, and on which side.
export function standing(name, depth) {
  if (name === "bottleneck") return { level: depth, side: "middle" };
  if (name === "input") return { level: 0, side: "left", end: true };
  if (name === "prediction") return { level: 0, side: "right", end: true };
  return { level: Number(name.slice(7)) - 1, side: name.startsWith("encoder") ? "left" : "right" };
}

// Stages in the order of the forward pass -> their pictures' boxes {x, y, width, height} in px, and the whole height.
export function layOut(names, width, aspect) {
  return width < NARROW ? ladder(names, width, aspect) : bow(names, width, aspect);
}

function bow(names, width, aspect) {
  const side = Math.min((width - GAP * (names.length - 1)) / names.length, 110);
  const height = side / aspect;
  const across = (width - side) / (names.length - 1);
  const step = Math.max(34, Math.min(44, height * 0.42));
  const depth = depthOf(names);
  const boxes = new Map(
    names.map((name, index) => [name, { x: index * across, y: standing(name, depth).level * step, width: side, height }]),
  );
  return { boxes, height: depth * step + height + WORDS.below, step, words: "below" };
}

function ladder(names, width, aspect) {
  const height = Math.min(84, (width / 2 - WORDS.beside - 30) / aspect);
  const side = height * aspect;
  const step = height + 12;
  const depth = depthOf(names);
  const boxes = new Map(
    names.map((name) => {
      const { level, side: where, end } = standing(name, depth);
      const row = end ? 0 : level + 1;
      const inset = WORDS.beside + (end ? 0 : level * 8);
      const x = { left: inset, right: width - inset - side, middle: (width - side) / 2 }[where];
      return [name, { x, y: row * step, width: side, height }];
    }),
  );
  return { boxes, height: (depth + 1) * step + height + WORDS.below, step, words: "beside" };
}

// Lines of the drawing: [kind, path], kind "flow" from a stage to the next, "skip" from encoder to decoder.
export function connections(names, { boxes, step, words }) {
  const lines = [];
  names.slice(1).forEach((name, index) => {
    lines.push(["flow", words === "below" ? sideways(boxes.get(names[index]), boxes.get(name)) : steps(boxes.get(names[index]), boxes.get(name))]);
  });
  for (let level = 1; level <= depthOf(names); level++) {
    const [from, to] = [boxes.get(`encoder${level}`), boxes.get(`decoder${level}`)];
    const y = from.y + (words === "below" ? step / 2 - 4 : from.height / 2);
    lines.push(["skip", `M${from.x + from.width + 1} ${y}H${to.x - 6}`]);
  }
  return lines;
}

// From the right edge of one picture to the left edge of the next, at the height of the lower one's middle.
function sideways(from, to) {
  const y = Math.max(from.y, to.y) + (Math.min(from.y, to.y) + from.height - Math.max(from.y, to.y)) / 2 + 6;
  return `M${from.x + from.width + 1} ${y}H${to.x - 6}`;
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
