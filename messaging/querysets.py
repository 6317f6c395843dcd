"""Read rules of messages and templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from django.apps import apps
from django.db import models
from django.db.models import Exists, OuterRef, Q

if TYPE_CHECKING:
    from typing import Self

    from orgs.actor import Actor

_M = TypeVar("_M", bound=models.Model)


def _of_sender(actor: Actor, everything: bool, prefix: str = "") -> Q:
    """Tenant administrators: their tenant's. The operator: the installation's, and with ``all`` everything."""
    if everything and actor.is_operator:
        return Q()
    mine = Q(**{f"{prefix}tenant__in": actor.admin_tenants})
    return mine | Q(**{f"{prefix}tenant": None}) if actor.is_operator else mine


class MessageQuerySet(models.QuerySet["_M"]):
    """The outbox and its history."""

    def visible_to(self, actor: Actor, *, all: bool = False) -> Self:  # noqa: A002 - the word of the contract
        """Administrators read the mail log of their tenant; ``all`` works for the operator only (DOCMS-165)."""
        return self.filter(_of_sender(actor, all))

    def sent(self) -> Self:
        """The mail log, newest first."""
        return self.filter(sent_at__isnull=False).order_by("-sent_at", "-id")

    def with_errors(self) -> Self:
        """Messages that could not be sent, or not at once, newest first."""
        return self.exclude(error_msg="").order_by("-id")

    def not_held(self) -> Self:
        """Messages that neither went to nor were caused by a person whom a legal hold of the sender covers."""
        holds = apps.get_model("orgs", "Hold")._default_manager.filter(released_at=None)
        recipients = apps.get_model("messaging", "MessageRecipient")._default_manager.filter(message=OuterRef("pk"))
        to = holds.filter(
            Q(contact=OuterRef("contact")) | Q(contact__user=OuterRef("user")), tenant=OuterRef("message__tenant")
        )
        by = holds.filter(contact__user=OuterRef("caused_by"), tenant=OuterRef("tenant"))
        return self.filter(~Exists(recipients.filter(Exists(to))), ~Exists(by))


class MessageRecipientQuerySet(models.QuerySet["_M"]):
    """Evidence of delivery."""

    def visible_to(self, actor: Actor, *, all: bool = False) -> Self:  # noqa: A002 - the word of the contract
        """Whoever sees the message sees to whom it went."""
        return self.filter(_of_sender(actor, all, "message__"))


class TemplateQuerySet(models.QuerySet["_M"]):
    """Texts of mails and text messages."""

    def visible_to(self, actor: Actor) -> Self:
        """Administrators their tenant's (DOCMS-185), the operator also the installation's."""
        return self.filter(_of_sender(actor, False))
