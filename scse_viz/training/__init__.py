"""How networks are trained and measured: one engine, the recipes of the shipped networks, users' own, evaluation."""


class TrainingError(ValueError):
    """A training that cannot be done as asked; the message is a sentence for users."""
