"""The circles a feed entry, a document or a stage can be shown to."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Circle(models.TextChoices):
    """The words of the processes contract."""

    STAFF = "staff", _("the company")
    CONTACT = "contact", _("the main contact")
    USER = "user", _("contract holders of the unit")
    CONTRACTOR = "contractor", _("contractors")


def circles_field(**options: Any) -> ArrayField:
    """A set of circles; staff see everything, named or not."""
    return ArrayField(models.CharField(max_length=10, choices=Circle.choices), **options)


def known_circles(field: str, name: str) -> models.CheckConstraint:
    """The check that holds such a column to its vocabulary."""
    return models.CheckConstraint(
        condition=Q(**{f"{field}__contained_by": Circle.values}),
        name=name,
        violation_error_message=_("There is no such circle."),
    )
