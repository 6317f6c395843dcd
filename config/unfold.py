"""The theme of the back office: names, colours, and the navigation by work area."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


def site_name(request: HttpRequest) -> str:
    """The name the operator gave the installation."""
    return "Quartier"


def _style(name: str) -> Any:
    return lambda request: static(name)


def _item(site: Any, request: HttpRequest, model: str, title: Any, icon: str, **query: Any) -> dict[str, Any] | None:
    """A line of the navigation, if this person may open the list."""
    from django.apps import apps

    app, _dot, name = model.partition(".")
    admin = site._registry.get(apps.get_model(app, name))
    if admin is None or not admin.has_view_permission(request):
        return None
    return {"title": title, "icon": icon, "link": reverse(f"admin:{app}_{name}_changelist")}


def _work_list(request: HttpRequest, whole: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The list and its views that need attention: marked is one of them alone, the one that is open."""
    views = _waiting(request)
    if any(view["active"] for view in views):
        whole = [{**item, "active": False} for item in whole]
    return whole + views


def _waiting(request: HttpRequest) -> list[dict[str, Any]]:
    """Views of the work list that need attention, with how many there are; none for who has no help desk."""
    from config.admin_start import shown, tickets_of

    found = tickets_of(request)
    if found is None:
        return []
    page = reverse("admin:tickets_ticket_changelist")
    here = f"{request.path}?{request.GET.urlencode()}"
    lines = (
        (_("Unassigned"), "person_search", found.unassigned, found.UNASSIGNED, "warning"),
        (_("Overdue"), "alarm", found.overdue, found.OVERDUE, "danger"),
    )
    return [
        {
            "title": title,
            "icon": icon,
            "link": f"{page}?{query}",
            "active": here == f"{page}?{query}",
            "badge": shown(count, at_least=found.is_partial) if count else "",
            "badge_variant": tone,
        }
        for title, icon, count, query, tone in lines
    ]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The work areas; what a person may not open is not there."""
    from config.admin_site import site
    from messaging.admin import texts
    from orgs.admin import licence

    if not site.has_permission(request):
        return []

    def items(*lines: tuple[str, Any, str]) -> list[dict[str, Any]]:
        return [item for line in lines if (item := _item(site, request, *line))]

    def own(page: str, title: Any, icon: str, may_see: Callable[[Any], bool]) -> list[dict[str, Any]]:
        """A page that is no list, if this person may open it."""
        is_shown = may_see(request.actor)  # type: ignore[attr-defined]
        return [{"title": title, "icon": icon, "link": reverse(f"admin:{page}")}] if is_shown else []

    mails = []
    if getattr(settings, "TRYOUT_MAILS", "") and request.actor.is_operator:  # type: ignore[attr-defined]
        mails = [{"title": _("Mails of the try-out"), "icon": "drafts", "link": reverse("admin:tryout-mails")}]
    groups = [
        (None, [{"title": _("Start"), "icon": "home", "link": reverse("admin:index")}]),
        (
            _("People & places"),
            items(
                ("orgs.community", _("Communities"), "apartment"),
                ("orgs.unit", _("Units"), "door_front"),
                ("orgs.contact", _("Contacts"), "contacts"),
                ("orgs.occupancy", _("Occupancies"), "key"),
                ("orgs.invite", _("Invitations"), "forward_to_inbox"),
                ("orgs.accessrequest", _("Access requests"), "contact_support"),
                ("orgs.importrun", _("Imports"), "upload"),
            ),
        ),
        (
            _("Documents"),
            items(
                ("docms.folder", _("Folders"), "folder_open"),
                ("docms.document", _("Papers"), "description"),
                ("docms.group", _("Groups"), "groups"),
                ("docms.labelsuggestion", _("Suggested labels"), "label"),
                ("docms.readmark", _("Readers"), "visibility"),
                ("docms.documentlog", _("Document log"), "history"),
                ("core.destructionrecord", _("Retention"), "auto_delete"),
                ("orgs.hold", _("Legal holds"), "gavel"),
            ),
        ),
        (
            _("Tickets"),
            _work_list(request, items(("tickets.ticket", _("Work list"), "support_agent")))
            + items(
                ("tickets.tickettype", _("Ticket types"), "category"),
                ("tickets.tickettypegroup", _("Groups of types"), "view_agenda"),
                ("tickets.cannedreply", _("Ready-made replies"), "quickreply"),
                ("tickets.assignmentrule", _("Rules of assignment"), "alt_route"),
            ),
        ),
        (
            _("Cases"),
            items(
                ("processes.process", _("Cases"), "folder_managed"),
                ("processes.processtype", _("Kinds of cases"), "account_tree"),
                ("processes.processstage", _("Stages"), "linear_scale"),
            ),
        ),
        (
            _("Communication"),
            items(
                ("messaging.message", _("Messages"), "mail"),
                ("tickets.inboundmail", _("Mails that came in"), "inbox"),
                ("tickets.mailbox", _("Mailbox"), "mark_email_read"),
            )
            + own("texts", _("Texts"), "edit_note", texts.may_see)
            + mails,
        ),
        (
            _("Settings"),
            items(
                ("orgs.organizationsettings", _("Tenant settings"), "tune"),
                ("orgs.membership", _("Members"), "badge"),
                ("orgs.organization", _("Organizations"), "account_tree"),
                ("orgs.application", _("Applications"), "api"),
                ("orgs.installationsettings", _("Installation"), "settings"),
            )
            + own("licence", _("Licence"), "workspace_premium", licence.may_see)
            + own("updates", _("Updates"), "system_update_alt", lambda actor: actor.is_operator),
        ),
        (
            _("Operations"),
            items(
                ("core.jobrun", _("Job runs"), "schedule"),
                ("core.auditentry", _("Audit"), "fact_check"),
                ("core.systemlog", _("System log"), "report"),
                ("orgs.signinlog", _("Sign-ins"), "login"),
                ("core.upload", _("Uploads"), "cloud_upload"),
            ),
        ),
    ]
    return [{"title": title, "items": lines} for title, lines in groups if lines]


# The house's green instead of the theme's purple, and its warm greys.
UNFOLD: dict[str, Any] = {
    "SITE_TITLE": site_name,
    "SITE_HEADER": site_name,
    "SITE_URL": "/app/",
    "SITE_SYMBOL": "cottage",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("img/favicon.svg")}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": False,
    "BORDER_RADIUS": "8px",
    "STYLES": [_style("css/admin.css")],
    "SCRIPTS": [_style("js/admin.js")],
    "COLORS": {
        "base": {
            "50": "oklch(98.2% .005 85)",
            "100": "oklch(96% .007 84)",
            "200": "oklch(91.5% .01 83)",
            "300": "oklch(86% .012 82)",
            "400": "oklch(70% .014 80)",
            "500": "oklch(50% .016 75)",
            "600": "oklch(43% .016 70)",
            "700": "oklch(36% .014 70)",
            "800": "oklch(29% .011 72)",
            "900": "oklch(22.5% .009 75)",
            "950": "oklch(16% .008 75)",
        },
        "primary": {
            "50": "oklch(97.5% .014 165)",
            "100": "oklch(94% .03 165)",
            "200": "oklch(88% .055 165)",
            "300": "oklch(82% .08 165)",
            "400": "oklch(76% .09 165)",
            "500": "oklch(70% .09 165)",
            "600": "oklch(45% .075 165)",
            "700": "oklch(40% .07 165)",
            "800": "oklch(34% .06 165)",
            "900": "oklch(28% .05 165)",
            "950": "oklch(21% .04 165)",
        },
        "font": {
            "subtle-light": "var(--color-base-500)",
            "subtle-dark": "var(--color-base-400)",
            "default-light": "var(--color-base-700)",
            "default-dark": "var(--color-base-300)",
            "important-light": "var(--color-base-900)",
            "important-dark": "var(--color-base-100)",
        },
    },
    "ACCOUNT": {"navigation": [{"title": _("My profile"), "link": "/app/profile"}]},
    "SIDEBAR": {"show_search": True, "command_search": False, "show_all_applications": False, "navigation": navigation},
}
