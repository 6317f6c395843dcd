"""The kinds of mail, and the closed list of placeholders that people may write into texts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from core.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Collection

# DOCMS-153. Nothing else may stand in a text that people write.
PLACEHOLDERS = frozenset(
    {
        "user_name", "username", "company_name", "app_name", "app_url", "folder_name", "folder_path", "file_title",
        "file_name", "uploader_name", "note", "link", "code", "valid_hours",
    }
)  # fmt: skip
# Facts that built-in texts know as well.
BUILT_IN_ONLY = frozenset(
    {"inviter_name", "recipient_name", "organization_name", "community", "unit", "valid_until", "valid_for", "count"}
)

_MARK = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_NAME = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")


@dataclass(frozen=True)
class Kind:
    """What a kind of mail is.

    ``template`` – kind of the `Template` rows that replace its text, '' = only built in. ``required`` –
    placeholders without which the text is useless. ``secret`` – the body opens a door, so it is emptied as soon
    as it was sent. ``optional`` – people can turn it off, so it carries List-Unsubscribe.
    """

    name: str
    template: str = ""
    required: frozenset[str] = frozenset()
    secret: bool = False
    optional: bool = False


_LINK = frozenset({"link"})
KINDS = {
    kind.name: kind
    for kind in (
        Kind("invite", secret=True),
        Kind("owner_invitation", secret=True),
        Kind("password_init", template="pw_init", required=_LINK, secret=True),
        Kind("password_reset", template="pw_reset", required=_LINK, secret=True),
        Kind("welcome", template="welcome"),
        Kind("document_published", template="notification", optional=True),
        Kind("documents_published", template="notification", optional=True),
        Kind("share_mail", template="share_mail", secret=True),
        Kind("share_link", secret=True),
        Kind("share_sms", template="share_sms", secret=True),
        Kind("share_undelivered"),
        Kind("test_mail"),
    )
}


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
