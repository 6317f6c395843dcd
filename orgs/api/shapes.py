"""Organizations as the contract writes them, in and out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from rest_framework import serializers

from core.errors import Invalid
from orgs.api.base import ID_MAX
from orgs.models import Organization as Node
from orgs.services import availability, avatars, owners

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from orgs.services.availability import Counts


class LineField(serializers.CharField):
    """A text without characters that no screen shows and no database takes."""

    def to_internal_value(self, data: Any) -> str:
        """Only JSON strings: the framework would take numbers, too."""
        if not isinstance(data, str):
            self.fail("invalid")
        text = str(super().to_internal_value(data))
        if "\x00" in text or any("\ud800" <= c <= "\udfff" for c in text):
            self.fail("invalid")
        return text


class StrictNumber(serializers.FloatField):
    """A JSON number: neither text nor a boolean."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool | str):
            self.fail("invalid")
        return float(super().to_internal_value(data))


class StrictInteger(serializers.IntegerField):
    """A JSON number without a fraction."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool | str):
            self.fail("invalid")
        return int(super().to_internal_value(data))


class StrictBoolean(serializers.BooleanField):
    """``true`` or ``false`` and nothing that looks like it."""

    default_error_messages = {"invalid": gettext_lazy("Must be true or false.")}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class Ignored(serializers.Field):
    """Taken whatever it is, and passed over; ``make`` makes the field that says what it looks like."""

    def __init__(self, make: Any) -> None:
        self.make = make
        super().__init__(required=False, allow_null=True)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Nothing of it is kept."""
        raise serializers.SkipField


class _IgnoredScheme(OpenApiSerializerFieldExtension):
    target_class = Ignored

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Any:
        """As the answer's, and marked as what a request may leave out."""
        field = self.target.make()
        if isinstance(field, serializers.BaseSerializer):
            return {"allOf": [auto_schema.resolve_serializer(field, "response").ref], "x-ignored": True}
        return {**auto_schema._map_serializer_field(field, direction), "x-ignored": True}


class AvailableUsersCount(serializers.Serializer):
    """Head counts; the three numbers are disjoint and add up to the member count."""

    countAvailable = serializers.IntegerField(help_text="Free to act.")
    countInEvent = serializers.IntegerField(help_text="Tied up in a running assignment.")
    countNotAvailable = serializers.IntegerField(help_text="Absent.")


