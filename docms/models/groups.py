"""Circles of people for folders: made by hand, or derived from who lives where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Case, F, Q, TextField, Value, When
from django.db.models.functions import Cast, Concat, Lower
from django.utils.translation import gettext_lazy as _

from core.models import MutableRow, Row, TenantBound, one_of
from docms.querysets import FolderAccessQuerySet, GroupMemberQuerySet, GroupQuerySet

if TYPE_CHECKING:
    from django.db.models.expressions import Combinable


def _key(letter: str, column: str, *more: Combinable) -> Concat:
    """``c:12``: the grammar of `orgs.audience`, which the database writes down itself."""
    return Concat(Value(f"{letter}:"), Cast(F(column), TextField()), *more, output_field=TextField())


_ROLE = Case(
    When(role="", then=Value("")),
    default=Concat(Value(":"), F("role"), output_field=TextField()),
    output_field=TextField(),
)


class Group(TenantBound, MutableRow):
    """A circle that folders are assigned to.

    *Manual*: its people are rows of `GroupMember`. *Derived*: it stands for a community, an entrance, a unit or
    a person, and its people are whoever holds ``audience_key`` today; a move changes no row here. The database
    generates the key from real references, so it never names something that is gone.
    """

    class Kind(models.TextChoices):
        MANUAL = "manual", _("people chosen by hand")
        DERIVED = "derived", _("whoever lives there")

    class Role(models.TextChoices):
        OWNER = "owner", _("owners")
        RENTER = "renter", _("renters")
        ADDITIONAL = "additional", _("additional users")
        BOARD = "board", _("advisory board")

    name = models.CharField(_("name"), max_length=200)
    sort_key = models.CharField(max_length=200, editable=False, default="")
    show_check_mark = models.BooleanField(_("may check documents off"), default=False)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices, default=Kind.MANUAL)
    community = models.ForeignKey(
        "orgs.Community",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="groups",
        verbose_name=_("community"),
    )
    building = models.ForeignKey(
        "orgs.Building",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="groups",
        verbose_name=_("entrance"),
    )
    unit = models.ForeignKey(
        "orgs.Unit", null=True, blank=True, on_delete=models.PROTECT, related_name="groups", verbose_name=_("unit")
    )
    contact = models.ForeignKey(
        "orgs.Contact",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="groups",
        verbose_name=_("contact"),
    )
    role = models.CharField(_("role"), max_length=10, choices=Role.choices, blank=True)
    audience_key = models.GeneratedField(
        expression=Case(
            When(community__isnull=False, then=_key("c", "community_id", _ROLE)),
            When(building__isnull=False, then=_key("b", "building_id")),
            When(unit__isnull=False, then=_key("u", "unit_id", _ROLE)),
            When(contact__isnull=False, then=_key("p", "contact_id")),
            output_field=TextField(),
        ),
        output_field=TextField(null=True),
        db_persist=True,
    )

    objects = GroupQuerySet.as_manager()

    class Meta:
        verbose_name = _("group")
        verbose_name_plural = _("groups")
        ordering = ("sort_key", "id")
        constraints = (
            models.UniqueConstraint(
                F("tenant"),
                Lower("name"),
                name="group_name_once",
                violation_error_message=_("Another group has this name."),
            ),
            models.UniqueConstraint(fields=("tenant", "audience_key"), name="group_audience_once"),
            models.CheckConstraint(
                condition=Q(kind="manual", community=None, building=None, unit=None, contact=None, role="")
                | Q(kind="derived", community__isnull=False, building=None, unit=None, contact=None)
                | Q(kind="derived", community=None, building__isnull=False, unit=None, contact=None, role="")
                | Q(kind="derived", community=None, building=None, unit__isnull=False, contact=None) & ~Q(role="board")
                | Q(kind="derived", community=None, building=None, unit=None, contact__isnull=False, role=""),
                name="group_shape",
                violation_error_message=_(
                    "A derived group stands for one community, entrance, unit or person; "
                    "a role goes with a community or a unit."
                ),
            ),
            one_of("kind", ["manual", "derived"], "group_kind"),
            one_of("role", ["", "owner", "renter", "additional", "board"], "group_role"),
        )
        indexes = (models.Index(fields=("tenant", "sort_key", "id"), name="group_sorted"),)

    def __str__(self) -> str:
        return self.name


class GroupMember(TenantBound, Row):
    """A member of a manual group. In a derived group a row carries ``is_admin`` only and grants nothing."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="members")
    membership = models.ForeignKey("orgs.Membership", on_delete=models.CASCADE, related_name="+", db_index=False)
    is_admin = models.BooleanField(_("administers the group"), default=False)

    objects = GroupMemberQuerySet.as_manager()

    class Meta:
        verbose_name = _("member of a group")
        verbose_name_plural = _("members of groups")
        ordering = ("group", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("membership", "group"),
                name="group_member_once",
                violation_error_message=_("This person is in the group already."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.membership} · {self.group}"


class FolderAccess(TenantBound, Row):
    """A group reaches a folder (DOCMS-061)."""

    folder = models.ForeignKey("docms.Folder", on_delete=models.CASCADE, related_name="access", db_index=False)
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="access")

    objects = FolderAccessQuerySet.as_manager()

    class Meta:
        verbose_name = _("access to a folder")
        verbose_name_plural = _("access to folders")
        ordering = ("folder", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("folder", "group"),
                name="folder_access_once",
                violation_error_message=_("The group reaches this folder already."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.group} → {self.folder}"
