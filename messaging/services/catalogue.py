"""The kinds of mail, and the closed list of placeholders that people may write into texts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Collection

# DOCMS-153. Nothing else may stand in a text that people write. Each with what it becomes.
EXPLAINED = {
    "user_name": gettext_lazy("name of the person who gets it"),
    "username": gettext_lazy("user name with which the person signs in"),
    "company_name": gettext_lazy("name of the company"),
    "app_name": gettext_lazy("name of the portal"),
    "app_url": gettext_lazy("address of the portal"),
    "folder_name": gettext_lazy("name of the folder"),
    "folder_path": gettext_lazy("folder with everything above it"),
    "file_title": gettext_lazy("title of the document"),
    "file_name": gettext_lazy("name of the file"),
    "uploader_name": gettext_lazy("who uploaded the document"),
    "note": gettext_lazy("what somebody wrote who sends the mail by hand"),
    "link": gettext_lazy("the address that the mail is about, to be clicked"),
    "code": gettext_lazy("the code that opens the shared document"),
    "valid_hours": gettext_lazy("how many hours link or code work"),
}
PLACEHOLDERS = frozenset(EXPLAINED)
# Facts that built-in texts know as well.
BUILT_IN_ONLY = frozenset(
    {
        "inviter_name", "recipient_name", "organization_name", "community", "unit", "valid_until", "valid_for", "count",
        "actor_name", "assignee_name", "ticket_number", "ticket_title", "ticket_status", "reply_ticket",
    }
)  # fmt: skip

_MARK = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_NAME = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")


@dataclass(frozen=True)
class Kind:
    """What a kind of mail is.

    ``template`` – kind of the `Template` rows that replace its text, '' = only built in. ``required`` –
    placeholders without which the text is useless. ``secret`` – the body opens a door, so it is emptied as soon
    as it was sent. ``optional`` – people can turn it off, so it carries List-Unsubscribe. ``always`` – goes out also
    where the trial of the organization is over: the ways into an account, and tests of the settings (ORGS-081).
    """

    name: str
    template: str = ""
    required: frozenset[str] = frozenset()
    secret: bool = False
    optional: bool = False
    always: bool = False


_LINK = frozenset({"link"})
KINDS = {
    kind.name: kind
    for kind in (
        Kind("invite", secret=True),
        Kind("owner_invitation", secret=True),
        Kind("password_init", template="pw_init", required=_LINK, secret=True, always=True),
        Kind("password_reset", template="pw_reset", required=_LINK, secret=True, always=True),
        Kind("welcome", template="welcome"),
        Kind("document_published", template="notification", optional=True),
        Kind("documents_published", template="notification", optional=True),
        Kind("share_mail", template="share_mail", secret=True),
        Kind("share_link", secret=True),
        Kind("share_sms", template="share_sms", secret=True),
        Kind("share_undelivered"),
        Kind("ticket_filed", optional=True),
        Kind("ticket_opened", optional=True),
        Kind("ticket_commented", optional=True),
        Kind("ticket_status", optional=True),
        Kind("ticket_assigned", optional=True),
        Kind("ticket_noted", optional=True),
        Kind("ticket_unanswered"),
        Kind("ticket_unsolved"),
        Kind("test_mail", always=True),
        Kind("test_sms", always=True),
    )
}


# The kinds as people call them.
IN_WORDS = {
    "invite": gettext_lazy("invitation to the portal"),
    "owner_invitation": gettext_lazy("invitation of an owner"),
    "password_init": gettext_lazy("first password"),
    "password_reset": gettext_lazy("new password"),
    "welcome": gettext_lazy("welcome"),
    "document_published": gettext_lazy("new document"),
    "documents_published": gettext_lazy("several new documents"),
    "share_mail": gettext_lazy("shared document: link"),
    "share_link": gettext_lazy("shared document: link to hand on"),
    "share_sms": gettext_lazy("shared document: code"),
    "share_undelivered": gettext_lazy("shared document: code did not arrive"),
    "ticket_filed": gettext_lazy("ticket: filed"),
    "ticket_opened": gettext_lazy("ticket: opened for somebody"),
    "ticket_commented": gettext_lazy("ticket: answer"),
    "ticket_status": gettext_lazy("ticket: status"),
    "ticket_assigned": gettext_lazy("ticket: assignment"),
    "ticket_noted": gettext_lazy("ticket: internal note"),
    "ticket_unanswered": gettext_lazy("ticket: not answered in time"),
    "ticket_unsolved": gettext_lazy("ticket: not solved in time"),
    "test_mail": gettext_lazy("test mail"),
    "test_sms": gettext_lazy("test text message"),
}
_EVERYWHERE = frozenset({"user_name", "company_name", "app_name", "app_url"})
_OF_ACCOUNT = _EVERYWHERE | {"username", "link"}
_OF_DOCUMENT = _EVERYWHERE | {"folder_name", "folder_path", "file_title", "file_name", "uploader_name"}
# Kind of `Template` rows → the placeholders that have a value there; others become nothing.
FILLED = {
    "welcome": _OF_ACCOUNT,
    "pw_init": _OF_ACCOUNT | {"valid_hours"},
    "pw_reset": _OF_ACCOUNT | {"valid_hours"},
    "notification": _OF_DOCUMENT | {"username", "note", "link"},
    "share_mail": _OF_DOCUMENT | {"link", "valid_hours"},
    "share_sms": _OF_DOCUMENT | {"code", "valid_hours"},
}


def sent_as(template_kind: str) -> str:
    """The first kind of mail that takes its text from templates of this kind."""
    return next(kind.name for kind in KINDS.values() if kind.template == template_kind)


def required_of(template_kind: str) -> frozenset[str]:
    """The placeholders that a template of this kind must contain (``link`` in password texts, DOCMS-153)."""
    return frozenset().union(*(kind.required for kind in KINDS.values() if kind.template == template_kind))


def names_in(text: str) -> set[str]:
    """The placeholders of a text, well-formed ones only."""
    return set(_NAME.findall(text))


def substitute(text: str, values: dict[str, str]) -> str:
    """Put values in place of placeholders, once: a value that looks like a placeholder stays as it is.

    A known name without value becomes nothing; an unknown one, which `check_text` refuses, stays visible.
    """

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        return values.get(name, "") if name in PLACEHOLDERS | BUILT_IN_ONLY else match.group(0)

    return _NAME.sub(value, text)


def check_text(text: str, required: Collection[str] = (), *, field: str = "text") -> None:
    """Refuse a text that people want to store (DOCMS-152, 153). An empty one falls back to the next level.

    Raises `Invalid`, naming the field: ``unknown_placeholder`` or ``missing_placeholder``.
    """
    for inner in _MARK.findall(text):
        if inner.strip() not in PLACEHOLDERS:
            message = _("Unknown placeholder: %(name)s") % {"name": "{{" + inner[:50] + "}}"}
            raise Invalid(message, code="unknown_placeholder", fields={field: [message]})
    missing = sorted(set(required) - names_in(text)) if text.strip() else []
    if missing:
        message = _("This placeholder must not be missing: %(name)s") % {"name": "{{" + missing[0] + "}}"}
        raise Invalid(message, code="missing_placeholder", fields={field: [message]})