class OrganizationLocation(serializers.Serializer):
    """Where the organization is based. Latitude and longitude go together."""

    address = LineField(required=False, max_length=500, trim_whitespace=False, allow_blank=True)
    latitude = StrictNumber(required=False, min_value=-90, max_value=90)
    longitude = StrictNumber(required=False, min_value=-180, max_value=180)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Something, and both coordinates or none (ORGS-069)."""
        if not attrs:
            raise serializers.ValidationError(_("A location needs an address or coordinates."))
        if ("latitude" in attrs) != ("longitude" in attrs):
            raise serializers.ValidationError(_("Latitude and longitude go together."))
        return attrs


class _Writable(serializers.Serializer):
    dataRetentionPeriod = StrictInteger(required=False, min_value=0, max_value=1200, help_text="Months; 0 keeps all.")
    description = LineField(required=False, max_length=2000, trim_whitespace=False, allow_blank=True)
    enforcesTwoFactorAuth = StrictBoolean(required=False)
    language = LineField(required=False, max_length=35, trim_whitespace=False, help_text="BCP 47 tag.")
    location = OrganizationLocation(required=False, allow_null=True)
    name = LineField(max_length=255)
    parentID = StrictInteger(required=False, min_value=0, max_value=ID_MAX, help_text="0 moves to the top level.")
    tags = serializers.ListField(
        child=LineField(max_length=64), required=False, help_text="Written by platform administrators only."
    )
    timezone = LineField(required=False, max_length=64, trim_whitespace=False, help_text="IANA name.")


_READ_ONLY: dict[str, Any] = {
    "availableUsers": AvailableUsersCount,
    "availableUsersTotal": AvailableUsersCount,
    "avatarURL": partial(serializers.CharField, help_text="Absolute URL, or empty. Never null."),
    "creationDate": partial(serializers.DateTimeField, allow_null=True),
    "hasChildren": serializers.BooleanField,
    "ownerIDs": lambda: serializers.ListField(child=serializers.IntegerField(), help_text="Direct owners."),
    "state": partial(serializers.ChoiceField, choices=("trial", "active", "inactive")),
    "trialEndDate": partial(serializers.DateTimeField, allow_null=True),
}


class Organization(_Writable):
    """One node of the organization tree."""

    id = serializers.IntegerField()

    def get_fields(self) -> dict[str, Any]:
        """With what only answers hold."""
        return {**super().get_fields(), **{name: make() for name, make in _READ_ONLY.items()}}


class OrganizationCreate(_Writable):
    """A new organization. What only answers hold is passed over, so that one that was read can be sent (ORGS-018)."""

    id: Any = Ignored(serializers.IntegerField)

    def get_fields(self) -> dict[str, Any]:
        """With what is passed over."""
        return {**super().get_fields(), **{name: Ignored(make) for name, make in _READ_ONLY.items()}}


class OrganizationUpdate(OrganizationCreate):
    """An organization with what changes."""

    id = StrictInteger(min_value=1, max_value=ID_MAX)


_COLUMNS = {
    "name": "name", "description": "description", "language": "language", "timezone": "timezone",
    "dataRetentionPeriod": "retention_months", "enforcesTwoFactorAuth": "enforces_second_factor", "tags": "tags",
}  # fmt: skip
_FIELDS = {column: name for name, column in _COLUMNS.items()}


def columns_of(sent: dict[str, Any]) -> dict[str, Any]:
    """The columns of what was sent; the location replaces the former one as a whole (ORGS-068)."""
    values = {_COLUMNS[name]: value for name, value in sent.items() if name in _COLUMNS}
    if "location" in sent:
        values |= location_columns(sent["location"])
    return values


def location_columns(sent: dict[str, Any] | None) -> dict[str, Any]:
    """A location as columns; none empties them."""
    place = sent or {}
    return {
        "location_address": place.get("address", ""),
        "latitude": place.get("latitude"),
        "longitude": place.get("longitude"),
    }


def in_its_words(error: Invalid) -> Invalid:
    """A service's refusal with the contract's names of the fields."""
    fields = {_FIELDS.get(name, name): texts for name, texts in error.fields.items()}
    named = " ".join(f"{name}: {text}" for name, texts in fields.items() for text in texts)
    return Invalid(named or error.message, code=error.code, fields=fields)


def with_children(found: QuerySet[Node]) -> QuerySet[Node]:
    """Organizations with what their shape asks of the tree and of stored pictures."""
    below = Node.objects.filter(parent=OuterRef("pk"))
    annotated: QuerySet[Node] = found.select_related("avatar").annotate(has_children=Exists(below))
    return annotated


def shapes_of(found: Sequence[Any]) -> list[dict[str, Any]]:
    """Organizations of `with_children` as the contract writes them; two queries whatever their number."""
    ids = [one.pk for one in found]
    owned, counted = owners.owner_ids(ids), availability.counts(ids)
    return [_shape(one, owned[one.pk], counted[one.pk]) for one in found]


def shape_of(organization: Node) -> dict[str, Any]:
    """One organization, as it is stored now."""
    return shapes_of(list(with_children(Node.objects.filter(pk=organization.pk))))[0]


def counts_shape(counts: Counts) -> dict[str, int]:
    """Head counts."""
    return {
        "countAvailable": counts.available,
        "countInEvent": counts.in_event,
        "countNotAvailable": counts.not_available,
    }


def _shape(one: Any, owner_ids: list[int], present: availability.Presence) -> dict[str, Any]:
    shape = {
        "availableUsers": counts_shape(present.root),
        "availableUsersTotal": counts_shape(present.total),
        "avatarURL": avatars.address(one),
        "creationDate": one.created_at,
        "dataRetentionPeriod": one.retention_months,
        "description": one.description,
        "enforcesTwoFactorAuth": one.enforces_second_factor,
        "hasChildren": one.has_children,
        "id": one.pk,
        "language": one.language,
        "location": _location(one),
        "name": one.name,
        "ownerIDs": owner_ids,
        "state": one.state,
        "tags": one.tags,
        "timezone": one.timezone,
        "trialEndDate": one.trial_ends_at,
    }
    if one.parent_id is not None:
        shape["parentID"] = one.parent_id
    return shape


def _location(one: Node) -> dict[str, Any] | None:
    place: dict[str, Any] = {"address": one.location_address} if one.location_address else {}
    if one.latitude is not None:
        place |= {"latitude": one.latitude, "longitude": one.longitude}
    return place or None
