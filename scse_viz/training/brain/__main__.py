"""`python -m scse_viz.training.brain`: train the shipped brain networks."""

import sys
from functools import partial

from scse_viz.training.brain import recipe
from scse_viz.training.brain.atlas import load_atlas
from scse_viz.training.command import Course, options_of, parser_of, train_phases


def main(argv: list[str] | None = None) -> int:
    """Train some variants of one architecture side by side; their checkpoints stay in the run folder."""
    parser = parser_of(__doc__, data="folder of SynthSeg label maps", reference="a real whole-head T1 scan")
    options = options_of(parser, argv)
    atlas = load_atlas(options.data, recipe.TRAINING_HEADS, options.run)
    course = Course(
        phases=recipe.PHASES,
        card_of=recipe.card_of,
        batches=lambda phase: partial(recipe.batch_of, atlas, options.seed, phase),
        weights=partial(recipe.class_weights, atlas, options.seed),
        validation=recipe.validation_batches(load_atlas(options.data, recipe.VALIDATION_HEADS, options.run)),
        references=recipe.reference_slices(options.reference),
    )
    train_phases(options, course)
    return 0


if __name__ == "__main__":
    sys.exit(main())
