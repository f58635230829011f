"""How tables and pages name variants and architectures."""

VARIANT_TITLES = {
    "none": "none",
    "cse": "cSE",
    "sse": "sSE",
    "scse": "scSE",
    "scse-max": "scSE max, r = 2",
    "scse-mul": "scSE multiply",
    "scse-concat": "scSE concatenate",
    "scse-r16": "scSE, r = 16",
    "eca": "ECA",
    "soca": "SOCA",
    "cbam": "CBAM",
    "pe": "PE",
    "nonlocal": "non-local",
    "ag": "AG on skips",
}
ARCHITECTURE_TITLES = {"unet": "U-Net", "sdnet": "SD-Net", "densenet": "DenseNet", "smp-unet": "SMP Unet"}


def variant_title(variant: str) -> str:
    """The name of a variant as the papers write it; its own where they have none."""
    return VARIANT_TITLES.get(variant, variant)


def architecture_title(architecture: str) -> str:
    """The name of an architecture as its paper writes it; its own where it has none."""
    return ARCHITECTURE_TITLES.get(architecture, architecture)
