"""JSON in and out: fast, bounded, and never a stumbling block."""

from __future__ import annotations

import datetime
import io
import uuid
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils.translation import gettext_lazy

from core import http
from core.errors import Invalid, TooLarge


def test_what_models_hold_becomes_json() -> None:
    data = {
        "at": datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC),
        "day": datetime.date(2026, 1, 2),
        "id": uuid.UUID(int=1),
        "sum": Decimal("1.50"),
        "text": gettext_lazy("Quartier"),
        3: ("a", {"b"}),
    }
    assert http.ORJSONRenderer().render(data) == (
        b'{"at":"2026-01-02T03:04:05Z","day":"2026-01-02","id":"00000000-0000-0000-0000-000000000001",'
        b'"sum":"1.50","text":"Quartier","3":["a",["b"]]}'
    )


def test_no_data_has_no_body() -> None:
    assert http.ORJSONRenderer().render(None) == b""


@pytest.mark.parametrize("body", [b"", b"{", b"{'a': 1}", b'"\xff"', b'"\\ud800"', b"NaN", b"[1,]", b"[" * 100_000])
def test_wrong_json_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        http.loads(body)
    assert refused.value.code == "malformed_json"


def test_deep_nesting_is_refused() -> None:
    assert http.loads(b"[" * 64 + b"]" * 64)
    with pytest.raises(Invalid):
        http.loads(b"[" * 65 + b"]" * 65)


def test_wide_bodies_are_fine() -> None:
    assert len(http.loads(b"[" + b",".join([b"{}"] * 1000) + b"]")) == 1000


@pytest.mark.parametrize("body", [b'{"a": "x\\u0000"}', b'{"a\\u0000": 1}', b'[["\\u0000"]]'])
def test_nul_characters_are_refused(body: bytes) -> None:
    with pytest.raises(Invalid):
        http.loads(body)


def test_a_backslash_before_u0000_is_text() -> None:
    assert http.loads(b'"\\\\u0000"') == "\\u0000"


class TestLimit:
    def parse(self, body: bytes, length: str | None, **view: Any) -> Any:
        request = SimpleNamespace(META={"CONTENT_LENGTH": length} if length else {})
        stream = io.BytesIO(body)
        context = {"view": SimpleNamespace(**view), "request": request}
        return http.LimitedJSONParser().parse(stream, "application/json", context)

    def test_a_body_is_parsed(self) -> None:
        assert self.parse(b'{"a": 1}', "8") == {"a": 1}

    def test_the_announced_length_is_enough_to_refuse(self, settings: Any) -> None:
        with pytest.raises(TooLarge):
            self.parse(b"{}", str(settings.JSON_BODY_LIMIT + 1))

    def test_a_longer_body_than_announced_is_refused(self, settings: Any) -> None:
        with pytest.raises(TooLarge):
            self.parse(b'"' + b"x" * settings.JSON_BODY_LIMIT + b'"', None)

    def test_a_view_has_its_own_limit(self) -> None:
        with pytest.raises(TooLarge):
            self.parse(b'{"a": 1}', None, json_body_limit=4)
