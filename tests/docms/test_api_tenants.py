"""Tenants and their settings over HTTP."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from core.models import AuditEntry
from core.services import rows
from docms.models import Group
from messaging.models import Template
from orgs.models import Contact, InstallationSettings, Membership, Organization, OrganizationSettings
from tests.docms.door import Caller, b64, cost_of, make_folder, make_group, settings_of, signed_in

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db

CURRENT = "/tenants/current"
HOSTILE = '<p onclick="x()">Hallo <b>Welt</b></p><script>alert(1)</script><iframe src="https://x.example"></iframe>'
SECRET = "ganz-geheim-4711"


@pytest.fixture
def operator(cast: Cast) -> Caller:
    """Who runs the installation, as a member of Brandt & Keller."""
    rows.create(
        Membership, user=cast.operator, organization=cast.tenant, tenant=cast.tenant, role="staff", admin_perm=True
    )
    return signed_in(cast.operator, cast.tenant)


def png(color: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (2, 2), color).save(out, "PNG")
    return out.getvalue()


EVERYTHING: dict[str, Any] = {
    "company_name": "Żółć & Söhne 🏠",
    "locale": "fr_FR",
    "mail_server": "mail.example.org",
    "mail_port": 2525,
    "mail_ssl": True,
    "mail_starttls": False,
    "mail_sender": "Haus <haus@example.org>",
    "mail_user": "haus",
    "mail_split_on": 40,
    "privacy_text": "<p>Daten <b>bleiben</b> hier.</p>",
    "privacy_text_en": "Plain & simple",
    "authority_info": "Amt\nStraße 1",
    "welcome_text": "<p>Bonjour {{user_name}}</p>",
    "welcome_text_subject": "Bienvenue chez {{company_name}}",
    "welcome_text_en": "<p>Hello</p>",
    "welcome_text_en_subject": "Welcome",
    "gdpr_info": "Info",
    "gdpr_info_en": "Info en",
    "mark_read": False,
    "token_min_sec": 60,
    "token_max_sec": 2592000,
    "wizard_tenant_check": True,
    "lock_perm": True,
    "lock_folder_perm": True,
    "lock_settings": True,
    "wizard_mail_perm": True,
    "wizard_folder_inactive_after_days": -5,
    "wizard_folder_folder_group": True,
    "additional_child_folders_group": True,
    "additional_child_folders_labels": True,
    "api_external_access": True,
    "api_internal_access": False,
    **dict.fromkeys(("groupadmin_active", "groupadmin_user_create", "groupadmin_user_edit", "groupadmin_user_reset_password", "groupadmin_user_reset_tfa", "groupadmin_user_reset_attempts", "groupadmin_perm_read", "groupadmin_perm_download", "groupadmin_perm_upload", "groupadmin_perm_edit_file", "groupadmin_perm_edit_own_file", "groupadmin_perm_log", "groupadmin_perm_mail", "groupadmin_delete_files"), True),
    "file_delete_days": 9,
    "delete_big_file_after_hours": 48,
    "sms_send_url": "https://8.8.8.8/sms",
    "sms_sender_id": "Quartier",
    "sms_send_type": "pro",
    "sms_file_share_template": "Code {{code}}\nfür Sie",
    "sms_file_share_template_en": "Your code: {{code}}",
    "mail_file_share_subject": "Datei für Sie",
    "mail_file_share_body": '<p><a href="{{link}}" rel="noopener noreferrer">öffnen</a></p>',
    "mail_file_share_subject_en": "A file",
    "mail_file_share_body_en": "Open {{link}}",
    "random_password_min_length": 12,
}  # fmt: skip


# --- Who may ------------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-041")
def test_only_the_operator_creates_tenants(admin: Caller, renter: Caller, operator: Caller) -> None:
    body = {"company_name": "Neue Verwaltung", "locale": "de_DE"}
    for caller in (admin, renter):
        caller.refused("POST", "/tenants", 403, body)
    assert not Organization.objects.filter(name="Neue Verwaltung").exists()
    made = operator.ok("POST", "/tenants", body)
    tenant = Organization.objects.get(pk=made["tenant_id"])
    assert tenant.is_tenant and tenant.name == "Neue Verwaltung"


def test_the_operator_can_enter_the_tenant_that_was_made(cast: Cast, operator: Caller) -> None:
    made = operator.ok("POST", "/tenants", {"company_name": "Neu", "locale": "de_DE"})
    entered = operator.ok("GET", f"/select-tenant/{made['tenant_id']}")
    assert not entered["tfa_needed"]
    assert operator.ok("GET", CURRENT)["company_name"] == "Neu"


def test_administrators_list_their_tenant_and_the_operator_all(cast: Cast, admin: Caller, operator: Caller) -> None:
    assert [row["tenant_id"] for row in admin.ok("GET", "/tenants")] == [cast.tenant.pk]
    assert {row["tenant_id"] for row in operator.ok("GET", "/tenants")} == {cast.tenant.pk, cast.other_tenant.pk}


def test_the_list_costs_the_same_for_more_tenants(operator: Caller) -> None:
    few = cost_of(operator, "/tenants")
    for number in range(3):
        operator.ok("POST", "/tenants", {"company_name": f"Neu {number}", "locale": "pl_PL", "welcome_text": "Cześć"})
    assert cost_of(operator, "/tenants") == few


def test_residents_read_no_full_settings(renter: Caller) -> None:
    for path in ("/tenants", CURRENT):
        renter.refused("GET", path, 403)


@pytest.mark.rule("DOCMS-043")
def test_settings_need_an_administrator_and_a_super_administrator_while_locked(
    cast: Cast, admin: Caller, plain_admin: Caller, renter: Caller
) -> None:
    renter.refused("PUT", CURRENT, 403, {"mail_port": 26})
    assert plain_admin.ok("PUT", CURRENT, {"mail_port": 26})["mail_port"] == 26
    admin.ok("PUT", CURRENT, {"lock_settings": True})
    plain_admin.refused("PUT", CURRENT, 403, {"mail_port": 27})
    assert admin.ok("PUT", CURRENT, {"mail_port": 28})["mail_port"] == 28


@pytest.mark.rule("DOCMS-044")
@pytest.mark.parametrize("lock", ["lock_settings", "lock_perm", "lock_folder_perm"])
def test_lifting_a_lock_needs_a_super_administrator(cast: Cast, admin: Caller, plain_admin: Caller, lock: str) -> None:
    plain_admin.ok("PUT", CURRENT, {lock: False})  # it was off
    plain_admin.ok("PUT", CURRENT, {lock: True})
    plain_admin.refused("PUT", CURRENT, 403, {lock: False})
    assert admin.ok("GET", CURRENT)[lock] is True
    assert admin.ok("PUT", CURRENT, {lock: False})[lock] is False


# --- What is stored --------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-195")
def test_everything_comes_back_as_it_was_stored(cast: Cast, admin: Caller) -> None:
    group = make_group(admin, "Beirat")
    sent = {
        **EVERYTHING,
        "logo": b64(png()),
        "additional_groups": [group],
        "additional_child_folders": [{"name": "Verträge", "group_ids": [group]}, {"name": "Fotos", "group_ids": []}],
    }
    answered = admin.ok("PUT", CURRENT, sent)
    assert {name: answered[name] for name in sent} == sent
    read = admin.ok("GET", CURRENT)
    assert {name: read[name] for name in sent} == sent
    assert read == answered
    # Something else stays with what is left out.
    admin.ok("PUT", CURRENT, {"mail_port": 99})
    assert admin.ok("GET", CURRENT) == {**read, "mail_port": 99}


@pytest.mark.rule("DOCMS-195")
def test_null_clears_what_may_be_null(admin: Caller) -> None:
    admin.ok("PUT", CURRENT, {**EVERYTHING, "logo": b64(png())})
    nullable = [
        "logo", "mail_server", "mail_sender", "mail_user", "privacy_text", "authority_info", "welcome_text",
        "welcome_text_subject", "gdpr_info", "sms_send_url", "sms_sender_id", "sms_send_type", "sms_file_share_template",
        "mail_file_share_subject", "mail_file_share_body",
    ]  # fmt: skip
    cleared = admin.ok("PUT", CURRENT, dict.fromkeys(nullable))
    assert {name: cleared[name] for name in nullable} == dict.fromkeys(nullable)
    assert cleared["welcome_text_en"] == EVERYTHING["welcome_text_en"]


@pytest.mark.rule("DOCMS-046")
@pytest.mark.parametrize("field", ["mail_password", "sms_api_key"])
def test_a_secret_is_masked_and_the_mask_keeps_it(cast: Cast, admin: Caller, operator: Caller, field: str) -> None:
    def stored() -> str:
        return str(getattr(OrganizationSettings.objects.get(organization=cast.tenant), field))

    assert admin.ok("GET", CURRENT)[field] is None
    answer = admin.call("PUT", CURRENT, {field: SECRET})
    assert answer.body[field] == "********" and SECRET.encode() not in answer.raw
    assert stored() == SECRET
    for keeps in ({field: "********"}, {"mail_port": 30}):
        admin.ok("PUT", CURRENT, keeps)
        assert stored() == SECRET
    for caller, path in ((admin, CURRENT), (admin, "/tenants"), (operator, "/tenants")):
        raw = caller.call("GET", path).raw
        assert SECRET.encode() not in raw and b"********" in raw
    assert SECRET not in json.dumps(list(AuditEntry.objects.values_list("changes", flat=True)), default=str)
    for clears in (None, ""):
        admin.ok("PUT", CURRENT, {field: SECRET})
        assert admin.ok("PUT", CURRENT, {field: clears})[field] is None
        assert stored() == ""


@pytest.mark.rule("DOCMS-018")
def test_some_network_must_stay_open(cast: Cast, admin: Caller) -> None:
    admin.ok("PUT", CURRENT, {"api_internal_access": False})
    admin.refused("PUT", CURRENT, 400, {"api_external_access": False})
    admin.refused("PUT", CURRENT, 400, {"api_external_access": False, "api_internal_access": False})
    assert admin.ok("GET", CURRENT)["api_external_access"] is True
    admin.ok("PUT", CURRENT, {"api_external_access": True, "api_internal_access": True})


@pytest.mark.rule("DOCMS-018")
def test_no_tenant_is_made_without_a_network(operator: Caller) -> None:
    closed = {"company_name": "Zu", "locale": "de_DE", "api_external_access": False, "api_internal_access": False}
    operator.refused("POST", "/tenants", 400, closed)
    assert not Organization.objects.filter(name="Zu").exists()


def test_the_shortest_session_is_not_longer_than_the_longest(admin: Caller) -> None:
    admin.refused("PUT", CURRENT, 400, {"token_min_sec": 601, "token_max_sec": 600})
    admin.ok("PUT", CURRENT, {"token_min_sec": 600, "token_max_sec": 600})
    for wrong in ({"token_min_sec": 59}, {"token_max_sec": 2592001}, {"mail_port": 0}, {"mail_port": 65536}):
        admin.refused("PUT", CURRENT, 400, wrong)


@pytest.mark.rule("DOCMS-009")
def test_new_bounds_of_sessions_hold_for_the_next_user_that_is_saved(cast: Cast, admin: Caller) -> None:
    admin.ok("PUT", CURRENT, {"token_min_sec": 700, "token_max_sec": 800})
    path = f"/users/{cast.renter.pk}"
    for wrong in (699, 801):
        admin.refused("PUT", path, 400, {"token_sec": wrong})
    for right in (700, 800):
        admin.ok("PUT", path, {"token_sec": right})


@pytest.mark.rule("DOCMS-047")
def test_groups_of_others_are_unknown(cast: Cast, admin: Caller) -> None:
    mine = make_group(admin, "Meine")
    foreign = rows.create(Group, tenant=cast.other_tenant, name="Fremd", sort_key="fremd").pk
    for group in (foreign, 987654321):
        for body in (
            {"additional_groups": [mine, group]},
            {"additional_child_folders": [{"name": "A", "group_ids": [group]}]},
        ):
            refusal = admin.refused("PUT", CURRENT, 400, body)
            assert next(iter(body)) in refusal["message"] and str(group) in refusal["message"]
    assert admin.ok("GET", CURRENT)["additional_groups"] == []
    assert admin.ok("PUT", CURRENT, {"additional_groups": [mine]})["additional_groups"] == [mine]


@pytest.mark.parametrize("names", [["a/b"], [""], ["  "], ["A", "a"], ["x" * 201], ["a\tb"]])
def test_child_folders_have_names_that_folders_can_have(admin: Caller, names: list[str]) -> None:
    children = [{"name": name, "group_ids": []} for name in names]
    admin.refused("PUT", CURRENT, 400, {"additional_child_folders": children})


@pytest.mark.rule("DOCMS-050")
def test_presets_of_forms_change_nothing_that_a_request_creates(cast: Cast, admin: Caller) -> None:
    group = make_group(admin, "Vorschlag")
    presets = {
        "wizard_tenant_check": True, "wizard_mail_perm": True, "wizard_folder_inactive_after_days": 5,
        "wizard_folder_folder_group": True, "file_delete_days": 7, "additional_groups": [group],
    }  # fmt: skip
    admin.ok("PUT", CURRENT, presets)
    folders, groups = len(admin.ok("GET", "/folders?all=true")), len(admin.ok("GET", "/groups"))
    folder = admin.ok("GET", f"/folders/{make_folder(admin, 'Nackt')}")
    assert (folder["inactive_at"], folder["file_delete_files"]) == (None, 0)
    user = admin.ok("POST", "/users", {"username": "neu", "email": "neu@example.org", "name": "Neu"})
    assert user["mail_perm"] is False and user["group_ids"] == []
    assert len(admin.ok("GET", "/folders?all=true")) == folders + 1
    assert len(admin.ok("GET", "/groups")) == groups
    assert admin.ok("GET", f"/groups/{group}")["folder_ids"] == []


@pytest.mark.rule("DOCMS-049")
@pytest.mark.parametrize(
    "field",
    [
        "privacy_text", "privacy_text_en", "gdpr_info", "gdpr_info_en", "welcome_text", "welcome_text_en",
        "mail_file_share_body", "mail_file_share_body_en",
    ],
)  # fmt: skip
def test_html_is_sanitised_when_it_is_saved(admin: Caller, field: str) -> None:
    assert admin.ok("PUT", CURRENT, {field: HOSTILE})[field] == "<p>Hallo <b>Welt</b></p>"
    assert admin.ok("GET", CURRENT)[field] == "<p>Hallo <b>Welt</b></p>"


@pytest.mark.rule("DOCMS-152")
def test_an_unknown_placeholder_is_refused(admin: Caller) -> None:
    for field in ("welcome_text", "welcome_text_en_subject", "mail_file_share_body", "sms_file_share_template"):
        assert field in admin.refused("PUT", CURRENT, 400, {field: "Hallo {{secret_key}}"})["message"]
        assert admin.ok("GET", CURRENT)[field] is None


@pytest.mark.rule("DOCMS-048")
def test_text_messages_need_address_key_and_sender(cast: Cast, admin: Caller, renter: Caller) -> None:
    complete = {"sms_send_url": "https://8.8.8.8/", "sms_api_key": SECRET, "sms_sender_id": "Q"}

    def valid() -> bool:
        return bool(renter.ok("GET", CURRENT + "/public")["valid_sms_settings"])

    assert not valid()
    admin.ok("PUT", CURRENT, complete)
    assert valid()
    for missing in complete:
        admin.ok("PUT", CURRENT, {**complete, missing: None})
        assert not valid()


@pytest.mark.rule("DOCMS-162")
@pytest.mark.parametrize(
    "url",
    [
        "http://8.8.8.8/",
        "https://localhost/",
        "https://127.0.0.1/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/",
    ],
)
def test_the_gateway_lies_outside_and_speaks_https(admin: Caller, url: str) -> None:
    assert "sms_send_url" in admin.refused("PUT", CURRENT, 400, {"sms_send_url": url})["message"]
    assert admin.ok("GET", CURRENT)["sms_send_url"] is None
    assert admin.ok("PUT", CURRENT, {"sms_send_url": "https://8.8.8.8/"})["sms_send_url"] == "https://8.8.8.8/"


def test_an_address_that_did_not_change_is_not_looked_up(cast: Cast, admin: Caller) -> None:
    settings_of(cast, sms_send_url="https://no.invalid/")
    admin.ok("PUT", CURRENT, {"sms_send_url": "https://no.invalid/", "mail_port": 31})


@pytest.mark.parametrize("logo", ["***", b64(b"GIF89a"), b64(b"x" * 600_000), "data:image/png;base64,!!"])
def test_a_logo_is_a_small_picture(admin: Caller, logo: str) -> None:
    assert "logo" in admin.refused("PUT", CURRENT, 400, {"logo": logo})["message"]


def test_a_logo_may_be_a_data_uri(admin: Caller, renter: Caller) -> None:
    admin.ok("PUT", CURRENT, {"logo": "data:image/png;base64," + b64(png("blue"))})
    assert renter.ok("GET", CURRENT + "/public")["logo"] == b64(png("blue"))


def test_the_companys_own_party_is_renamed_with_it(cast: Cast, admin: Caller) -> None:
    party = Contact.objects.get(tenant=cast.tenant, kind=Contact.Kind.SELF)
    assert party.company == cast.tenant.name
    admin.ok("PUT", CURRENT, {"company_name": "Neuer Name"})
    party.refresh_from_db()
    assert party.company == "Neuer Name"


@pytest.mark.parametrize("sender", ["nobody", "a@b@c", "Haus <>"])
def test_a_sender_is_an_address(admin: Caller, sender: str) -> None:
    assert "mail_sender" in admin.refused("PUT", CURRENT, 400, {"mail_sender": sender})["message"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"company_name": ""}, {"company_name": "a\nb"}, {"company_name": None}, {"locale": "it_IT"}, {"mail_ssl": "x"},
        {"mail_server": "a\r\nb"}, {"sms_send_type": "carrier"}, {"sms_sender_id": "x" * 17}, {"additional_groups": [0]},
        {"additional_groups": "1"}, {"additional_child_folders": [1]}, {"additional_child_folders": [{"name": "x"}]},
        {"wizard_folder_inactive_after_days": 36501}, {"wizard_folder_inactive_after_days": -(10**30)},
        {"welcome_text_subject": "a\nb"}, {"privacy_text": "x" * 200_001}, {"mail_password": "x" * 501}, [], 3,
    ],
)  # fmt: skip
def test_odd_input_is_refused(admin: Caller, wrong: Any) -> None:
    admin.refused("PUT", CURRENT, 400, wrong)


# --- A new tenant -----------------------------------------------------------------------------------------------


def default(language: str, subject: str, body: str) -> Template:
    """A welcome text of the installation."""
    return rows.create(Template, tenant=None, kind="welcome", language=language, subject=subject, body=body)


@pytest.mark.rule("DOCMS-042")
def test_a_new_tenant_gets_a_copy_of_the_default_welcome_texts(operator: Caller) -> None:
    for language in ("de", "en", "fr", "pl"):
        default(language, f"Betreff {language}", f"<p>Text {language}</p>")
    made = operator.ok("POST", "/tenants", {"company_name": "Neu", "locale": "fr_FR"})
    copy = {
        "welcome_text": "<p>Text fr</p>", "welcome_text_subject": "Betreff fr", "welcome_text_en": "<p>Text en</p>",
        "welcome_text_en_subject": "Betreff en",
    }  # fmt: skip
    assert {name: made[name] for name in copy} == copy
    operator.ok("PUT", "/app-settings", {"welcome_fr_text": "<p>Anders</p>", "welcome_en_subject": "Other"})
    operator.ok("GET", f"/select-tenant/{made['tenant_id']}")
    now = operator.ok("GET", CURRENT)
    assert {name: now[name] for name in copy} == copy


def test_texts_that_are_sent_along_go_before_the_copy(operator: Caller) -> None:
    default("de", "Betreff", "Text")
    body = {"company_name": "Neu", "locale": "de_DE", "welcome_text": "Eigener"}
    made = operator.ok("POST", "/tenants", body)
    assert (made["welcome_text"], made["welcome_text_subject"]) == ("Eigener", "Betreff")


def test_a_new_tenant_has_the_values_of_the_contract(operator: Caller) -> None:
    from tests.docms.door import contract

    made = operator.ok("POST", "/tenants", {"company_name": "Neu", "locale": "de_DE"})
    fields = contract()["components"]["schemas"]["Tenant"]["properties"]
    defaults = {name: field["x-create-default"] for name, field in fields.items() if "x-create-default" in field}
    assert len(defaults) > 30
    assert {name: made[name] for name in defaults} == defaults


def test_a_new_tenant_needs_name_and_language(operator: Caller) -> None:
    for missing in ({"company_name": "Neu"}, {"locale": "de_DE"}, {}):
        operator.refused("POST", "/tenants", 400, missing)


# --- The installation -------------------------------------------------------------------------------------------

APP = "/app-settings"
APP_VALUES: dict[str, Any] = {
    "app_url": "https://portal.example.org/q",
    "app_name": "Haus & Hof",
    "app_owner": "Betreiber GmbH",
    "pw_min_length": 14,
    "pw_min_lower_case": 2,
    "pw_min_upper_case": 0,
    "pw_min_numbers": 3,
    "pw_min_special": 1,
    "pw_link_init_hours": 8760,
    "pw_link_reset_hours": 1,
    "mail_server": "smtp.example.org",
    "mail_port": 465,
    "mail_ssl": True,
    "mail_starttls": False,
    "mail_sender": "post@example.org",
    "mail_user": "post",
    **{f"welcome_{lang}_text": f"<p>Willkommen {lang}, {{{{username}}}} ąß</p>" for lang in ("de", "en", "fr", "pl")},
    **{f"welcome_{lang}_subject": f"Willkommen {lang}" for lang in ("de", "en", "fr", "pl")},
    **{
        f"pw_{k}_{lang}_text": f"<p>{k} {lang} {{{{link}}}}</p>"
        for k in ("init", "reset")
        for lang in ("de", "en", "fr", "pl")
    },
    **{f"pw_{k}_{lang}_subject": f"{k} {lang}" for k in ("init", "reset") for lang in ("de", "en", "fr", "pl")},
}


@pytest.mark.rule("DOCMS-041")
def test_only_the_operator_reads_and_changes_the_installation(admin: Caller, renter: Caller, operator: Caller) -> None:
    for caller in (admin, renter):
        caller.refused("GET", APP, 403)
        caller.refused("PUT", APP, 403, {"app_name": "Gekapert"})
    assert operator.ok("GET", APP)["app_name"] != "Gekapert"
    operator.ok("PUT", APP, {"app_name": "Haus"})
    assert operator.ok("GET", APP)["app_name"] == "Haus"


@pytest.mark.rule("DOCMS-195")
def test_settings_of_the_installation_come_back_as_stored(operator: Caller) -> None:
    operator.ok("PUT", APP, APP_VALUES)
    read = operator.ok("GET", APP)
    assert {name: read[name] for name in APP_VALUES} == APP_VALUES
    assert read.keys() - APP_VALUES.keys() == {"mail_password"}
    operator.ok("PUT", APP, {"pw_min_length": 15, "mail_server": None})
    assert operator.ok("GET", APP) == {**read, "pw_min_length": 15, "mail_server": None}


@pytest.mark.rule("DOCMS-046")
def test_the_mail_password_of_the_installation_is_masked(operator: Caller) -> None:
    assert operator.ok("GET", APP)["mail_password"] is None
    operator.ok("PUT", APP, {"mail_password": SECRET})
    for keeps in ({"mail_password": "********"}, {"mail_port": 26}):
        operator.ok("PUT", APP, keeps)
        assert InstallationSettings.objects.get().mail_password == SECRET
    answer = operator.call("GET", APP)
    assert answer.body["mail_password"] == "********" and SECRET.encode() not in answer.raw
    operator.ok("PUT", APP, {"mail_password": None})
    assert operator.ok("GET", APP)["mail_password"] is None


@pytest.mark.rule("DOCMS-152")
@pytest.mark.rule("DOCMS-153")
def test_texts_of_the_installation_are_checked(operator: Caller) -> None:
    assert "welcome_de_text" in operator.refused("PUT", APP, 400, {"welcome_de_text": "{{nope}}"})["message"]
    assert "pw_init_fr_text" in operator.refused("PUT", APP, 400, {"pw_init_fr_text": "Ohne Verweis"})["message"]
    operator.ok("PUT", APP, {"pw_init_fr_subject": "Ohne Verweis", "pw_init_fr_text": "Mit {{link}}"})


@pytest.mark.rule("DOCMS-049")
def test_html_of_the_installation_is_sanitised(operator: Caller) -> None:
    operator.ok("PUT", APP, {"welcome_de_text": HOSTILE, "pw_reset_en_text": HOSTILE + "{{link}}"})
    read = operator.ok("GET", APP)
    assert read["welcome_de_text"] == "<p>Hallo <b>Welt</b></p>"
    assert read["pw_reset_en_text"] == "<p>Hallo <b>Welt</b></p>{{link}}"


@pytest.mark.parametrize(
    "wrong",
    [
        {"app_url": ""}, {"app_url": "portal"}, {"app_url": "ftp://x.example"}, {"app_url": "https://x.example?a=1"},
        {"app_url": "https://me@x.example"}, {"app_url": "https://[x"}, {"mail_sender": "nobody"}, {"mail_port": 0},
        {"pw_min_length": 129}, {"pw_link_init_hours": 0}, {"app_name": "x" * 101}, {"app_name": None}, [],
    ],
)  # fmt: skip
def test_odd_settings_of_the_installation_are_refused(operator: Caller, wrong: Any) -> None:
    operator.refused("PUT", APP, 400, wrong)


def test_the_policy_is_in_force_at_once(cast: Cast, operator: Caller) -> None:
    operator.ok("PUT", APP, {"pw_min_special": 1})
    assert operator.ok("GET", "/app-settings/public")["pw_min_special"] == 1


# --- Values that would never do ---------------------------------------------------------------------------


def named(caller: Caller, body: dict[str, Any], path: str = CURRENT) -> str:
    """The field that the refusal names."""
    return str(caller.refused("PUT", path, 400, body)["message"]).partition(":")[0]


@pytest.mark.parametrize("cut", [8, 30, -30])
def test_a_logo_that_nobody_can_draw_is_refused(admin: Caller, cut: int) -> None:
    assert named(admin, {"logo": b64(png()[:cut])}) == "logo"


@pytest.mark.parametrize("host", ["[::1]", "a b", "mail.example.org:587", "https://mail.example.org", "a..b", "::1"])
def test_a_mail_server_is_a_host_outside(admin: Caller, host: str) -> None:
    assert named(admin, {"mail_server": host}) == "mail_server"


@pytest.mark.parametrize("host", ["mail.müller.example", "smtp_relay.example.org.", "8.8.8.8", "2001:4860:4860::8888"])
def test_a_mail_server_may_be_a_name_or_an_address(admin: Caller, host: str) -> None:
    assert admin.ok("PUT", CURRENT, {"mail_server": host})["mail_server"] == host


def test_the_installations_mail_server_is_a_host(operator: Caller) -> None:
    assert named(operator, {"mail_server": "a b"}, APP) == "mail_server"


def test_both_kinds_of_tls_are_not_asked_for(admin: Caller) -> None:
    assert named(admin, {"mail_ssl": True, "mail_starttls": True}) == "mail_starttls"


def test_tls_from_the_start_alone_may_be_switched_on(admin: Caller) -> None:
    stored = admin.ok("PUT", CURRENT, {"mail_ssl": True})
    assert admin.ok("PUT", CURRENT, {name: stored[name] for name in ("mail_ssl", "mail_starttls")})["mail_ssl"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"token_min_sec": 7200, "token_max_sec": 3600}, "token_min_sec"),
        ({"token_max_sec": 60}, "token_max_sec"),
        ({"api_external_access": False, "api_internal_access": False}, "api_external_access"),
        ({"authority_info": "Amt\x00"}, "authority_info"),
        ({"additional_child_folders": [{"name": "a\x00", "group_ids": []}]}, "additional_child_folders[0].name"),
    ],
)
def test_the_wrong_field_is_named(cast: Cast, admin: Caller, body: dict[str, Any], field: str) -> None:
    OrganizationSettings.objects.filter(organization=cast.tenant.pk).update(token_min_sec=3600)
    assert named(admin, body) == field
