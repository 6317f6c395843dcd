"""What tenants enter and the server calls leads outside, however the inside is spelled (DOCMS-162)."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from core.errors import Invalid
from core.services.outside import is_public, require_public

INSIDE = (
    "127.0.0.1", "127.8.8.8", "0.0.0.1", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "240.0.0.1", "::1", "::", "fe80::1", "fe80::1%lo",
    "fc00::1", "fd12::1", "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2001:db8::1", "2001:0:1:2:3:4:5:6",
)  # fmt: skip
OUTSIDE = ("8.8.8.8", "172.32.0.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::")


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What the name server answers; every other name is unknown."""
    known: dict[str, list[str]] = {}

    def look_up(host: str, *_arguments: Any, **_more: Any) -> list[Any]:
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET6 if ":" in a else socket.AF_INET, 1, 6, "", (a, 0)) for a in known[host]]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


def _refused(url: str) -> str:
    with pytest.raises(Invalid) as refusal:
        require_public(url)
    return refusal.value.code


@pytest.mark.rule("DOCMS-162")
@pytest.mark.parametrize("address", INSIDE)
def test_an_address_of_the_inside_is_none_of_the_outside(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_an_address_of_the_open_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.rule("DOCMS-162")
@pytest.mark.parametrize(
    "url",
    [
        "https://localhost/", "https://127.1/", "https://2130706433/", "https://0x7f000001/",
        "https://[::1]/", "https://[::ffff:127.0.0.1]:8443/sms", "https://10.1.2.3/", "https://[fe80::1]/",
    ],
)  # fmt: skip
def test_a_url_that_leads_inside_is_refused_however_it_is_spelled(url: str) -> None:
    assert _refused(url) == "not_public"


@pytest.mark.rule("DOCMS-162")
@pytest.mark.parametrize("url", ["http://8.8.8.8/", "ftp://8.8.8.8/", "//8.8.8.8/", "gopher://8.8.8.8/"])
def test_only_https_is_taken(url: str) -> None:
    assert _refused(url) == "not_https"


@pytest.mark.parametrize(
    "url",
    [
        "", "https://", "https:///x", "https://a b/", "https://8.8.8.8\n/", "https://8.8.8.8\\@127.0.0.1/", "https://[/",
        "https://me:secret@8.8.8.8/", "https://8.8.8.8@127.0.0.1/", "https://8.8.8.8:99999/", "https://8.8.8.8:0/",
        "https://8.8.8.8/\x00", "https://\ud800.example/",
    ],
)  # fmt: skip
def test_what_libraries_read_differently_is_refused(url: str) -> None:
    assert _refused(url) == "not_an_address"


@pytest.mark.parametrize("host", ["nobody.example", ".", "a..b", "x" * 64 + ".example"])
def test_a_name_that_nobody_knows_is_told_from_a_wrong_one(host: str, names: dict[str, list[str]]) -> None:
    assert _refused(f"https://{host}/") == "unresolved"


def test_the_real_resolver_takes_odd_names_without_an_exception_of_its_own() -> None:
    assert {_refused(f"https://{host}/") for host in ("a..b", "x" * 64 + ".invalid", "no.invalid")} == {"unresolved"}


def test_the_caller_gets_every_address_once(names: dict[str, list[str]]) -> None:
    names["sms.example"] = ["8.8.8.8", "8.8.8.8", "2606:4700:4700::1111"]
    assert require_public("https://sms.example/v1?x=1") == ["8.8.8.8", "2606:4700:4700::1111"]


@pytest.mark.rule("DOCMS-162")
def test_one_local_address_among_public_ones_refuses_the_name(names: dict[str, list[str]]) -> None:
    names["sms.example"] = ["8.8.8.8", "10.0.0.9"]
    assert _refused("https://sms.example/") == "not_public"


@pytest.mark.rule("DOCMS-162")
def test_a_name_that_moved_inside_is_refused_at_the_next_call(names: dict[str, list[str]]) -> None:
    names["sms.example"] = ["8.8.8.8"]
    assert require_public("https://sms.example/")
    names["sms.example"] = ["127.0.0.1"]
    assert _refused("https://sms.example/") == "not_public"


def test_networks_that_the_installation_calls_local_are_inside(settings: Any) -> None:
    settings.LOCAL_NETWORKS = ["8.8.8.0/24"]
    assert _refused("https://8.8.8.8/") == "not_public"
    assert require_public("https://8.8.4.4/") == ["8.8.4.4"]


def test_a_host_that_the_installation_names_may_lie_inside_and_speak_http(settings: Any) -> None:
    settings.INSIDE_HOSTS = ["localhost"]
    assert "127.0.0.1" in require_public("http://localhost:8080/sms")
    assert _refused("http://127.0.0.1:8080/sms") == "not_https"
    assert _refused("ftp://localhost/") == "not_https"
