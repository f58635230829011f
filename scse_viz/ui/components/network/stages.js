// Stages of one block or several: which pictures represent them, and where those of the open stage are.

export const MEMBER = "member";
const ENDS = { input: "left", prediction: "right" };
const SIDES = { encoder: "left", bottleneck: "middle", decoder: "right" };
const STRIP = { gap: 14, widest: 92, words: 50, title: 28 }; // px

// What a stage's own picture is called; a stage of one block is that block.
export const stageKey = ({ name, blocks }) => (blocks.length === 1 ? blocks[0] : `stage ${name}`);

// The key of the stage that holds a block.
export function stagesOf(stages, block) {
  const found = stages.find(({ blocks }) => blocks.includes(block));
  return found && stageKey(found);
}

// The block whose picture a stage shows: the selected one, else the last that runs.
export function shownIn({ blocks }, selected, rows) {
  if (blocks.includes(selected)) return selected;
  return blocks.findLast((block) => rows.get(block).cells[0].picture || rows.get(block).cells[0].channels) ?? blocks.at(-1);
}

// The cells of the drawing, see layout.js: every block, or folded, every stage.
export function blockCells(stages, folded) {
  const inner = stages.flatMap((stage) => {
    const names = folded ? [stageKey(stage)] : stage.blocks;
    return names.map((name) => ({ name, level: stage.level, side: SIDES[stage.side] }));
  });
  const end = (name) => ({ name, level: 0, side: ENDS[name], end: true });
  return [end("input"), ...inner, end("prediction")];
}

// The boxes of the blocks of the open stage, in rows below a drawing of some height, and the height that they take.
export function members(stages, selected, width, aspect, below) {
  const open = stages.find((stage) => stage.blocks.includes(selected));
  const blocks = open?.blocks ?? [];
  if (blocks.length < 2) return { boxes: new Map(), height: 0 };
  const across = Math.max(3, Math.floor((width + STRIP.gap) / (STRIP.widest + STRIP.gap)));
  const side = Math.min(STRIP.widest, (width - STRIP.gap * (across - 1)) / across);
  const [height, step] = [side / aspect, side / aspect + STRIP.words];
  const boxes = new Map(
    blocks.map((name, index) => [
      name,
      { x: (index % across) * (side + STRIP.gap), y: below + STRIP.title + Math.floor(index / across) * step, width: side, height },
    ]),
  );
  return { boxes, height: STRIP.title + Math.ceil(blocks.length / across) * step, title: `The ${blocks.length} blocks of ${open.name}` };
}
