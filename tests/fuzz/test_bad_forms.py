"""Bad input at the forms of portal and back office, found by asking each page for its fields: a word at the field or a
page that says so, no error of ours, and nothing has changed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from django.db import transaction
from django.test import Client

from config.admin_site import site
from core import scope
from orgs.services import contacts, invites
from orgs.signals import invite_issued
from tests.cast import PASSWORD
from tests.fuzz.forms import Fields
from tests.fuzz.untouched import untouched
from tests.portal.pages import documents_url, signed_in

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.fuzz.world import World

Forms = list[tuple[str, Client, dict[str, str]]]
OfficeForms = list[tuple[str, Fields]]
LONG, HUGE = "x" * 10_000, "9" * 5000
NUL = "Vor\x00stand"


@pytest.fixture(autouse=True)
def _calm() -> Iterator[None]:
    """Refusals fill no log."""
    logs = [logging.getLogger(name) for name in ("django.request", "django.security")]
    levels = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.CRITICAL)
    yield
    for log, level in zip(logs, levels, strict=True):
        log.setLevel(level)


@pytest.fixture
def resident(cast: Cast, world: World) -> Client:
    """The browser of a resident."""
    client = signed_in(cast.owner)
    client.raise_request_exception = False
    return client


@pytest.fixture
def office(cast: Cast, world: World) -> Client:
    """The browser of the administrator."""
    client = signed_in(cast.admin)
    client.raise_request_exception = False
    return client


def sent(client: Client, url: str, values: dict[str, Any] | bytes, kind: str = "") -> Any:
    """The answer; what it changed stays, so that `untouched` sees it."""
    if isinstance(values, bytes):
        answer = client.generic("POST", url, values, content_type=kind)
    else:
        answer = client.post(url, values)
    assert answer.status_code < 500, (url, answer.status_code)
    return answer


@contextmanager
def undone() -> Iterator[None]:
    """What is done in here is done for nothing."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def read(client: Client, url: str, **extra: Any) -> Any:
    """The page, read to its end."""
    answer = client.get(url, **extra)
    if answer.streaming:
        answer.getvalue()
    assert answer.status_code < 500, (url[:200], answer.status_code)
    return answer


# --- Portal -----------------------------------------------------------------------------------------------

NEW = "Noch-ein-Satz-77"
# Where it is sent, by whom, and what would be right.
PORTAL: dict[str, tuple[str, dict[str, str]]] = {
    "/app/login": ("nobody", {"username": "renter@quartier.test", "password": PASSWORD}),
    "/app/password/forgot": ("nobody", {"email": "renter@quartier.test"}),
    "/app/password/{token}": ("nobody", {"password": NEW}),
    "/app/invite/{code}": (
        "nobody",
        {"first_name": "Ida", "last_name": "Neu", "email": "ida@quartier.test", "password": NEW, "terms": "on"},
    ),
    "/app/profile": (
        "resident",
        {"first_name": "Ida", "last_name": "Neu", "telephone": "0171", "language": "de", "theme": "auto"},
    ),
    "/app/profile/password": ("resident", {"current": PASSWORD, "new": NEW}),
    "/app/profile/second-factor": ("resident", {"code": "123456"}),
}
CHOSEN = ("terms", "theme", "language")


@pytest.fixture
def code(cast: Cast, world: World) -> str:
    """Of an invitation that is open and asks for a name."""
    codes: list[str] = []

    def keep(code: str, **_: Any) -> None:
        codes.append(code)

    invite_issued.connect(keep)
    with scope.unit_of_work(door="test"):
        contact = contacts.create_contact(tenant=cast.tenant, last_name="Neu", email="ida@quartier.test")
        invites.invite_contact(contact=contact, invited_by=cast.admin, community=cast.house_a, unit=cast.unit_a3)
    invite_issued.disconnect(keep)
    return codes[0]


