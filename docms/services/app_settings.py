"""The settings of the installation as docms administers them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from core.errors import Invalid
from core.services import rows
from docms.services import mail_servers
from messaging.services import settings_texts
from orgs.models import InstallationSettings

if TYPE_CHECKING:
    from collections.abc import Mapping


LIMITS = {  # least and most
    "pw_min_length": (0, 128),
    "pw_min_lower_case": (0, 32),
    "pw_min_upper_case": (0, 32),
    "pw_min_numbers": (0, 32),
    "pw_min_special": (0, 32),
    "pw_link_init_hours": (1, 8760),
    "pw_link_reset_hours": (1, 720),
    "mail_port": (1, 65535),
}


@transaction.atomic
def change(values: Mapping[str, Any], *, expected: int | None = None) -> None:
    """Store the given settings and texts; the caller is the operator. Side effect: audit, without secrets.

    ``values`` are columns, and texts by their names in `settings_texts`. Raises `Invalid` for an address people cannot
    open, a mail server or sender that is none, a number out of `LIMITS`, or a text with a wrong placeholder (DOCMS-152,
    153); `Changed` when somebody else was faster.
    """
    columns = dict(values)
    for name, (least, most) in LIMITS.items():
        if name in columns and not least <= columns[name] <= most:
            raise Invalid.of(name, _("Must be from %(least)d to %(most)d.") % {"least": least, "most": most})
    settings_texts.store(None, {name: columns.pop(name) for name in settings_texts.APP_TEXTS if name in columns})
    if "app_url" in columns:
        _check_url(columns["app_url"])
    row = InstallationSettings.objects.select_for_update().filter(pk=1).first()
    mail_servers.check(row or InstallationSettings(), columns)
    if row is not None:
        rows.change(row, columns, expected=expected)
    elif columns:
        rows.create(InstallationSettings, pk=1, **{"app_url": settings.PUBLIC_URL, **columns})


def _check_url(url: str) -> None:
    """Links are made by writing a path behind it (DOCMS-037)."""
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        fits = False
    if not fits or any(c in url for c in '?#\\"<> '):
        raise Invalid.of("app_url", _("Must be an address like https://portal.example.org."))
