"""Can a gate's map be believed? Four tests, each a number beside its null, and what follows for a reader of the map.

A test that the map of a constant gate, or the weights of a channel gate, cannot take is left out: nan.
"""

from scse_viz.analysis.belief.verdict import Belief, Finding, GateTests, judge, pooled

__all__ = ["Belief", "Finding", "GateTests", "judge", "pooled"]