@pytest.fixture
def forms(world: World, resident: Client, code: str) -> Forms:
    """Each form with its address, the browser and what is right."""
    nobody = Client(raise_request_exception=False)
    token = world.values["token"].own[0]
    read(nobody, f"/app/invite/{code}")  # that somebody has looked is noted, once
    return [
        (url.format(token=token, code=code), resident if who == "resident" else nobody, right)
        for url, (who, right) in PORTAL.items()
    ]


@pytest.mark.parametrize("value", [LONG, NUL, HUGE], ids=["10,000 characters", "NUL", "5,000 digits"])
def test_a_form_of_the_portal_says_so_at_the_field(forms: Forms, value: str) -> None:
    with untouched():
        for url, client, right in forms:
            for name in right.keys() - set(CHOSEN):
                answer = sent(client, url, {**right, name: value})
                assert answer.status_code == 422, (url, name, answer.status_code)
                assert answer["Content-Type"].startswith("text/html")
                assert 'class="error"' in answer.content.decode(), (url, name)


@pytest.mark.parametrize("value", [LONG, NUL, HUGE, "", "x", "²", "-1", "../..", "<script>", "{{ 7*7 }}"])
def test_what_nobody_can_choose_is_refused_or_ignored(world: World, resident: Client, forms: Forms, value: str) -> None:
    with untouched():
        for url, client, right in forms:
            for name in right.keys() & {"theme", "language"}:
                assert sent(client, url, {**right, name: value}).status_code == 422, (url, name)
    for url, names in (
        ("/app/language", ("language", "next")),
        ("/app/theme", ("theme", "next")),
        ("/app/login", ("held", "next")),
        (f"/app/documents/{world.values['file'].own[0]}/done", ("done", "next")),
        (f"/app/folders/{world.values['folder'].own[0]}/favourite", ("on", "next")),
    ):
        for name in names:
            with undone():
                sent(resident, url, {name: value})


def part(head: bytes, content: bytes = b"x") -> bytes:
    """One part of a multipart body."""
    return b"--x\r\n" + head + b"\r\n\r\n" + content + b"\r\n"


FIELD = b'Content-Disposition: form-data; name="first_name"'
FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"
RAW: dict[str, tuple[str, bytes]] = {
    "no boundary": ("multipart/form-data", b"x"),
    "no end": (MULTIPART, part(FIELD)[:-4]),
    "a long boundary": ("multipart/form-data; boundary=" + "x" * 300, b"x"),
    "a boundary of umlauts": ("multipart/form-data; boundary=ä", b"x"),
    "a long file name": (MULTIPART, part(FIELD + b'; filename="' + b"y" * 200_000 + b'"') + b"--x--\r\n"),
    "a long head": (MULTIPART, part(FIELD + b"\r\nX-Y: " + b"z" * 300_000) + b"--x--\r\n"),
    "no Base64": (MULTIPART, part(FIELD + b"\r\nContent-Transfer-Encoding: base64", b"!!!") + b"--x--\r\n"),
    "an unknown charset": (
        MULTIPART,
        part(FIELD + b"\r\nContent-Type: text/plain; charset=no", b"\xff") + b"--x--\r\n",
    ),
    "no UTF-8": (FORM, b"%ff=%fe&first_name=%ED%A0%80&last_name=%ff"),
    "no hex": (FORM, b"%=%zz&first_name=%"),
    "UTF-16": (f"{FORM}; charset=utf-16", "first_name=a".encode("utf-16")),
    "charset unknown": (f"{FORM}; charset=nope", b"first_name=a"),
    "JSON": ("application/json", b"[" * 100_000),
    "text": ("text/plain", b"first_name=a"),
    "no type": ("", b"first_name=a"),
}
MANY = {
    "10,000 fields": (FORM, "&".join(f"a{number}=1" for number in range(10_000)).encode()),
    "10,000 parts": (MULTIPART, part(FIELD) * 10_000 + b"--x--\r\n"),
    "10,000 files": (MULTIPART, part(FIELD + b'; filename="a"') * 10_000 + b"--x--\r\n"),
}


