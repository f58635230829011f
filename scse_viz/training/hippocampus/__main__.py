"""`python -m scse_viz.training.hippocampus`: train the shipped hippocampus networks."""

import sys
from functools import partial

from scse_viz.training.command import Course, options_of, parser_of, train_phases
from scse_viz.training.hippocampus import recipe


def main(argv: list[str] | None = None) -> int:
    """Train some variants of one architecture side by side; their checkpoints stay in the run folder."""
    parser = parser_of(
        __doc__, data="folder with images/ and labels/ of the Decathlon", reference="a whole head in MNI space"
    )
    options = options_of(parser, argv)
    slices = recipe.load_slices(options.data, recipe.split()["train"])
    course = Course(
        phases=recipe.PHASES,
        card_of=recipe.card_of,
        batches=lambda phase: partial(recipe.batch_of, slices, options.seed, phase),
        weights=partial(recipe.class_weights, slices, options.seed),
        validation=recipe.validation_batches(options.data, recipe.split()["validation"]),
        references=recipe.reference_slices(options.reference),
    )
    train_phases(options, course)
    return 0


if __name__ == "__main__":
    sys.exit(main())
