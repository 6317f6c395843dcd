"""JSON whose content goes to a file: the same data as parsing it whole would give, however the bytes are cut."""

from __future__ import annotations

import base64
import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid, TooLarge
from docms.api.spooling import AROUND, SpooledContent, _Body

CONTENT = bytes(range(256)) * 7
BASE64 = base64.b64encode(CONTENT).decode()


def parsed(body: bytes, step: int = 0, limit: int = 10 * AROUND) -> Any:
    read = _Body(limit)
    for start in range(0, len(body), step or len(body) or 1):
        read.feed(body[start : start + (step or len(body))])
    return read.parsed()


def content_of(data: Any) -> bytes:
    spooled = data["file_data"]
    assert isinstance(spooled, SpooledContent)
    assert not spooled.is_wrong
    return b"".join(spooled.chunks())


STRANGE: dict[str, bytes] = {
    "plain": b'{"filename":"a.pdf","file_data":"%s"}',
    "first": b'{"file_data":"%s","filename":"a.pdf"}',
    "blanks": b' {\n"file_data" \t:\r\n "%s" , "filename" : "a.pdf" } ',
    "escaped key": b'{"file\\u005fdata":"%s","filename":"a.pdf"}',
    "quotes before": b'{"title":"\\"file_data\\":\\"x","filename":"a.pdf","file_data":"%s"}',
    "a backslash before": b'{"title":"\\\\","filename":"a.pdf","file_data":"%s"}',
    "nested before": b'{"x":{"file_data":"no"},"y":["file_data","z",{"file_data":"no"}],"filename":"a.pdf","file_data":"%s"}',
    "twice": b'{"file_data":"bm8=","filename":"a.pdf","file_data":"%s"}',
    "a number first": b'{"file_data":1,"filename":"a.pdf","file_data":"%s"}',
    "said in a value": b'{"title":"file_data","filename":"a.pdf","file_data":"%s"}',
    "a data URI": b'{"filename":"a.pdf","file_data":"data:application/pdf;base64,%s"}',
}


@pytest.mark.parametrize("step", [0, 1, 2, 3, 7, 64])
@pytest.mark.parametrize("body", STRANGE.values(), ids=STRANGE)
def test_the_content_is_found_wherever_it_stands(body: bytes, step: int) -> None:
    data = parsed(body % BASE64.encode(), step)
    assert content_of(data) == CONTENT
    assert data["filename"] == "a.pdf"


@pytest.mark.parametrize("step", [0, 1, 5])
@pytest.mark.parametrize("spelled", [("/", "\\/"), ("=", "\\u003d"), ("+", "\\u002b"), ("A", "\\u0041")])
def test_escapes_are_undone(spelled: tuple[str, str], step: int) -> None:
    written = BASE64.replace(*spelled)
    assert written != BASE64
    assert content_of(parsed(f'{{"file_data":"{written}"}}'.encode(), step)) == CONTENT


@pytest.mark.parametrize(
    "body", [b'{"file_data":null}', b'{"file_data":1}', b'{"file_data":["x"]}', b'{"title":"x"}', b'["file_data","x"]']
)
def test_what_holds_no_content_is_parsed_as_ever(body: bytes) -> None:
    assert parsed(body) == json.loads(body)


def test_the_last_of_two_counts() -> None:
    assert parsed(b'{"file_data":"bm8=","file_data":null}') == {"file_data": None}


def test_a_text_that_guesses_nothing_stays_a_text() -> None:
    assert parsed(b'{"file_data":null,"title":"file_data"}') == {"file_data": None, "title": "file_data"}


@pytest.mark.parametrize(
    "value", ["A", "AAA", "AA=A", "AAAA=", "====", "A===", "AA==AAAA", "AAAA AAAA", "AA\\nAA", "AÄAA", "data:x,AAAA"]
)
@pytest.mark.parametrize("step", [0, 1])
def test_what_is_no_base64_is_remembered(value: str, step: int) -> None:
    assert parsed(f'{{"file_data":"{value}"}}'.encode(), step)["file_data"].is_wrong


def test_padding_in_the_middle_of_much_is_no_base64() -> None:
    value = "AAAA" * 200 + "AA==" + "AAAA" * 200
    for step in (0, 64, 803, 804, 805):
        assert parsed(f'{{"file_data":"{value}"}}'.encode(), step)["file_data"].is_wrong


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b'{"file_data":"', b'{"file_data":"AAAA', b'{"file_data":"AAAA"', b'{"file_data":"AAAA"}}',
        b'{"file_data":"AAAA\\"}', b'{"file_data":"AA\\q"}', b'{"file_data":"AA\\u00zz"}', b'{"title":"\\', b'{"title":"x',
        b'{"file_data" "AAAA"}', b'{"x":"file_data":"AAAA"}', b'["file_data":"AAAA"]', b"\xff\xfe",
    ],
)  # fmt: skip
@pytest.mark.parametrize("step", [0, 1])
def test_wrong_json_is_refused(body: bytes, step: int) -> None:
    with pytest.raises(Invalid) as refused:
        parsed(body, step)
    assert refused.value.code == "malformed_json"


def test_what_is_not_content_is_small() -> None:
    with pytest.raises(TooLarge):
        parsed(b'{"title":"%s"}' % (b"x" * AROUND), 65536)


def test_the_body_is_bounded() -> None:
    with pytest.raises(TooLarge):
        parsed(b'{"file_data":"%s"}' % (b"A" * 5000), 100, limit=4000)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=20) | st.just("file_data"),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.just("file_data"), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    fields=st.dictionaries(st.text(max_size=12), values, max_size=4),
    content=st.binary(max_size=900),
    cut=st.integers(1, 97),
)
def test_any_body_gives_what_parsing_it_whole_gives(fields: dict[str, Any], content: bytes, cut: int) -> None:
    fields = {key: value for key, value in fields.items() if "\x00" not in json.dumps([key, value])}
    fields["file_data"] = base64.b64encode(content).decode()
    body = json.dumps(fields).encode()
    if b"\\u0000" in body or b"\\ud" in body:
        return  # the house refuses NUL, and halves of characters are no text
    data = parsed(body, cut)
    assert content_of(data) == content
    assert {**data, "file_data": fields["file_data"]} == orjson.loads(body)