@pytest.mark.parametrize(("kind", "raw"), RAW.values(), ids=RAW)
def test_bodies_of_garbage_change_nothing_in_the_portal(forms: Forms, kind: str, raw: bytes) -> None:
    with untouched():
        for url, client, _right in forms:
            assert sent(client, url, raw, kind).status_code in (400, 422), url


@pytest.mark.parametrize(("kind", "raw"), MANY.values(), ids=MANY)
@pytest.mark.parametrize(("language", "words"), [("en", "We could not read"), ("de", "")])
def test_too_many_fields_get_a_page_in_the_language_of_the_reader(
    cast: Cast, world: World, resident: Client, kind: str, raw: bytes, language: str, words: str
) -> None:
    type(cast.owner).objects.filter(pk=cast.owner.pk).update(language=language)
    with untouched():
        answer = sent(resident, "/app/profile", raw, kind)
    assert answer.status_code == 400
    assert f'<html lang="{language}">' in answer.content.decode()
    assert words in answer.content.decode()


QUERIES = (
    f"q={LONG}", "q=a+%26+!+%7C+:*+'", "q=%25_%5C", "q=%00", "q=%ff", "q=%zz", "q=%01", "page=0", "page=-1",
    "page=1000000000000", "page=abc", f"page={HUGE}", "page=²", f"folder={HUGE}", "folder=-1", "folder=abc", "year=0",
    "year=99999", "year=-1", "year=9999", "year=1", f"year={HUGE}", f"label={LONG}", "label=%00", "only=x", "doc=abc",
    f"doc={HUGE}", "doc=0", "%ff=1", "sort=nope", "&".join(f"a{number}=1" for number in range(900)),
)  # fmt: skip


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["page", "fragment"])
def test_nonsense_in_the_address_of_the_documents_is_ignored_or_not_found(
    cast: Cast, resident: Client, headers: dict[str, str]
) -> None:
    for query in QUERIES:
        assert read(resident, documents_url(cast, f"?{query}"), headers=headers).status_code in (200, 404), query[:50]


HEADERS: dict[str, dict[str, str]] = {
    "many languages": {"Accept-Language": "de," * 33_000},
    "one long language": {"Accept-Language": "x" * 100_000},
    "no weights": {"Accept-Language": "de;q=abc,\x01,*;q=2"},
    "a session of 8 kB": {"Cookie": "user_session=" + "x" * 8000},
    "cookies of garbage": {"Cookie": 'csrftoken=%%%; user_session=\x01; messages=abc; django_language=../x; theme="<>'},
    "5,000 semicolons": {"Cookie": ";" * 5000},
    "a long language cookie": {"Cookie": f"django_language={LONG}"},
    "long messages": {"Cookie": f"messages={LONG}:{LONG}"},
    "a long browser": {"User-Agent": LONG},
    "long addresses": {"X-Forwarded-For": LONG, "Referer": LONG, "HX-Current-URL": LONG, "HX-Request": "true"},
    "no dates": {"If-Modified-Since": "gestern", "If-None-Match": LONG, "Range": "bytes=abc"},
}
PAGES = (
    "/", "/app/", "/app/login", "/app/profile", "/app/invite/", "/app/password/forgot", "/admin/", "/admin/login/",
    "/api/schema/docms/", "/api/docs/docms/", "/healthz", f"/app/c/{'9' * 30}/", "/app/documents/0", "/app/%00", "/app/%ff",
    f"/app/brand/{'9' * 30}.css", "/app/about/0/imprint", f"/app/password/{LONG}", f"/app/invite/{LONG}",
    "/app/invite/%00", "/app/invite/a%0Ab", "/app/login?next=%00", f"/app/login?next={LONG}",
    f"/app/login?username={LONG}", f"/{LONG}", f"/api/schema/{LONG}/", f"/api/schema/docms/?format={LONG}",
    "/static/%00", "/static/..%2f..%2fetc/passwd", "/admin/nope/", "/admin/orgs/", "/admin/login/?next=%00",
    "/admin/autocomplete/?app_label=x&model_name=y&field_name=z&term=%00", "/admin/jsi18n/",
)  # fmt: skip


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
def test_headers_of_garbage_break_no_page(world: World, headers: dict[str, str]) -> None:
    nobody = Client(raise_request_exception=False)
    with untouched():
        for url in PAGES:
            assert read(nobody, url, headers=headers).status_code in (200, 301, 302, 400, 401, 404, 405), url[:60]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "HEAD", "PROPFIND", "x" * 50])
