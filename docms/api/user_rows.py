"""Members as the contract writes them: the shape, and rows at a constant number of queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import OuterRef, QuerySet, Subquery
from rest_framework import serializers

from core.models import Blob
from docms.api.fields import (
    IdField,
    IdsField,
    LineField,
    LocaleField,
    MomentField,
    NullableTextField,
    locale_of,
    moment,
    text,
)
from docms.api.people import display_name
from docms.models import FolderMark
from docms.reach import MEMBER_FLAGS
from docms.services.audiences import group_ids_of, groups_by_person
from docms.services.members import FLAGS
from docms.services.pictures import as_base64
from orgs.models import Membership

if TYPE_CHECKING:
    from docms.api.base import DocmsView

MOBILE = r"^\+?[0-9 ()/-]{5,30}\Z"


class User(serializers.Serializer):
    """User as seen in the current tenant."""

    user_id = serializers.IntegerField(help_text="User id.")
    username = serializers.CharField(help_text="Login name, unique in the installation.")
    email = serializers.CharField(help_text="Mail address, unique in the installation.")
    name = serializers.CharField(help_text="Surname and given name.")
    locale = LocaleField()
    darkmode = serializers.BooleanField()
    token_sec = serializers.IntegerField(help_text="Token lifetime in seconds.")
    tfa_force = serializers.BooleanField(help_text="TFA is mandatory for the user.")
    description = serializers.CharField(allow_null=True, help_text="Free remark about the user.")
    mobile_number = serializers.CharField(allow_null=True, help_text="Mobile number in international format.")
    deactivated = MomentField(allow_null=True, help_text="Moment from which the account is switched off here.")
    group_ids = IdsField(help_text="Groups of the user in the current tenant.")
    login_popup_enabled = serializers.BooleanField(help_text="Show a message with logo and text after each sign-in.")
    login_logo = serializers.CharField(allow_null=True, help_text="Picture for that message as Base64.")
    login_text = serializers.CharField(allow_null=True, help_text="Text for that message; sanitised HTML.")
    last_folder_id = serializers.IntegerField(allow_null=True, help_text="Folder opened most recently.")

    def get_fields(self) -> dict[str, Any]:
        """The permission flags are all alike."""
        return super().get_fields() | {name: serializers.BooleanField() for name in FLAGS}


class UserUpdate(serializers.Serializer):
    """User fields to change; omitted fields keep their value."""

    username = LineField(required=False, max_length=150)
    email = serializers.EmailField(required=False, max_length=254)
    name = LineField(required=False, max_length=201)
    locale = LocaleField(required=False)
    darkmode = serializers.BooleanField(required=False)
    token_sec = serializers.IntegerField(required=False, min_value=60, max_value=2592000)
    tfa_force = serializers.BooleanField(required=False)
    description = NullableTextField(required=False, max_length=2000)
    mobile_number = serializers.RegexField(MOBILE, required=False, allow_null=True)
    deactivated = MomentField(required=False, allow_null=True, days=True)
    group_ids = IdsField(required=False)
    login_popup_enabled = serializers.BooleanField(required=False)
    login_logo = serializers.CharField(required=False, allow_null=True, trim_whitespace=False, max_length=750_000)
    login_text = NullableTextField(required=False, max_length=20000)
    last_folder_id = IdField(required=False, allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        """The permission flags are all alike."""
        return super().get_fields() | {name: serializers.BooleanField(required=False) for name in FLAGS}


class UserCreate(UserUpdate):
    """New user."""

    username = LineField(max_length=150)
    email = serializers.EmailField(max_length=254)
    name = LineField(max_length=201)


class GroupadminUserCreate(serializers.Serializer):
    """New user created by a group administrator; administrator flags cannot be given."""

    username = LineField(max_length=150)
    email = serializers.EmailField(max_length=254)
    name = LineField(max_length=201)
    locale = LocaleField(required=False)
    darkmode = serializers.BooleanField(required=False)
    token_sec = serializers.IntegerField(required=False, min_value=60, max_value=2592000)
    tfa_force = serializers.BooleanField(required=False)
    group_ids = IdsField(min_length=1, help_text="Groups to join; each must be administered by the caller.")

    def get_fields(self) -> dict[str, Any]:
        """The permission flags are all alike."""
        flags = {name: serializers.BooleanField(required=False) for name in MEMBER_FLAGS.values()}
        return super().get_fields() | flags


# Field of the contract → column, where the two differ.
_COLUMNS = {"locale": "language", "mobile_number": "mobile", "deactivated": "deactivated_at"}


def columns_of(values: dict[str, Any]) -> dict[str, Any]:
    """A body's fields by the names that `docms.services.members` knows."""
    named = {_COLUMNS.get(name, name): value for name, value in values.items()}
    if "mobile" in named:
        named["mobile"] = named["mobile"] or ""
    return named


