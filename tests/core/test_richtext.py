"""What is kept of the HTML that people send, and how it goes through a form."""

from __future__ import annotations

import pytest

from core import richtext


@pytest.mark.parametrize(
    "kept",
    [
        "<p>Eins</p><p>Zwei</p>", "<ul><li>a</li><li>b</li></ul>", "<ol><li>a</li></ol>",
        "<p><b>a</b> <strong>b</strong> <i>c</i> <em>d</em></p>", "<h2>Lage</h2>", "<p>3 &lt; 5 &amp; 7</p>",
    ],
)  # fmt: skip
def test_formatting_stays(kept: str) -> None:
    assert richtext.cleaned(kept) == kept


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("<p>a<script>alert(1)</script></p>", "<p>a</p>"),
        ("<style>p{display:none}</style><p>a</p>", "<p>a</p>"),
        ('<iframe src="https://boese.test"></iframe><p>a</p>', "<p>a</p>"),
        ('<form action="https://boese.test"><input name="x"><button>Los</button></form>', "Los"),
        ('<p onclick="alert(1)" style="color:red" class="x">a</p>', "<p>a</p>"),
        ('<img src="https://boese.test/pixel.gif"><p>a</p>', "<p>a</p>"),
        ('<svg><script>alert(1)</script></svg><p>a</p>', "<p>a</p>"),
    ],
)  # fmt: skip
def test_what_could_do_harm_goes(sent: str, kept: str) -> None:
    assert richtext.cleaned(sent) == kept


@pytest.mark.parametrize(
    "target", ["javascript:alert(1)", "data:text/html,x", "JaVaScRiPt:alert(1)", "&#106;avascript:alert(1)"]
)
def test_targets_that_run_something_go(target: str) -> None:
    assert richtext.cleaned(f'<a href="{target}">a</a>') == '<a rel="noopener noreferrer nofollow">a</a>'


def test_links_vouch_for_nothing() -> None:
    expected = '<a href="https://quartier.test/" rel="noopener noreferrer nofollow">a</a>'
    assert richtext.cleaned('<a href="https://quartier.test/" rel="opener" target="_top">a</a>') == expected


@pytest.mark.parametrize(
    "text", ["", "   ", "<p></p>", "<p>&nbsp; </p>", "<p><br></p>", "<b>\u200b\ufeff</b>", "<img src=x>"]
)
def test_what_shows_nothing_is_empty(text: str) -> None:
    assert richtext.is_empty(richtext.cleaned(text))


@pytest.mark.parametrize("text", ["a", "<p>0</p>", "<p>&lt;</p>", "<ul><li>.</li></ul>"])
def test_a_single_character_is_something(text: str) -> None:
    assert not richtext.is_empty(richtext.cleaned(text))


def test_words_are_parted_where_a_reader_sees_them_apart() -> None:
    assert richtext.words("<p>Dach</p><p>rinne</p>Rohr<b>bruch</b> &amp; mehr").split() == [
        "Dach", "rinne", "Rohrbruch", "&", "mehr",
    ]  # fmt: skip


@pytest.mark.parametrize("typed", ["Eins", "Eins\nzwei", "Eins\n\nzwei\ndrei", '3 < 5 & "7"', "Müller & Söhne <mail>"])
def test_typed_paragraphs_come_back_as_they_were_typed(typed: str) -> None:
    assert richtext.for_form(richtext.cleaned(richtext.from_form(typed))) == typed


def test_richer_text_is_edited_with_its_markup() -> None:
    stored = richtext.cleaned(richtext.from_form("<p>Eins</p><ul><li>a</li></ul>"))
    assert richtext.for_form(stored) == "<p>Eins</p><ul><li>a</li></ul>"
    assert richtext.from_form(stored) == stored


def test_typed_markup_that_was_escaped_is_edited_escaped() -> None:
    stored = richtext.cleaned("<p>Der Knopf hei\u00dft &lt;b&gt;.</p>")
    assert richtext.cleaned(richtext.from_form(richtext.for_form(stored))) == stored
