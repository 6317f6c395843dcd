"""The coloured tile of a quick action: any colour that people write, with ink on it that can be read."""

from __future__ import annotations

import re
from dataclasses import dataclass

from PIL import ImageColor

ICON = "bolt"
INKS = {"light": "#ffffff", "dark": "#000000"}
_ICON = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Tile:
    """``fill`` – the colour as #rrggbb, '' for none; ``ink`` – ``light`` or ``dark``, what stands out from it."""

    fill: str
    ink: str
    icon: str


def tile(color: str, icon: str) -> Tile:
    """Of what was stored; colours and icons that are none are left out.

    Black or white, whichever contrasts more, reaches 4.5 to 1 on every colour.
    """
    name = icon.strip().lower()
    name = name if _ICON.fullmatch(name) else ICON
    try:
        red, green, blue = ImageColor.getrgb(color.strip())[:3]
    except ValueError:
        return Tile("", "", name)
    fill = f"#{red:02x}{green:02x}{blue:02x}"
    return Tile(fill, max(INKS, key=lambda ink: contrast(fill, INKS[ink])), name)


def contrast(first: str, second: str) -> float:
    """How much two colours, each #rrggbb, stand out from one another (WCAG 2)."""
    lights = sorted(
        0.2126 * _linear(red) + 0.7152 * _linear(green) + 0.0722 * _linear(blue)
        for red, green, blue in (ImageColor.getrgb(first)[:3], ImageColor.getrgb(second)[:3])
    )
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _linear(part: int) -> float:
    share = part / 255
    return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)
