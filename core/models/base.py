"""The abstract rows every table is built from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from collections.abc import Iterable

# A foreign key to the tenant is always spelled by name: core sees no other floor.
TENANT = "orgs.Organization"


class Row(models.Model):
    """A row that says when it was written. Everything is at least this."""

    created_at = models.DateTimeField(_("recorded at"), default=timezone.now, editable=False)

    class Meta:
        abstract = True


class MutableRow(Row):
    """A row that services change: `core.services.rows.change` moves both columns.

    ``row_version`` is what ETag and If-Match speak of; two writers never overwrite each other unseen.
    """

    updated_at = models.DateTimeField(_("changed at"), default=timezone.now, editable=False)
    row_version = models.PositiveIntegerField(_("revision"), default=1, editable=False)

    class Meta:
        abstract = True


class TenantBound(models.Model):
    """A table marked "T" in the model: not readable, and not referable, across tenants.

    Migrations add a two-column key ``(tenant_id, x_id)`` for each of its references to a table with a
    tenant (see `core.tenant_keys`), and each such table is unique in ``(tenant_id, id)``.
    """

    tenant = models.ForeignKey(
        TENANT, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name=_("tenant")
    )

    class Meta:
        abstract = True


def one_of(field: str, choices: Iterable[str], name: str) -> models.CheckConstraint:
    """The check that holds a column to its vocabulary, also against writers that skip Django's forms."""
    return models.CheckConstraint(condition=models.Q(**{f"{field}__in": list(choices)}), name=name)
