"""Bad bodies for every write operation that is served: refused in the dialect, by the name of the field, and nothing
has changed. Made from the served documents, so that they grow with the doors."""

from __future__ import annotations

import datetime
import gzip
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.db import transaction

from tests.fuzz.doors import JSON, Door, Operation, dumped, hold, texts, writes
from tests.fuzz.untouched import untouched

if TYPE_CHECKING:
    from tests.fuzz.world import World

DEEP = 100_000
LONG = "x" * 10_000
OPERATIONS = writes()
RAW = {
    "array": b"[]",
    "text": b'"x"',
    "number": b"5",
    "null": b"null",
    "nested lists": b"[" * DEEP + b"]" * DEEP,
    "open lists": b"[" * DEEP,
    "nested objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "a deep field": b'{"name":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "invalid UTF-8": b'{"name":"\xff"}',
    "a lone surrogate": b'{"name":"\\ud800"}',
    "NUL, escaped": b'{"name":"\\u0000"}',
    "NUL in a key": b'{"\\u0000":1}',
    "NUL, raw": b'{"name":"\x00"}',
    "UTF-16": '{"name":"x"}'.encode("utf-16"),
    "a mark of byte order": b"\xef\xbb\xbf{}",
    "NaN": b'{"name":NaN}',
    "Infinity": b'{"name":-Infinity}',
    "1e400": b'{"name":1e400}',
    "5000 digits": b'{"name":' + b"9" * 5000 + b"}",
    "more behind it": b"{} {}",
    "half of it": b'{"name":"x',
}


def test_what_is_no_object_is_refused(door: Door) -> None:
    with untouched():
        for operation in OPERATIONS:
            for raw in RAW.values():
                door.refused(operation, raw, 400)


def all_refused(door: Door, world: World, operation: Operation, values: dict[str, Any]) -> None:
    """One request with all of these wrong values: each is named."""
    if values:
        body = door.refused(operation, dumped(operation.body(world, **values)), 400)
        assert [name for name in values if name not in str(body)] == [], (str(operation), values, body)


def test_long_texts_are_refused_by_name(door: Door, world: World) -> None:
    with untouched():
        for operation in OPERATIONS:
            # The contract lets some be as long; some are derived, and ignored.
            long = [
                name
                for name, schema in texts(operation)
                if schema.get("maxLength", 0) < len(LONG) and name not in ("file_data", "full_path_name")
            ]
            all_refused(door, world, operation, dict.fromkeys(long, LONG))


def test_nul_is_refused_in_every_text(door: Door, world: World) -> None:
    with untouched():
        for operation in OPERATIONS:
            for name, _schema in texts(operation):
                door.refused(operation, dumped(operation.body(world, **{name: "Vor\x00stand"})), 400)


def wrong_kinds(schema: dict[str, Any]) -> list[Any]:
    """Values that cannot be read as what is meant; 5 for "5" can."""
    kinds = [schema["type"]] if isinstance(schema.get("type"), str) else schema.get("type", [])
    wrong: list[Any] = [{"a": 1}, [[1]]]
    if "array" in kinds:
        wrong += ["x", 5, [None], [True], [1.5], [[]], [-1], [0], [2**63], [10**40]]
    else:
        wrong += [["x"], []]
    if "integer" in kinds:
        wrong += ["x", 1.5, True, 2**63, 2**64, 10**40]
        wrong += [-1] if schema.get("minimum", 0) >= 0 else []
    if "boolean" in kinds:
        wrong += ["x", 7, 1.5]
    if kinds and "null" not in kinds:
        wrong.append(None)
    return wrong


def test_values_of_another_kind_are_refused_by_name(door: Door, world: World) -> None:
    with untouched():
        for operation in OPERATIONS:
            by_name = {name: wrong_kinds(schema) for name, schema in operation.fields.items()}
            for number in range(max(map(len, by_name.values()), default=0)):
                values = {name: wrong[number] for name, wrong in by_name.items() if number < len(wrong)}
                all_refused(door, world, operation, values)


def test_ids_that_name_no_row_are_refused_by_name(door: Door, world: World) -> None:
    with untouched():
        for operation in OPERATIONS:
            for name, schema in operation.fields.items():
                for number in (2**31, 2**63 - 1):
                    if name.endswith("_id") and "integer" in schema["type"]:
                        all_refused(door, world, operation, {name: number})
                    elif name.endswith("_ids"):
                        all_refused(door, world, operation, {name: [number]})


MOMENTS = (
    "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "1899-12-31T23:59:59Z",
    "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00", "99999-01-01T00:00:00Z", "2024-02-30T00:00:00Z",
    "2024-01-01T25:00:00Z", "2024-01-01T00:00:00+99:99", "2024-03-31T02:30:00", "0001-01-01", "morgen", "",
    "٢٠٢٤-01-01T00:00:00Z",
)  # fmt: skip


AHEAD = {"expires", "install_date"}  # must lie in the future: test_api_shares, test_api_updates


def moments_of(operation: Operation) -> list[str]:
    """Its fields that take moments."""
    return [name for name, schema in texts(operation) if schema.get("pattern", "").startswith(r"^\d{4}-\d{2}")]