def differing(view: DocmsView, values: dict[str, Any], stored: dict[str, Any]) -> dict[str, Any]:
    """The fields of a body that are not as in the record already: a whole record may be sent back."""
    return {name: value for name, value in values.items() if not _equals(view, name, value, stored)}


def _equals(view: DocmsView, name: str, value: Any, stored: dict[str, Any]) -> bool:
    if name == "locale":
        return locale_of(value) == stored[name]
    if name == "deactivated":
        return moment(value, view.tenant.zone) == stored[name]
    if name == "group_ids":
        return bool(sorted(value) == stored[name])
    return bool(value == stored[name] if isinstance(value, bool) else (value or None) == (stored[name] or None))


_VALUES = (
    "id", "user_id", "user__username", "user__email", "user__first_name", "user__last_name", "user__name_as_given",
    "user__language", "user__darkmode", "user__mobile", "token_sec", "tfa_force", "description", "deactivated_at",
    "login_popup_enabled", "login_logo_id", "login_text", "last_folder", *FLAGS,
)  # fmt: skip


def rows_of(view: DocmsView, found: QuerySet[Membership], groups: dict[int, list[int]]) -> list[dict[str, Any]]:
    """Members as the contract writes them; ``groups`` holds the group ids of each account."""
    latest = FolderMark.objects.filter(membership=OuterRef("pk"), opened_at__isnull=False).order_by("-opened_at", "-id")
    rows = list(
        found.filter(user__erased_at=None)
        .annotate(last_folder=Subquery(latest.values("folder_id")[:1]))
        .order_by("user__last_name", "user__first_name", "user_id")
        .values(*_VALUES)
    )
    logos = Blob.objects.in_bulk([row["login_logo_id"] for row in rows if row["login_logo_id"]] or [0])
    zone = view.tenant.zone
    return [
        {
            "user_id": row["user_id"],
            "username": row["user__username"],
            "email": row["user__email"],
            "name": display_name(row["user__first_name"], row["user__last_name"], row["user__name_as_given"])
            or row["user__username"],
            "locale": locale_of(row["user__language"]),
            "darkmode": row["user__darkmode"],
            "token_sec": row["token_sec"],
            **{name: row[name] for name in FLAGS},
            "tfa_force": row["tfa_force"],
            "description": text(row["description"]),
            "mobile_number": text(row["user__mobile"]),
            "deactivated": moment(row["deactivated_at"], zone),
            "group_ids": groups.get(row["user_id"], []),
            "login_popup_enabled": row["login_popup_enabled"],
            "login_logo": as_base64(logos.get(row["login_logo_id"])),
            "login_text": text(row["login_text"]),
            "last_folder_id": row["last_folder"],
        }
        for row in rows
    ]


def everybody(view: DocmsView) -> list[dict[str, Any]]:
    """All members of the tenant, deactivated ones, too."""
    return rows_of(view, Membership.objects.filter(organization=view.tenant.pk), groups_by_person(view.tenant))


def one(view: DocmsView, membership: Membership) -> dict[str, Any]:
    """One member as stored now."""
    groups = {membership.user_id: group_ids_of(membership)}
    return rows_of(view, Membership.objects.filter(pk=membership.pk), groups)[0]
