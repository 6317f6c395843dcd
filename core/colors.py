"""How colours stand out from one another."""

from __future__ import annotations

from PIL import ImageColor


def contrast(first: str, second: str) -> float:
    """The contrast ratio of two colours, as WCAG 2 defines it: 1 to 21. Raises `ValueError` for what is no colour."""
    darker, lighter = sorted((_luminance(first), _luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: str) -> float:
    red, green, blue = (_linear(part / 255) for part in ImageColor.getrgb(color)[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(share: float) -> float:
    return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)