def test_moments_that_cannot_be_shown_everywhere_are_refused_by_name(door: Door, world: World) -> None:
    """They would break every list they stand in."""
    with untouched():
        for operation in OPERATIONS:
            for moment in MOMENTS:
                all_refused(door, world, operation, dict.fromkeys(moments_of(operation), moment))


@pytest.mark.parametrize("moment", ["1900-01-01T00:00:00Z", "9999-12-31T00:00:00Z", "2024-03-31T02:30:00+01:00"])
def test_moments_at_the_edges_are_stored_and_read(door: Door, world: World, moment: str) -> None:
    for operation in OPERATIONS:
        for name in set(moments_of(operation)) - AHEAD:
            with transaction.atomic():
                url = operation.url(world, userId=world.values["user"].own[3])  # the last owner must stay
                answer = door.send(operation, dumped(operation.body(world, **{name: moment})), url=url)
                assert answer.status_code == 200, (str(operation), name, answer.content)
                if name != "first_access" or operation.method != "POST":  # of a new document it is not set
                    stored = datetime.datetime.fromisoformat(answer.json()[name])
                    assert stored == datetime.datetime.fromisoformat(moment), (str(operation), name)
                transaction.set_rollback(True)


# --- How much ---------------------------------------------------------------------------------------------


def test_a_body_of_exactly_the_limit_is_read_and_one_byte_more_is_not(door: Door, world: World) -> None:
    """Blanks behind the object change nothing but its size."""
    for operation in OPERATIONS:
        if operation.limit > 2**21:
            continue  # takes content in JSON: tests/docms/test_api_files.py has its limits
        raw = dumped(operation.body(world))
        with transaction.atomic():
            plain = door.send(operation, raw)
            transaction.set_rollback(True)
        with transaction.atomic():
            full = door.send(operation, raw.ljust(operation.limit))
            transaction.set_rollback(True)
        assert full.status_code == plain.status_code != 413, (plain.content, full.content)
        with untouched(operation):
            door.refused(operation, raw.ljust(operation.limit + 1), 413)


# --- In which form ----------------------------------------------------------------------------------------


NEEDS_A_FIELD = {"orgs PUT /api/v1/organization/{organizationId}/location"}  # no one of them, but one (ORGS-069)


def test_an_empty_body_is_an_empty_object(door: Door) -> None:
    for operation in OPERATIONS:
        with transaction.atomic():
            answer = door.send(operation, b"")
            transaction.set_rollback(True)
        if operation.schema.get("required") or str(operation) in NEEDS_A_FIELD:
            assert answer.status_code == 400, str(operation)
            hold(operation, 400, answer.json())
        else:
            assert answer.status_code == 200, (str(operation), answer.content)


def test_other_kinds_of_content_are_refused(door: Door, world: World) -> None:
    """415, which no contract lists and no other status says."""
    with untouched():
        for operation in OPERATIONS:
            kinds = [
                "text/plain",
                "application/xml",
                "text/json",
                "a/b/c",
                "json",
                "application/x-www-form-urlencoded",
                "x" * 9000,
            ]
            if "multipart/form-data" not in operation.entry["requestBody"]["content"]:
                kinds.append("multipart/form-data; boundary=x")
            for kind in kinds:
                door.refused(operation, dumped(operation.body(world)), 415, kind=kind)


def test_json_is_utf_8_whatever_the_charset_says(door: Door, world: World) -> None:
    charsets = ["utf-16", "x-unknown", "../../etc/passwd", '"']
    for operation, charset in zip(OPERATIONS, charsets * len(OPERATIONS), strict=False):
        raw, kind = dumped(operation.body(world)), f"application/json; charset={charset}"
        statuses = []
        for announced in (JSON, kind):
            with transaction.atomic():
                statuses.append(door.send(operation, raw, kind=announced).status_code)
                transaction.set_rollback(True)
        assert statuses[0] == statuses[1] < 500, str(operation)
        door.refused(operation, raw.decode().encode("utf-16"), 400, kind=kind)


def test_packed_bodies_are_refused_in_words(door: Door, world: World) -> None:
    encodings = ["gzip", "deflate", "br", "x" * 5000]
    with untouched():
        for operation, encoding in zip(OPERATIONS, encodings * len(OPERATIONS), strict=False):
            raw = gzip.compress(dumped(operation.body(world)))
            body = door.refused(operation, raw, 400, headers={"Content-Encoding": encoding})
            assert "Content-Encoding" in str(body)


def test_of_two_values_with_one_name_the_last_counts(door: Door, world: World) -> None:
    """As in every reader of JSON that is common; so the refusal is about the last one."""
    with untouched():
        for operation in OPERATIONS:
            names = [name for name, schema in texts(operation) if 0 < schema.get("maxLength", 0) < len(LONG)]
            if not names:
                continue
            good, bad = dumped(operation.body(world)), dumped({names[0]: LONG})
            door.refused(operation, good[:-1] + (b", " if len(good) > 2 else b"") + bad[1:], 400, names=names[0])


def test_every_limit_of_a_text_is_in_the_document() -> None:
    """What the tests above leave out is no text of unknown length."""
    unbounded = [
        (str(operation), name)
        for operation in writes()
        for name, schema in texts(operation)
        if not ({"maxLength", "pattern", "enum"} & schema.keys()) and not re.search("file_data|email", name)
    ]
    assert unbounded == []
