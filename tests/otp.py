"""Codes of authenticator apps."""

from __future__ import annotations

import base64

from django_otp.oath import TOTP

from orgs.services import second_factor


def otp(secret: str, drift: int = 0) -> str:
    """The code of a key (base32), now or some steps away, by the clock that the product reads.

    The fixture `_steady_steps` stops that clock in each test: a code must not go stale between making and using it.
    """
    generator = TOTP(base64.b32decode(secret), step=second_factor.STEP, t0=0, digits=6, drift=drift)
    generator.time = second_factor.now()
    return f"{generator.token():06d}"
