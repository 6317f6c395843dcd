"""What every page shows around its content. Each part is worked out only when a template asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.urls import reverse

from orgs.languages import USER_LANGUAGES
from orgs.middleware import speak_for

if TYPE_CHECKING:
    from orgs.models import Organization
    from portal.web.shell import Shell

THEME_COOKIE = "theme"
THEMES = ("light", "dark", "auto")


@dataclass(frozen=True)
class Brand:
    """How a managing company appears: name, logo, accent colour."""

    name: str
    tenant_id: int | None = None
    version: int = 0
    accent: str = ""
    has_logo: bool = False
    imprint: str = ""
    privacy: str = ""

    @property
    def stylesheet(self) -> str:
        """The stylesheet of one rule that carries the accent, or nothing."""
        if not self.accent or self.tenant_id is None:
            return ""
        return f"{reverse('portal:brand', args=[self.tenant_id])}?v={self.version}"

    @property
    def logo(self) -> str:
        """Where the logo is served, or nothing."""
        if not self.has_logo or self.tenant_id is None:
            return ""
        return f"{reverse('portal:logo', args=[self.tenant_id])}?v={self.version}"


def brand_of(tenant: Organization) -> Brand:
    """The brand of a tenant; `settings` should have been joined."""
    row = getattr(tenant, "settings", None)
    if row is None:
        return Brand(name=tenant.name, tenant_id=tenant.pk)
    return Brand(
        name=tenant.name,
        tenant_id=tenant.pk,
        version=row.row_version,
        accent=row.accent_color,
        has_logo=row.logo_id is not None,
        imprint=row.imprint,
        privacy=row.privacy_text,
    )


def outside(request: HttpRequest, tenant: Organization) -> None:
    """Make a page for visitors the company's: its brand around it, its language where nobody has named one."""
    request.brand = brand_of(tenant)  # type: ignore[attr-defined]
    speak_for(request, tenant)


def theme_of(request: HttpRequest) -> str:
    """`light`, `dark`, or nothing for "as the device". The profile's dark mode beats what this browser chose."""
    chosen = request.COOKIES.get(THEME_COOKIE, "")
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return "dark" if user.darkmode else ("light" if chosen == "light" else "")
    return chosen if chosen in ("light", "dark") else ""


class House:
    """The frame of a page. A view sets ``request.shell`` (signed in), or calls `outside` (visitors)."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @property
    def shell(self) -> Shell | None:
        """Community, navigation and switcher of a signed-in page."""
        return getattr(self._request, "shell", None)

    @cached_property
    def brand(self) -> Brand:
        """The company whose house this is; outside of any, the installation."""
        brand = getattr(self._request, "brand", None)
        if brand is not None:
            return brand
        if self.shell is not None and self.shell.brand is not None:
            return self.shell.brand
        from orgs.services.installation import installation

        return Brand(name=installation().app_name)

    @cached_property
    def theme(self) -> str:
        """See `theme_of`."""
        return theme_of(self._request)

    @property
    def languages(self) -> list[tuple[str, str]]:
        """The four languages, each by its own name."""
        return list(USER_LANGUAGES)

    @property
    def here(self) -> str:
        """The address of this page, to come back to."""
        return self._request.get_full_path()


def house(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `house` in every template. It costs nothing until a template uses it."""
    return {"house": House(request)}