def test_other_methods_break_no_page(world: World, resident: Client, method: str) -> None:
    with undone():  # the page of the second factor makes a key, whatever it is asked with
        for url in (*PAGES, *(url.format(token="x", code="x") for url in PORTAL)):
            assert resident.generic(method, url).status_code < 500, url[:60]


@pytest.mark.parametrize("code", [LONG, "a%00b", HUGE, "", "%ff", "abc", "²³²³²³", "......", "%0d%0aX:y"])
def test_what_is_no_code_of_a_letter_is_said_at_the_field(world: World, code: str) -> None:
    with untouched():
        answer = read(Client(raise_request_exception=False), f"/app/invite/?code={code}")
    assert answer.status_code == 422
    assert 'class="error"' in answer.content.decode()


# --- Back office ------------------------------------------------------------------------------------------


def nouns() -> list[Any]:
    """What the back office lists."""
    return sorted(site._registry, key=lambda model: model.__name__)


def base(model: Any) -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/"


@pytest.fixture(scope="module")
def _pages(_furnished: World) -> dict[str, Fields]:
    """What the pages of forms hold, as every test of this file begins with the same rows: each is read once."""
    return {}


@pytest.fixture
def office_forms(office: Client, _pages: dict[str, Fields]) -> OfficeForms:
    """Every form to add or change something, with its fields as the page has them."""
    if not _pages:
        with untouched():
            for model in nouns():
                row = model._base_manager.order_by("pk").first()
                for url in (f"{base(model)}add/", f"{base(model)}{row.pk}/change/" if row else ""):
                    page = read(office, url) if url else None
                    if page is not None and page.status_code == 200:
                        _pages[url] = Fields(page.content.decode())
    return list(_pages.items())


def frame(name: str) -> bool:
    """Fields of the frame around every page."""
    return name in ("s", "tenant", "q")


