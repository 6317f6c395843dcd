"""Many rows in one statement, as they would have been written one by one (row policies: tests/rights)."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest
from django.db import DataError, IntegrityError, transaction

from core.services import many
from messaging.models import Message

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


def mail(key: str, **values: object) -> Message:
    return Message(message_id=f"<{key}@x.test>", dedupe_key=key, kind="welcome", **values)


def test_every_column_arrives_as_it_was_given(cast: Cast) -> None:
    moment = datetime.datetime(2026, 3, 29, 1, 59, 59, 123456, tzinfo=datetime.UTC)
    given = mail(
        "a", tenant=cast.tenant, caused_by=cast.admin, subject="Größe „9\" 100 %s \\n", body_text="a\r\n\tb\u2028",
        to_emails=["a@b.test", 'x"{,}@y.test'], bcc_emails=[], not_before=moment, app_config=True, attempts=3,
    )  # fmt: skip
    ((pk,),) = many.insert([given], returning=["id"])
    stored = Message.objects.get(pk=pk)
    for field in Message._meta.concrete_fields:
        if field.name != "id":
            assert getattr(stored, field.attname) == getattr(given, field.attname), field.name


def test_what_others_have_written_is_left_out_on_request_only(cast: Cast) -> None:
    mail("a", tenant=cast.tenant).save()
    both = [mail("a", tenant=cast.tenant), mail("b", tenant=cast.tenant)]
    with pytest.raises(IntegrityError), transaction.atomic():
        many.insert(both, returning=["id"])
    assert many.insert(both, returning=["dedupe_key"], ignore_conflicts=True) == [("b",)]
    assert Message.objects.count() == 2


def test_text_that_the_database_cannot_hold_is_refused_and_nothing_is_written(cast: Cast) -> None:
    rows = [mail("a", tenant=cast.tenant), mail("b", tenant=cast.tenant, subject="a\0b")]
    with pytest.raises(DataError), transaction.atomic():
        many.insert(rows, returning=["id"])
    assert many.insert([mail("c", tenant=cast.tenant, subject="a\\u0000b")], returning=["subject"]) == [("a\\u0000b",)]
    assert Message.objects.count() == 1  # the one that only looks like it


def test_nothing_is_written_for_nobody() -> None:
    assert many.insert([], returning=["id"]) == []
