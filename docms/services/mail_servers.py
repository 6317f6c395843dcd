"""What is checked of a mail server before it is stored, of a tenant as of the installation."""

from __future__ import annotations

from email.utils import parseaddr
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from core.errors import Invalid
from core.services.outside import is_host
from messaging.services.outbox import is_address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orgs.models import InstallationSettings, OrganizationSettings


def check(chosen: OrganizationSettings | InstallationSettings, columns: Mapping[str, Any]) -> None:
    """Raise `Invalid`, naming the field, for a sender that is no address, a server that is no host, and two kinds of TLS.

    STARTTLS stands in settings that nobody touched, so TLS from the start alone goes before it; asking for both is
    refused. What is stored already is not asked again.
    """
    sender = columns.get("mail_sender", "")
    if sender and not is_address(parseaddr(sender)[1]):
        raise Invalid.of("mail_sender", _("This is not an e-mail address."))
    host = columns.get("mail_server", "")
    if host and host != chosen.mail_server and not is_host(host):
        raise Invalid.of("mail_server", _("Must be the name or IP address of a server, without port."))
    at_once = columns.get("mail_ssl", chosen.mail_ssl)
    if at_once and columns.get("mail_starttls") and not (chosen.mail_ssl and chosen.mail_starttls):
        raise Invalid.of("mail_starttls", _("Either TLS from the start or STARTTLS, not both."))
