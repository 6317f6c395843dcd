"""The coloured tile of a quick action: any colour that people write, with ink on it that can be read."""

from __future__ import annotations

import re
from dataclasses import dataclass

from PIL import ImageColor

from core.colors import contrast

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
