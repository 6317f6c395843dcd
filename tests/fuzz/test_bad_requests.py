"""Bad addresses, headers and multipart bodies at the operations that are served: no error of ours, nothing changed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.db import transaction

from tests.fuzz.doors import Door, Operation, dumped, everything, hold, writes
from tests.fuzz.untouched import untouched

if TYPE_CHECKING:
    from tests.fuzz.world import World

HUGE = "9" * 5000
LONG = "x" * 10_000
NO_IDS = ("0", "-1", str(2**31), str(2**63 - 1), str(2**63), HUGE, "1.5", "1e3", "abc", "²", "٣", "%ff", "%zz", "%20")
QUERIES = (
    "", "0", "-1", "abc", "1.5", "1e3", HUGE, "%ff", "%zz", "%", "a%00b", LONG, "²", "٣", "[]", "true&x=1", "1&x[]=2",
)  # fmt: skip


def parameters(operation: Operation, where: str) -> list[dict[str, Any]]:
    """Its parameters in the path or in the query."""
    return [entry for entry in operation.entry.get("parameters", []) if entry["in"] == where]


# --- Addresses --------------------------------------------------------------------------------------------


def test_ids_in_a_path_that_name_nothing_are_not_found(door: Door, world: World) -> None:
    with untouched():
        for operation in everything():
            for entry in parameters(operation, "path"):
                if operation.resolved(entry["schema"]).get("type") != "integer":
                    continue
                for number in NO_IDS:
                    url = operation.url(world, **{entry["name"]: number})
                    answer = door.send(operation, dumped(operation.body(world)), url=url)
                    expected = (404, 403) if "userId" in entry["name"] else (404,)
                    if operation.contract == "orgs" and number not in (str(2**31), str(2**63 - 1)):
                        expected = (400,)  # ORGS-007
                    assert answer.status_code in expected, (str(operation), number, answer.status_code)
                    hold(operation, answer.status_code, answer.json())


def test_parameters_of_a_query_that_make_no_sense_are_refused_or_ignored(door: Door, world: World) -> None:
    for operation in everything():
        for entry in parameters(operation, "query"):
            for value in QUERIES:
                with transaction.atomic():
                    url = f"{operation.url(world)}?{entry['name']}={value}"
                    answer = door.send(operation, dumped(operation.body(world)) if operation.schema else b"", url=url)
                    transaction.set_rollback(True)
                assert str(answer.status_code) in operation.entry["responses"], (str(operation), value[:50])
                assert answer.status_code < 500
                if answer.status_code >= 400:
                    hold(operation, answer.status_code, answer.json())


@pytest.mark.parametrize(
    "query",
    ["&".join(f"a{number}=1" for number in range(10_000)), "a" * 100_000, "%", "%ff=%fe", "%zz", "&&&=", "a=1;b=2"],
    ids=["10,000 parameters", "a long name", "a lone percent", "no UTF-8", "no hex", "no names", "semicolons"],
)
def test_what_an_operation_does_not_ask_for_changes_nothing(door: Door, world: World, query: str) -> None:
    for operation in everything():
        if operation.method == "GET" and "logout" not in operation.path:
            with transaction.atomic():
                plain = door.send(operation, b"")
                plain.getvalue() if plain.streaming else None
                transaction.set_rollback(True)
            with transaction.atomic():
                asked = door.send(operation, b"", url=f"{operation.url(world)}?{query}")
                asked.getvalue() if asked.streaming else None
                transaction.set_rollback(True)
            refused = [400] if parameters(operation, "query") else []  # too many, where they are looked at
            assert asked.status_code in (plain.status_code, *refused), str(operation)


# --- Search -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        "a & b | !c",
        "<->",
        ":*",
        "a:*b",
        "'",
        "\\",
        "%_%",
        "((",
        "a <2> b",
        "!!",
        "''''",
        "ä" * 200,
        "\u202e",
        "-",
        "\t\n",
    ],
)
def test_the_syntax_of_the_database_is_no_syntax_of_the_search(door: Door, words: str) -> None:
    search = next(operation for operation in writes() if operation.path == "/files/search")
    answer = door.send(search, dumped({"search": words}))
    assert answer.status_code == 200
    assert isinstance(answer.json(), list)


@pytest.mark.parametrize(
    "wish",
    [
        {"sortColumn": "password"}, {"sortColumn": "title; DROP"}, {"sortColumn": ""}, {"sortDirection": "UP"},
        {"limit": 0}, {"limit": 501}, {"limit": 10**12}, {"offset": -1}, {"offset": 10**12}, {"offset": 2**63},
    ],
    ids=str,
)  # fmt: skip
def test_orders_and_pages_that_do_not_exist_are_refused_by_name(door: Door, wish: dict[str, Any]) -> None:
    paging = next(operation for operation in writes() if operation.path == "/files/paging")
    (name,) = wish
    door.refused(paging, dumped({"ids": [], **wish}), 400, names=name)


# --- Headers ----------------------------------------------------------------------------------------------

HEADERS: dict[str, dict[str, str]] = {
    "many languages": {"Accept-Language": "de," * 33_000},
    "one long language": {"Accept-Language": "x" * 100_000},
    "no weights": {"Accept-Language": "de;q=abc,*;q=2"},
    "a session of 8 kB": {"Cookie": "user_session=" + "x" * 8000},
    "cookies of garbage": {"Cookie": 'csrftoken=%%%; user_session=\x01; messages=abc; django_language=../x; theme="<>'},
    "5,000 semicolons": {"Cookie": ";" * 5000},
    "a long browser": {"User-Agent": LONG},
    "a long Accept": {"Accept": LONG},
    "no range": {"Range": "bytes=abc-", "Accept": "application/octet-stream"},
    "a range beyond": {"Range": "bytes=99999999999999999999-", "Accept": "application/octet-stream"},
    "a long id": {"X-Request-Id": LONG},
    "long ETags": {"If-None-Match": LONG, "If-Modified-Since": "gestern"},
}


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
def test_headers_of_garbage_break_nothing(door: Door, world: World, headers: dict[str, str]) -> None:
    for operation in everything():
        with transaction.atomic():
            answer = door.send(operation, dumped(operation.body(world)) if operation.schema else b"", headers=headers)
            answer.getvalue() if answer.streaming else None
            transaction.set_rollback(True)
        promised = operation.entry["responses"].keys() | {"206", "416"}  # ranges of downloads
        assert "default" in promised or str(answer.status_code) in promised, (str(operation), answer.status_code)
        assert answer.status_code < 500, str(operation)


CREDENTIALS = (
    "Basic", "Basic !!!", "Basic /w==", "Basic " + "QQ" * 50_000, "Bearer", "Bearer ", "Bearer " + LONG, "Bearer \x01",
    "Bearer äöü", "Digest x", "x" * 8000, "Bearer a b", "Basic Og==",
)  # fmt: skip


@pytest.mark.parametrize("credentials", CREDENTIALS, ids=range(len(CREDENTIALS)))
def test_credentials_of_garbage_are_401(door: Door, world: World, credentials: str) -> None:
    with untouched():
        for operation in everything():
            if operation.entry.get("security"):
                door.refused(operation, b"", 401, headers={"Authorization": credentials})


# --- Multipart --------------------------------------------------------------------------------------------

MULTIPART = "multipart/form-data; boundary=x"


def part(name: str, content: bytes, *, file: bytes = b"", more: bytes = b"") -> bytes:
    """One part, as it is."""
    filename = b'; filename="' + file + b'"' if file else b""
    head = b'--x\r\nContent-Disposition: form-data; name="' + name.encode() + b'"' + filename + b"\r\n"
    return head + more + b"\r\n" + content + b"\r\n"


METADATA = b'{"folder_id": %d, "title": "Neu"}'
BODIES: dict[str, bytes] = {
    "no part": b"--x--\r\n",
    "10,000 fields": part("a", b"1") * 10_000 + b"--x--\r\n",
    "10,000 files": part("content", b"1", file=b"a.pdf") * 10_000 + b"--x--\r\n",
    "no end": part("metadata", b"{}") + part("content", b"x", file=b"a.pdf"),
    "an end in a head": b'--x\r\nContent-Disposition: form-data; name="metadata',
    "a head of 300 kB": part("metadata", b"{}", more=b"X-Y: " + b"z" * 300_000 + b"\r\n") + b"--x--\r\n",
    "a name of 200 kB": part("content", b"x", file=b"y" * 200_000) + b"--x--\r\n",
    "no JSON": part("metadata", b"{") + part("content", b"x", file=b"a.pdf") + b"--x--\r\n",
    "a list": part("metadata", b"[]") + part("content", b"x", file=b"a.pdf") + b"--x--\r\n",
    "deep JSON": part("metadata", b"[" * 100_000) + part("content", b"x", file=b"a.pdf") + b"--x--\r\n",
    "JSON in a file": part("metadata", b"\xff{}", file=b"m.json") + part("content", b"x", file=b"a.pdf") + b"--x--\r\n",
    "no UTF-8": part("metadata", b'{"title": "\xff"}') + part("content", b"x", file=b"a.pdf") + b"--x--\r\n",
    "an unknown charset": part("metadata", b"{}", more=b"Content-Type: text/plain; charset=nope\r\n") + b"--x--\r\n",
    "no Base64": part("metadata", b"!!!", more=b"Content-Transfer-Encoding: base64\r\n") + b"--x--\r\n",
    "content as a field": part("metadata", b"{}") + part("content", b"x") + b"--x--\r\n",
    "no name": b"--x\r\nContent-Disposition: form-data\r\n\r\nx\r\n--x--\r\n",
    "another boundary": part("metadata", b"{}").replace(b"--x", b"--y") + b"--y--\r\n",
}


def uploads() -> list[Operation]:
    """Those that take multipart."""
    return [o for o in everything() if "multipart/form-data" in o.entry.get("requestBody", {}).get("content", {})]


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("raw", BODIES.values(), ids=BODIES)
def test_multipart_of_garbage_is_refused(door: Door, raw: bytes, method: str) -> None:
    operation = next(o for o in uploads() if o.method == method)
    with untouched():
        door.refused(operation, raw, 400, kind=MULTIPART)


BOUNDARIES = ("", "boundary=", 'boundary="', "boundary=" + "x" * 300, "boundary=ä", "boundary=x\x01", "boundary==;;=")


@pytest.mark.parametrize("boundary", BOUNDARIES, ids=range(len(BOUNDARIES)))
def test_a_boundary_that_is_none_is_refused(door: Door, boundary: str) -> None:
    operation = next(o for o in uploads() if o.method == "POST")
    with untouched():
        door.refused(operation, BODIES["no part"], 400, kind=f"multipart/form-data; {boundary}")


@pytest.mark.parametrize("end", [b"", b"--x", b"--x\r\n", b"--y--\r\n"])
def test_without_its_last_boundary_an_upload_is_refused(door: Door, world: World, end: bytes) -> None:
    """Its last part may be half a file."""
    paper = part("metadata", METADATA % world.values["folder"].own[0]) + part("content", b"%PDF-1.4", file=b"a.pdf")
    house = part("locationRef", world.values["location"].own[0].encode()) + part("file", b"%PDF-1.4", file=b"a.pdf")
    for operation in uploads():
        raw = house if operation.contract == "tickets" else paper
        with untouched():
            door.refused(operation, raw + end, 400, kind=MULTIPART)
        answer = door.send(operation, raw + b"--x--\r\nmore behind it\r\n", kind=MULTIPART)
        assert answer.status_code in (200, 201), answer.content


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b"../../etc/passwd", "passwd"),
        (b"C:\\\\x\\\\y.pdf", "y.pdf"),
        (b"a.pdf\x00.exe", ""),
        (b"\xff\xfe.pdf", ""),
        ("Prüfung\u202efdp.exe".encode(), "Prüfungfdp.exe"),
        (b"%2e%2e%2fx.pdf", "%2e%2e%2fx.pdf"),
    ],
)
def test_tricks_in_the_name_of_a_part_are_cut_or_refused(door: Door, world: World, sent: bytes, kept: str) -> None:
    operation = next(o for o in uploads() if o.method == "POST")
    metadata = METADATA % world.values["folder"].own[0]
    raw = part("metadata", metadata) + part("content", b"%PDF-1.4", file=sent) + b"--x--\r\n"
    answer = door.send(operation, raw, kind=MULTIPART)
    assert answer.status_code in ((200,) if kept else (200, 400)), answer.content
    if answer.status_code == 200:
        name = json.loads(answer.content)["filename"]
        assert not re.search(r"[/\\\x00-\x1f\u202e]", name)
        assert kept in ("", name)
