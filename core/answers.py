"""The answer to a may-question: yes, or no with a reason for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.errors import Denied


@dataclass(frozen=True)
class Answer:
    """Truthy when allowed. ``reason`` says why not, ``code`` the same for programs where doors tell them.

    ``denied_status`` is for doors that answer 401 (DOCMS-062).
    """

    ok: bool
    reason: Any = ""
    denied_status: int = 403
    code: str = ""

    def __bool__(self) -> bool:
        return self.ok


YES = Answer(True)


def no(reason: Any, *, denied_status: int = 403, code: str = "") -> Answer:
    """A refusal with its reason."""
    return Answer(False, reason, denied_status, code)


def require(answer: Answer) -> None:
    """Raise `core.errors.Denied` with the reason unless the answer is yes."""
    if not answer.ok:
        raise Denied(answer.reason, code=answer.code, denied_status=answer.denied_status)
