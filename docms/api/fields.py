"""How the docms contract writes moments, languages and ids."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.moments import is_showable
from docms.services.names import is_one_line
from orgs.languages import primary_subtag

if TYPE_CHECKING:
    import zoneinfo

ID_MAX = 2**63 - 1
LOCALES = {"de": "de_DE", "en": "en_GB", "fr": "fr_FR", "pl": "pl_PL"}
LANGUAGES = {locale: language for language, locale in LOCALES.items()}

_MOMENT = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:?\d{2})$"
_MOMENT_OR_DAY = r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:?\d{2}))?$"


def moment(value: datetime.datetime | None, zone: zoneinfo.ZoneInfo) -> str | None:
    """``2020-07-23T11:59:59.000+0200`` in the tenant's zone."""
    if value is None:
        return None
    local = value.astimezone(zone)
    return f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond // 1000:03d}{local:%z}"


def locale_of(language: str) -> str:
    """The contract's locale for a language tag; English for the ones it does not know."""
    return LOCALES.get(primary_subtag(language), "en_GB")


class MomentField(serializers.Field):
    """A moment as RFC 3339 or with ``+0200``; with ``days`` also a date, the start of that day in UTC (DOCMS-196)."""

    default_error_messages = {
        "invalid": _("Must be a moment like 2020-07-23T11:59:59.000+0200."),
        "beyond": _("Must lie between the years 1900 and 9999."),
    }

    def __init__(self, *, days: bool = False, **kwargs: Any) -> None:
        self.pattern = _MOMENT_OR_DAY if days else _MOMENT
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> datetime.datetime:
        """Aware, in UTC."""
        if not isinstance(data, str) or not re.match(self.pattern, data, re.ASCII):
            self.fail("invalid")
        try:
            value = datetime.datetime.fromisoformat(data)
            value = value.replace(tzinfo=datetime.UTC) if value.tzinfo is None else value.astimezone(datetime.UTC)
        except ValueError:
            self.fail("invalid")
        except OverflowError:
            self.fail("beyond")
        if not is_showable(value):
            self.fail("beyond")
        return value

    def to_representation(self, value: Any) -> Any:
        """Answers are built from rows by `moment`."""
        return value


class _MomentScheme(OpenApiSerializerFieldExtension):
    target_class = MomentField

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """A string of that pattern."""
        example = "2020-07-23T11:59:59.000+0200"
        return {"type": "string", "pattern": self.target.pattern, "examples": [example]}


@extend_schema_field({"$ref": "#/components/schemas/Locale"})
class LocaleField(serializers.ChoiceField):
    """One of the four locales; becomes a language code."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=tuple(LANGUAGES), **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """``de`` for ``de_DE``."""
        return LANGUAGES[super().to_internal_value(data)]


class IdField(serializers.IntegerField):
    """An id of the database."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=ID_MAX, **kwargs)


class IdsField(serializers.ListField):
    """A list of ids, each once."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 10000)
        super().__init__(child=IdField(), **kwargs)

    def to_internal_value(self, data: Any) -> list[int]:
        """In the order sent, without repetition."""
        return list(dict.fromkeys(super().to_internal_value(data)))


class TextField(serializers.CharField):
    """Text exactly as it was sent (DOCMS-195); may be empty."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("allow_blank", True)
        super().__init__(trim_whitespace=False, **kwargs)


class LineField(serializers.CharField):
    """Text of one line, without blanks around it: it stands in headings of mails and in lists."""

    default_error_messages = {"control": _("The text contains characters that are not allowed.")}

    def to_internal_value(self, data: Any) -> str:
        """Refuse control characters."""
        line: str = super().to_internal_value(data)
        if not is_one_line(line):
            self.fail("control")
        return line


class NullableTextField(TextField):
    """Text that the contract calls null and the database empty."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_null=True, **kwargs)

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        """Null clears."""
        if data is None:
            return True, ""
        return super().validate_empty_values(data)


class NullableLineField(LineField, NullableTextField):
    """Text of one line that the contract calls null and the database empty: a name, an address, a subject."""


MASK = "********"  # stands for a stored secret in answers; sent back, it keeps the stored one (DOCMS-046)


class SecretField(NullableTextField):
    """A secret to store; the mask means the stored one, null and the empty text none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=500, write_only=True, **kwargs)


@extend_schema_field({"type": "string", "enum": [MASK, None], "readOnly": True})  # to the type null is added
class MaskField(serializers.CharField):
    """Whether a secret is stored."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_null=True, read_only=True, **kwargs)


def masked(secret: str) -> str | None:
    """The mask where something is stored."""
    return MASK if secret else None


def object_field(properties: dict[str, Any], *, nullable: bool = False) -> serializers.Field[Any, Any, Any, Any]:
    """An object inside an answer that the contract gives no name of its own; every property is always there."""
    schema = {
        "type": "object",  # null comes with `allow_null`
        "required": list(properties),
        "properties": properties,
    }

    @extend_schema_field(schema)
    class ObjectField(serializers.JSONField):
        pass

    return ObjectField(allow_null=nullable)


class ColorField(serializers.RegexField):
    """``#RRGGBB``."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(regex=r"^#[0-9A-Fa-f]{6}\Z", **kwargs)


def text(value: str) -> str | None:
    """The contract's null for the database's empty text."""
    return value or None
