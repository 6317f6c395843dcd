"""Of how many parts a text message consists: what is paid for, and what telephones put together again."""

from __future__ import annotations

# The alphabet of GSM 03.38, and the characters that take two places in it.
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_DOUBLE = frozenset("\f^{}\\[~]|€")


def parts_of(text: str) -> int:
    """How many parts: 160 places, or 153 in each of several; 70 and 67 as soon as one character is not of the GSM
    alphabet. What takes two places is never divided. 0 for an empty text.
    """
    if all(character in _BASIC or character in _DOUBLE for character in text):
        sizes, alone, several = [2 if character in _DOUBLE else 1 for character in text], 160, 153
    else:
        sizes, alone, several = [2 if ord(character) > 0xFFFF else 1 for character in text], 70, 67
    if sum(sizes) <= alone:
        return 1 if text else 0
    parts, left = 1, several
    for size in sizes:
        if size > left:
            parts, left = parts + 1, several
        left -= size
    return parts
