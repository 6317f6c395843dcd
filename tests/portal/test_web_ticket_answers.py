"""Answers that are offered before a ticket is filed: which ones, to whom, and what for whom they did not help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from orgs.models import Community
from portal.models import FaqItem
from tests.portal.pages import queries_of, signed_in
from tests.portal.test_web_ticket_new import form_url
from tests.portal.test_web_tickets import tickets_url
from tests.tickets.test_services_answers import a_type

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


def answer(cast: Cast, title: str, **values: Any) -> FaqItem:
    values = {"tenant": cast.tenant, "text": "So geht es."} | values
    return FaqItem.objects.create(title=title, **values)


def shown(cast: Cast, who: str = "renter", query: str = "") -> list[str]:
    page = signed_in(getattr(cast, who)).get(tickets_url(cast, f"/new{query}"))
    return [h.item.title for h in page.context["answers"]]


def test_answers_of_the_house_and_of_all_houses_are_offered_in_their_order(cast: Cast) -> None:
    answer(cast, "Zweite", position=2)
    answer(cast, "Erste", community=cast.house_a, position=1)
    answer(cast, "Andere", community=cast.house_b)
    answer(cast, "Entwurf", published=False)
    answer(cast, "Fremd", tenant=cast.other_tenant)
    assert shown(cast) == ["Erste", "Zweite"]
    assert shown(cast, "admin") == ["Erste", "Zweite"]  # who writes them sees drafts elsewhere, not here


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("WASSER", ["Wo ist der Hahn?", "Wasser abstellen"]),
        ("wasser keller", ["Wo ist der Hahn?"]),
        ("abstellen", ["Wasser abstellen"]),
        ("100%25", []),
        ("%25", []),
        ("qq%00q", []),
    ],
)
def test_every_word_must_occur_in_question_search_words_or_answer(cast: Cast, words: str, found: list[str]) -> None:
    answer(cast, "Wo ist der Hahn?", keywords="Wasser Rohrbruch", text="Im Keller.", position=1)
    answer(cast, "Wasser abstellen", text="Unter der Spüle.", position=2)
    answer(cast, "Müll", text="Braune Tonne.", position=3)
    assert shown(cast, query=f"?q={words}") == found


def test_answers_come_before_the_kinds_and_leave_them_in_sight(cast: Cast) -> None:
    for number in range(8):
        answer(cast, f"Wasser {number}", position=number)
    a_type(cast.tenant, "Heizung")
    client = signed_in(cast.renter)
    page = client.get(tickets_url(cast, "/new"))
    text = page.content.decode()
    assert text.index("Wasser 0") < text.index("Heizung")
    assert len(page.context["answers"]) == 3
    assert len(client.get(tickets_url(cast, "/new?q=wasser")).context["answers"]) == 6


def test_htmx_gets_the_answers_alone(cast: Cast) -> None:
    answer(cast, "Wasser abstellen")
    page = signed_in(cast.renter).get(tickets_url(cast, "/new?q=wasser"), headers={"HX-Request": "true"})
    text = page.content.decode()
    assert text.strip().startswith('<div id="answers"') and "Wasser abstellen" in text
    assert "HX-Request" in page["Vary"]


def test_nothing_found_says_so_and_keeps_the_words(cast: Cast) -> None:
    answer(cast, "Wasser")
    page = signed_in(cast.renter).get(tickets_url(cast, "/new?q=<b>")).content.decode()
    assert 'value="&lt;b&gt;"' in page and "Nichts gefunden zu „&lt;b&gt;“" in page


def test_where_questions_are_switched_off_none_is_offered(cast: Cast) -> None:
    answer(cast, "Wasser")
    Community.objects.filter(pk=cast.house_a.pk).update(has_faq=False)
    assert shown(cast) == shown(cast, query="?q=wasser") == []


def test_without_answers_nothing_speaks_of_them(cast: Cast) -> None:
    assert 'id="help"' not in signed_in(cast.renter).get(tickets_url(cast, "/new")).content.decode()


@pytest.mark.parametrize(("roles", "leads"), [([], True), (["owner"], False)])
def test_an_answer_leads_to_the_kind_of_ticket_that_the_person_may_use(
    cast: Cast, roles: list[str], leads: bool
) -> None:
    kind = a_type(cast.tenant, "Wasser", roles=roles)
    a_type(cast.tenant, "Anderes")
    answer(cast, "Wo ist der Hahn?", ticket_type=kind)
    page = signed_in(cast.renter).get(tickets_url(cast, "/new"))
    (offer,) = page.context["answers"]
    assert (offer.leads_to == kind) is leads
    assert (form_url(cast, kind) in page.content.decode()) is leads


def test_the_form_of_a_kind_offers_its_answers_before_one_writes(cast: Cast) -> None:
    kind = a_type(cast.tenant, "Wasser", {"field_type": "TEXTFIELD", "required": True})
    answer(cast, "Wo ist der Hahn?", ticket_type=kind)
    answer(cast, "Müll", ticket_type=a_type(cast.tenant, "Müll"))
    answer(cast, "Anderes Haus", ticket_type=kind, community=cast.house_b)
    answer(cast, "Entwurf", ticket_type=kind, published=False)
    client = signed_in(cast.renter)
    assert [h.item.title for h in client.get(form_url(cast, kind)).context["answers"]] == ["Wo ist der Hahn?"]
    assert client.post(form_url(cast, kind), {}).context["answers"] == []  # a mistake is mended without reading on


def test_an_answer_brings_no_script(cast: Cast) -> None:
    answer(cast, "<b>Frage</b>", text="<p>Ja.</p><script>alert(1)</script>")
    page = signed_in(cast.renter).get(tickets_url(cast, "/new")).content.decode()
    assert "&lt;b&gt;Frage" in page and "<p>Ja.</p>" in page and "alert(1)" not in page


def test_the_page_costs_the_same_for_one_answer_and_three(cast: Cast) -> None:
    client, url = signed_in(cast.renter), tickets_url(cast, "/new")
    answer(cast, "Eins", ticket_type=a_type(cast.tenant, "Eins"))
    one = queries_of(client, url)
    for name in ("Zwei", "Drei"):
        answer(cast, name, ticket_type=a_type(cast.tenant, name))
    assert queries_of(client, url) == one
