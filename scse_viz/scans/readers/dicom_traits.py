"""Elements of DICOM headers that tell the volumes of one series apart, and their values in words."""

from dataclasses import dataclass

WORDS = {"M": "magnitude", "P": "phase", "R": "real", "I": "imaginary"}


@dataclass(frozen=True)
class Trait:
    """An element that tells volumes of one series apart; an enhanced file has it `within` a `sequence`."""

    title: str
    element: str
    sequence: str = ""
    within: str = ""
    unit: str = ""


# The most reliable first. Contents are of a volume; times may also be those of its slices.
CONTENTS = (
    Trait("image type", "ImageType", "MRImageFrameTypeSequence", "FrameType"),
    Trait("part", "ComplexImageComponent", "MRImageFrameTypeSequence"),
    Trait("echo time", "EchoTime", "MREchoSequence", "EffectiveEchoTime", " ms"),
    Trait("inversion time", "InversionTime", "MRModifierSequence", "InversionTimes", " ms"),
    Trait("flip angle", "FlipAngle", "MRTimingAndRelatedParametersSequence", unit="°"),
    Trait("b-value", "DiffusionBValue", "MRDiffusionSequence", unit=" s/mm²"),
    Trait("gradient", "DiffusionGradientOrientation", "MRDiffusionSequence"),
    Trait("time point", "TemporalPositionIdentifier", "FrameContentSequence", "TemporalPositionIndex"),
    Trait("stack", "StackID", "FrameContentSequence"),
    Trait("echo", "EchoNumbers"),
    Trait("repetition time", "RepetitionTime", "MRTimingAndRelatedParametersSequence", unit=" ms"),
    Trait("sequence", "SequenceName"),
)
TIMES = (
    Trait("trigger time", "TriggerTime", "CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime", " ms"),
    Trait("reference time", "FrameReferenceTime", unit=" ms"),
)
# One may be a volume, or every second slice of one, or each slice.
ACQUISITIONS = (
    Trait("acquisition", "AcquisitionNumber", "FrameContentSequence", "FrameAcquisitionNumber"),
    Trait("acquired at", "AcquisitionTime"),
    Trait("made at", "ContentTime"),
)
TRAITS = (*CONTENTS, *TIMES, *ACQUISITIONS)


def said(trait: Trait, value: tuple | None, shared: set) -> str:
    """What a user reads: `echo time 4.6 ms`, `phase`."""
    if value is None:
        return f"no {trait.title}"
    if isinstance(value[0], str) and len(value) > 1:
        return " ".join(WORDS.get(part, part.lower()) for part in value if part not in shared) or trait.title
    parts = [f"{part:.6g}" if isinstance(part, float) else WORDS.get(part, part) for part in value]
    return f"{trait.title} {' '.join(parts)}{trait.unit}"
