"""How people say how big a file is: in powers of ten, as the contract's ``size_mega_bytes``.

The browser says it likewise while a file is on its way: `static/js/upload.js`.
"""

from __future__ import annotations

from django.utils.formats import number_format
from django.utils.translation import get_language

_UNITS = {"": ("B", "kB", "MB", "GB", "TB"), "fr": ("o", "ko", "Mo", "Go", "To")}


def readable(size: int | None) -> str:
    """Bytes as the reader's language says them: 412 kB, 1,2 MB; from megabytes on with a digit below ten."""
    units = _UNITS.get((get_language() or "")[:2], _UNITS[""])
    number, unit = float(size or 0), 0
    while round(number) >= 1000 and unit < len(units) - 1:
        number, unit = number / 1000, unit + 1
    digits = 1 if unit >= 2 and round(number, 1) < 10 else 0
    return f"{number_format(round(number, digits), digits)}\u00a0{units[unit]}"
