"""What can go wrong, in words every floor shares. Each door's `errors.py` puts them into its dialect."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _


class DomainError(Exception):
    """Something the caller can understand and mend: a stable ``code``, a ``message`` for people, details by field."""

    status = 400
    code = "invalid"
    message: object = _("That did not work.")

    def __init__(self, message: object = "", *, code: str = "", fields: dict[str, list[str]] | None = None) -> None:
        self.message = message or type(self).message
        self.code = code or type(self).code
        self.fields = fields or {}
        super().__init__(str(self.message))


class Invalid(DomainError):
    """The input is wrong; ``fields`` says which."""

    message = _("Please check your input.")

    @classmethod
    def of(cls, field: str, problem: object) -> Invalid:
        """One field is wrong, for that reason."""
        return cls(problem, fields={field: [str(problem)]})


class NotFound(DomainError):
    """Does not exist, or is none of the caller's business: the same answer."""

    status = 404
    code = "not_found"
    message = _("Not found.")


class Denied(DomainError):
    """The caller sees it but may not do this; the message is the reason. A door may answer another status."""

    status = 403
    code = "forbidden"
    message = _("You may not do this.")

    def __init__(self, message: object = "", *, code: str = "", denied_status: int = 403) -> None:
        super().__init__(message, code=code)
        self.denied_status = denied_status


class Conflict(DomainError):
    """The state of things forbids it."""

    status = 409
    code = "conflict"
    message = _("This is not possible in the present state.")


class BeingChecked(Conflict):
    """Bytes that the virus scanner has not looked at yet."""

    code = "being_checked"
    message = _("This file is still being checked.")
    retry_after = 30  # seconds


class Held(Conflict):
    """Bytes that do not leave; the code is the state of their scan."""


class Changed(DomainError):
    """Somebody else changed the row meanwhile."""

    status = 412
    code = "changed"
    message = _("Somebody changed this meanwhile. Please load it again.")


class TooLarge(DomainError):
    """More bytes than the door takes."""

    status = 413
    code = "too_large"
    message = _("The file is too large.")


class WrongType(DomainError):
    """Content of a type the door does not take."""

    status = 415
    code = "wrong_type"
    message = _("Files of this type are not accepted.")


class Blocked(DomainError):
    """Too many failures; ``retry_after`` seconds to wait."""

    status = 429
    code = "too_many_attempts"
    message = _("Too many attempts. Please wait a moment.")

    def __init__(self, retry_after: int, message: object = "") -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(DomainError):
    """A part that the house leans on does not answer; ``retry_after`` seconds later it may."""

    status = 503
    code = "unavailable"
    message = _("This is not possible at the moment. Please try again shortly.")
    retry_after = 10


class StorageFull(Unavailable):
    """No room for what was sent; nothing of it was kept."""

    status = 507
    code = "storage_full"
    message = _("There is no room left to store this. The operator has to make some; please try again later.")
    retry_after = 300


class StorageDown(Unavailable):
    """The storage of files does not answer or refuses us. ``reason`` is for the operator, without secrets."""

    code = "storage_down"
    message = _("Files cannot be reached at the moment. Please try again later.")
    retry_after = 60

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class Unknown(NotFound):
    """A code or link that nobody issued."""

    code = "unknown_code"
    message = _("This code is not known.")


class Used(DomainError):
    """A code or link that was used or withdrawn."""

    status = 410
    code = "used"
    message = _("This code has been used already.")


class Withdrawn(Used):
    """A code that was taken back."""

    code = "withdrawn"
    message = _("This invitation was withdrawn.")


class Expired(DomainError):
    """A code or link whose time is over."""

    status = 410
    code = "expired"
    message = _("This code has expired.")
