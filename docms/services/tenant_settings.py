"""The settings of a tenant as docms administers them: who may change what, and what is checked before."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext as _

from core.answers import require
from core.errors import Invalid
from core.services import rows
from core.services.outside import require_public, require_public_host
from docms.models import Group
from docms.services import mail_servers, pictures
from docms.services.names import plain_name, refuse_unknown
from messaging.services import settings_texts
from messaging.services.render import sanitised
from orgs import rules
from orgs.models import Organization, OrganizationSettings
from orgs.services import tenants, tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orgs.actor import Actor
    from orgs.models import User

HTML = ("privacy_text", "privacy_text_en", "gdpr_info", "gdpr_info_en")
LIMITS = {  # least and most
    "mail_port": (1, 65535),
    "mail_split_on": (0, 1000),
    "token_min_sec": (60, 2592000),
    "token_max_sec": (60, 2592000),
    "wizard_folder_inactive_after_days": (-(2**31), 36500),
    "file_delete_days": (0, 36500),
    "delete_big_file_after_hours": (0, 87600),
    "random_password_min_length": (1, 64),
    "default_first_response_hours": (0, 8760),
    "default_resolution_hours": (0, 8760),
}
TOKEN_MAX_SEC = 28800  # of a tenant that this contract creates, where it says nothing else


@transaction.atomic
def create(*, operator: User, values: Mapping[str, Any]) -> Organization:
    """Admit a tenant with these settings; the operator becomes its super administrator (DOCMS-041).

    ``values`` as in `change`. Side effects: a copy of the welcome texts (DOCMS-042), the tenant's party, audit.
    """
    tenant = tenants.create_tenant(name=values["name"], language=values["language"], created_by=operator)
    tenants.add_operator(operator=operator, tenant=tenant)
    settings_texts.copy_welcome(tenant)
    chosen = OrganizationSettings.objects.select_for_update(of=("self",)).get(organization=tenant.pk)
    _store(tenant, chosen, {"token_max_sec": TOKEN_MAX_SEC, **values})
    return tenant


@transaction.atomic
def change(*, actor: Actor, tenant: Organization, values: Mapping[str, Any], expected: int | None = None) -> None:
    """Store the given settings; what is left out keeps its value.

    ``values`` are columns of the settings, ``name`` and ``language`` of the tenant, ``logo`` in Base64 or as a stored
    blob, and texts by their names in `settings_texts`. Side effect: audit, without secrets.

    Raises `Denied` for everybody but administrators, for all but super administrators while the settings are locked,
    and for lifting a lock without being one (DOCMS-043, 044); `Changed` when somebody else was faster. `Invalid` for ids of others (DOCMS-047), an address that
    leads inside (DOCMS-162), unknown placeholders; `ValidationError` for what no tenant may have (DOCMS-018).
    """
    require(rules.may_administer(actor, tenant.pk))
    chosen = OrganizationSettings.objects.select_for_update(of=("self",)).get(organization=tenant.pk)
    if chosen.lock_settings:
        require(rules.may_change_security(actor, tenant.pk))
    require(rules.may_lift_locks(actor, chosen, values))
    _store(tenant, chosen, values, expected)


def _store(
    tenant: Organization, chosen: OrganizationSettings, values: Mapping[str, Any], expected: int | None = None
) -> None:
    columns = dict(values)
    _check_limits(columns)
    settings_texts.store(tenant, {name: columns.pop(name) for name in settings_texts.TENANT_TEXTS if name in columns})
    _rename(tenant, {name: columns.pop(name) for name in ("name", "language") if name in columns})
    if isinstance(columns.get("logo"), str):
        columns["logo"] = pictures.from_base64(columns["logo"], tenant_id=tenant.pk, field="logo")
    for name in HTML:
        if name in columns:
            columns[name] = sanitised(columns[name])
    mail_servers.check(chosen, columns)
    _check_server(chosen, columns)
    _check_sign_in(chosen, columns)
    _check_gateway(chosen, columns)
    _check_groups(tenant, columns)
    rows.change(chosen, columns, expected=expected)


def _check_limits(columns: Mapping[str, Any]) -> None:
    for name, (least, most) in LIMITS.items():
        if name in columns and not least <= columns[name] <= most:
            problem = _("Must be from %(least)d to %(most)d.") % {"least": least, "most": most}
            raise Invalid(problem, fields={name: [problem]})


def _rename(tenant: Organization, changes: dict[str, Any]) -> None:
    """The company's own party goes by the company's name, unless somebody gave it another."""
    before = tenant.name
    rows.change(tenant, changes)
    if tenant.name != before:
        tree.rename_party(tenant, before)


def _check_server(chosen: OrganizationSettings, columns: Mapping[str, Any]) -> None:
    """A mail server inside is refused at once; a name that nobody knows yet is looked up when mail leaves."""
    host = columns.get("mail_server", "")
    if not host or host == chosen.mail_server:
        return
    try:
        require_public_host(host)
    except Invalid as error:
        if error.code == "not_public":
            raise Invalid(error.message, code=error.code, fields={"mail_server": [str(error.message)]}) from None


def _check_sign_in(chosen: OrganizationSettings, columns: Mapping[str, Any]) -> None:
    """What the database would refuse, too, but without saying which field."""
    for names, fits, problem in (
        (
            ("token_min_sec", "token_max_sec"),
            operator.le,
            _("The shortest session must not be longer than the longest."),
        ),
        (("api_external_access", "api_internal_access"), operator.or_, _("Nobody could sign in any more.")),
    ):
        touched = [name for name in names if name in columns]
        if touched and not fits(*(columns.get(name, getattr(chosen, name)) for name in names)):
            raise Invalid.of(touched[0], problem)


def _check_gateway(chosen: OrganizationSettings, columns: Mapping[str, Any]) -> None:
    """An address that is stored already is asked again when it is called (DOCMS-162)."""
    url = columns.get("sms_send_url", "")
    if not url or url == chosen.sms_send_url:
        return
    try:
        require_public(url)
    except Invalid as error:
        raise Invalid(error.message, code=error.code, fields={"sms_send_url": [str(error.message)]}) from None


def _check_groups(tenant: Organization, columns: Mapping[str, Any]) -> None:
    """Groups are the tenant's own (DOCMS-047), child folders have names that folders can have, each once."""
    children = columns.get("additional_child_folders", ())
    named = {
        "additional_groups": set(columns.get("additional_groups", ())),
        "additional_child_folders": {group for child in children for group in child["group_ids"]},
    }
    wanted = set().union(*named.values())
    known = set(Group.objects.filter(tenant=tenant, pk__in=wanted).values_list("pk", flat=True)) if wanted else set()
    for field, ids in named.items():
        refuse_unknown(field, ids - known)
    names = [
        plain_name(child["name"], field="additional_child_folders", slashes=False).casefold() for child in children
    ]
    if len(set(names)) < len(names):
        problem = _("Two folders have the same name.")
        raise Invalid(problem, fields={"additional_child_folders": [problem]})
