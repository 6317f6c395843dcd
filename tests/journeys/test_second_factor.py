"""Signing in in two steps, by keyboard alone: switched on by oneself or demanded, with the app and with a recovery code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from orgs.models import Organization, SecondFactor, Session, SignInLog
from tests.cast import PASSWORD, Cast, load
from tests.otp import otp

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

pytestmark = pytest.mark.django_db(transaction=True)

WRONG = "000000"
TABS = 60  # more than any of these pages has


@pytest.fixture
def cast(live_server: Any) -> Cast:
    return load()


def tab_to(page: Page, selector: str) -> None:
    """Walk to the first thing that fits, as somebody without a mouse does."""
    for _tab in range(TABS):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {selector}")


def press(page: Page, selector: str) -> None:
    """Walk there and press Enter."""
    tab_to(page, selector)
    page.keyboard.press("Enter")


def enter(page: Page) -> None:
    """Send the form, and wait for what comes."""
    with page.expect_navigation():
        page.keyboard.press("Enter")


def write(page: Page, selector: str, text: str) -> None:
    """Walk there and type instead of what stands there."""
    tab_to(page, selector)
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(text)


def first_step(page: Page, who: str = "renter") -> None:
    """User name and password."""
    page.goto("/app/login")
    write(page, "[name=username]", f"{who}@quartier.test")
    write(page, "[name=password]", PASSWORD)
    enter(page)


def second_step(page: Page, code: str) -> None:
    """A code, whatever kind of."""
    write(page, "[name=code]", code)
    enter(page)


def secret(page: Page) -> str:
    """The key as it stands on the page, in groups of four."""
    return page.locator(".key code").inner_text().replace(" ", "")


def sign_out(page: Page) -> None:
    press(page, "[popovertarget=my-account]")
    press(page, "#my-account form[action$='/logout'] button")
    page.wait_for_url("**/app/login")


def is_inside(page: Page) -> bool:
    page.wait_for_url(re.compile(r"/app/c/"))
    return page.locator("#nav-side").count() == 1


@pytest.fixture
def enrolled(page: Page, cast: Cast, axe: Callable[..., None]) -> tuple[str, list[str]]:
    """The renter has switched it on and signed out again: the key and the recovery codes."""
    first_step(page)
    assert is_inside(page)
    page.goto("/app/profile")
    press(page, "a[href$='/profile/second-factor']")
    page.wait_for_url("**/profile/second-factor")
    key = secret(page)
    axe(page)
    expect(page.locator("main [aria-label*=QR]")).to_be_visible()
    assert key in page.locator("a[href^='otpauth:']").get_attribute("href")  # type: ignore[operator]
    second_step(page, otp(key, -1))
    codes = page.locator(".codes li")
    expect(codes).to_have_count(10)
    axe(page)
    kept = codes.all_inner_texts()
    press(page, "main a.button.primary")
    page.wait_for_url("**/app/profile")
    sign_out(page)
    return key, kept


def test_it_is_switched_on_and_asked_for(
    page: Page, cast: Cast, enrolled: tuple[str, list[str]], axe: Callable[..., None]
) -> None:
    key, _codes = enrolled
    first_step(page)
    axe(page)
    page.goto("/app/profile")
    assert "/app/login" in page.url  # the password alone opens nothing
    first_step(page)
    second_step(page, otp(key))
    assert is_inside(page)
    assert Session.objects.filter(user=cast.renter, second_factor_at__isnull=False).count() == 1


def test_a_wrong_code_and_one_that_is_spent_open_nothing(
    page: Page, cast: Cast, enrolled: tuple[str, list[str]], axe: Callable[..., None], console: list[str]
) -> None:
    key, _codes = enrolled
    first_step(page)
    for code in (WRONG, otp(key, -1)):  # the second one switched it on
        second_step(page, code)
        expect(page.locator("[role=alert]").first).to_be_focused()
        expect(page.locator("[name=code]")).to_have_attribute("aria-invalid", "true")
    axe(page)
    page.goto("/app/profile")
    assert "/app/login" in page.url
    assert SignInLog.objects.filter(user=cast.renter, type="tfa_failed").count() == 2
    console.clear()  # the browser logs answers of 422


def test_a_recovery_code_opens_once(
    page: Page, cast: Cast, enrolled: tuple[str, list[str]], console: list[str]
) -> None:
    _key, codes = enrolled
    first_step(page)
    second_step(page, codes[3])
    assert is_inside(page)
    sign_out(page)
    first_step(page)
    second_step(page, codes[3])
    expect(page.locator("[role=alert]").first).to_be_focused()
    second_step(page, codes[4])
    assert is_inside(page)
    console.clear()  # the browser logs answers of 422


def test_a_company_that_demands_it_lets_nobody_in_without(
    page: Page, cast: Cast, axe: Callable[..., None], console: list[str]
) -> None:
    Organization.objects.filter(pk=cast.tenant.pk).update(enforces_second_factor=True)
    first_step(page)
    key = secret(page)
    axe(page)
    second_step(page, WRONG)
    expect(page.locator("[role=alert]").first).to_be_focused()
    assert secret(page) == key  # what the app has scanned stays right
    assert not SecondFactor.objects.filter(user=cast.renter, confirmed_at__isnull=False).exists()
    second_step(page, otp(key, -1))
    expect(page.locator(".codes li")).to_have_count(10)
    axe(page)
    press(page, "main a.button.primary")
    assert is_inside(page)
    page.goto("/app/profile")
    tab_to(page, "summary")
    sign_out(page)
    first_step(page)
    second_step(page, otp(key))
    assert is_inside(page)
    console.clear()  # the browser logs answers of 422


def test_what_the_company_demands_cannot_be_switched_off(
    page: Page, cast: Cast, enrolled: tuple[str, list[str]]
) -> None:
    key, _codes = enrolled
    first_step(page)
    second_step(page, otp(key))
    assert is_inside(page)
    form, switch = "form[action$='/second-factor/remove']", "details:has(form[action$='/second-factor/codes'])"
    Organization.objects.filter(pk=cast.tenant.pk).update(enforces_second_factor=True)
    page.goto("/app/profile")
    press(page, f"{switch} > summary")
    expect(page.get_by_text("Brandt & Keller verlangt den zweiten Schritt", exact=False)).to_be_visible()
    expect(page.locator(form)).to_have_count(0)
    Organization.objects.filter(pk=cast.tenant.pk).update(enforces_second_factor=False)
    page.goto("/app/profile")
    press(page, f"{switch} > summary")
    write(page, f"{form} [name=password]", PASSWORD)
    tab_to(page, f"{form} button")
    enter(page)
    expect(page.locator(".notice, [role=status], [role=alert]").first).to_be_visible()
    assert not SecondFactor.objects.filter(user=cast.renter).exists()


def test_a_demand_that_comes_while_one_is_signed_in_leads_to_the_set_up_and_back(
    page: Page, cast: Cast, axe: Callable[..., None]
) -> None:
    first_step(page)
    assert is_inside(page)
    Organization.objects.filter(pk=cast.tenant.pk).update(enforces_second_factor=True)
    wanted = f"/app/c/{cast.house_a.pk}/info/documents"
    page.goto(wanted)
    page.wait_for_url("**/profile/second-factor?next=*")
    expect(page.get_by_text("Brandt & Keller verlangt den zweiten Schritt.")).to_be_visible()
    axe(page)
    page.goto("/app/profile")
    axe(page)
    page.goto(wanted)
    second_step(page, otp(secret(page), -1))
    expect(page.locator(".codes li")).to_have_count(10)
    press(page, "main a.button.primary")
    page.wait_for_url(f"**{wanted}")