@pytest.fixture
def _no_navigation(office_forms: OfficeForms, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages without the navigation beside them, a third of the work of each: it follows from who asks for what, not from
    what is typed into a form. Each form was read with it."""
    monkeypatch.setattr(type(site), "get_sidebar_list", lambda self, request: [])
    monkeypatch.setattr(site, "enable_nav_sidebar", False)


LISTS = (
    f"q={LONG}", "q=a+%26+%7C+!+%3C-%3E+:*+'+%5C", "q=%25_%5C", "q=%22a", "q=%ff", "q=%01", "p=0", "p=-1",
    "p=1000000000000", "p=abc", f"p={HUGE}", "o=99", "o=abc", "o=-1.-1.5", f"o={HUGE}", "foo=bar", "id__exact=abc",
    f"id__exact={HUGE}", "pk__in=a,b", "id__gte=1e5", "password__startswith=a", "_popup=1", "_facets=x", "all=1&p=5",
    "created_at__gte=99999-01-01", "created_at__year=99999", "created_at__year=abc", "created_at__date=0000-00-00",
    "e=1&created_at__year=99999", f"_changelist_filters={LONG}", f"kind={LONG}", "%ff=%fe",
)  # fmt: skip


@pytest.mark.parametrize("query", LISTS, ids=range(len(LISTS)))
def test_nonsense_in_the_address_of_a_list_is_ignored(office: Client, query: str) -> None:
    """Shown without it, or sent to the plain list; a column that may not be asked for is 400."""
    for model in nouns():
        answer = read(office, f"{base(model)}?{query}")
        assert answer.status_code in (200, 302, 400, 403), (model, answer.status_code)


@pytest.mark.parametrize("key", ["0", "-1", "abc", HUGE, "1.5", "_5F", "%ff", "²", "add/x"])
def test_what_is_no_row_is_not_found(office: Client, key: str) -> None:
    with untouched():
        for model in nouns():
            for page in ("change", "history"):
                assert read(office, f"{base(model)}{key}/{page}/").status_code in (403, 404, 301, 302), model
            assert sent(office, f"{base(model)}{key}/delete/", {"post": "yes"}).status_code in (403, 404), model


@pytest.mark.usefixtures("_no_navigation")
@pytest.mark.parametrize("value", [LONG, NUL, HUGE], ids=["10,000 characters", "NUL", "5,000 digits"])
def test_forms_of_the_office_refuse_what_no_field_holds(office: Client, office_forms: OfficeForms, value: str) -> None:
    """In every field at once: errors at the fields, and nothing is written."""
    with untouched():
        for url, form in office_forms:
            texts = [name for name in form.texts if not frame(name)]
            if texts:
                answer = sent(office, url, {**form.values, **dict.fromkeys(texts, value)})
                assert answer.status_code in (200, 403), (url, answer.status_code)


NUMBERS = ("-1", "1e400", "²", "٣")
DATES = ("0000-01-01", "0001-01-01", "99999-01-01", "2024-02-30", "2024-03-31 02:30", "25:61")
ODD: dict[str, tuple[str, ...]] = {
    "date": (*DATES, *NUMBERS, "a\r\nb"),
    "number": (*NUMBERS, "0001-01-01", "a\r\nb"),
    "choice": (*NUMBERS, "a\r\nb"),
    "text": ("a\r\nb", "²", "-1", "0001-01-01"),
}


@pytest.mark.usefixtures("_no_navigation")
@pytest.mark.parametrize("kind", ODD)
def test_odd_values_break_no_form_of_the_office(office: Client, office_forms: OfficeForms, kind: str) -> None:
    """Accepted where a text may be so; what was written can be read."""
    tried = 0
    for url, form in office_forms:
        for name in form.texts:
            if frame(name) or form.kinds[name] != kind:
                continue
            for value in ODD[kind]:
                with undone():
                    answer = office.post(url, {**form.values, name: value})
                    assert answer.status_code < 500, (url, name, value)
                    if answer.status_code == 302:
                        assert office.get(url).status_code == 200, (url, name, value)
                        shown = url.removesuffix("add/").split("/change/")[0].rpartition("/")[0]
                        assert office.get(f"{shown}/").status_code < 500, (url, name, value)
                tried += 1
    assert tried, f"no form has a field of this kind: {kind}"


@pytest.mark.usefixtures("_no_navigation")
def test_counts_of_rows_that_lie_break_no_form_of_the_office(office: Client, office_forms: OfficeForms) -> None:
    with undone():
        for url, form in office_forms:
            for name in [name for name in form.values if name.endswith("_FORMS")]:
                for count in ("abc", "-1", "1001", "100000", HUGE, ""):
                    sent(office, url, {**form.values, name: count, "name": NUL, "title": NUL, "last_name": NUL})


@pytest.mark.parametrize(("kind", "raw"), MANY.values(), ids=MANY)
def test_too_many_fields_are_400_in_the_office(
    office: Client, office_forms: OfficeForms, kind: str, raw: bytes
) -> None:
    with untouched():
        for url, _form in office_forms:
            assert sent(office, url, raw, kind).status_code in (400, 403), url


@pytest.mark.parametrize("action", ["", "delete_selected", "nope", LONG, NUL])
def test_actions_that_do_not_exist_do_nothing(office: Client, action: str) -> None:
    with untouched():
        for model in nouns():
            sent(office, base(model), {"action": action, "_selected_action": ["abc", "-1", HUGE], "index": "x"})
