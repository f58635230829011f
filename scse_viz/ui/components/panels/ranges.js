// The range of the gates' colour scale: 0 to 1 everywhere, or from the lowest to the highest gate of each block.

export const FIXED = [0, 1];
const LEAST_SPREAD = 0.005; // stretched over less, a flat map would look like one that varies

// The range for a row of the table, the same for all its columns.
export function gateRange(cells, choice) {
  const spans = cells.filter(({ kind }) => kind === "gate").map(({ span }) => span);
  if (choice !== "block" || !spans.length) return FIXED;
  const low = Math.min(...spans.map(([from]) => from));
  const high = Math.max(...spans.map(([, to]) => to));
  return high - low < LEAST_SPREAD ? FIXED : [low, high];
}

// The ends in words; more digits where two would be alike.
export function rangeWords([low, high]) {
  if (low === 0 && high === 1) return ["0", "1"];
  const digits = high - low < 0.02 ? 3 : 2;
  return [low.toFixed(digits), high.toFixed(digits)];
}

// What the key says at both ends of the scale: the range where all rows have the same, else that each has its own.
export function keyWords(ranges) {
  const words = ranges.map(rangeWords);
  const same = words.every(([low, high]) => low === words[0][0] && high === words[0][1]);
  return same ? (words[0] ?? rangeWords(FIXED)) : ["lowest of each block", "highest"];
}
