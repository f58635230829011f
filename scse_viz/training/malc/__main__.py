"""`python -m scse_viz.training.malc`: train the shipped MALC networks."""

import sys
from functools import partial

from scse_viz.training.command import Course, options_of, parser_of, train_phases
from scse_viz.training.malc import recipe


def main(argv: list[str] | None = None) -> int:
    """Train some variants of one architecture side by side; their checkpoints stay in the run folder."""
    parser = parser_of(
        __doc__,
        data="folder with images/, labels/ and subjects.csv of the challenge",
        reference="a head without skull in MNI space",
    )
    parser.add_argument(
        "--heads", type=int, choices=(12, 15), default=15, help="12 holds out the three on which recipes are selected"
    )
    options = options_of(parser, argv)
    names, held_out = recipe.split(options.data, "train"), recipe.held_out(options.data)
    heads = recipe.load_heads(options.data, [name for name in names if options.heads == 15 or name not in held_out])
    course = Course(
        phases=recipe.PHASES,
        card_of=recipe.card_of,
        batches=lambda phase: partial(recipe.batch_of, heads, options.seed, phase),
        weights=partial(recipe.class_weights, heads, options.seed),
        validation=recipe.validation_batches(options.data, held_out),
        references=recipe.reference_slices(options.reference),
        facts={"heads": options.heads},
    )
    train_phases(options, course)
    return 0


if __name__ == "__main__":
    sys.exit(main())
