"""What is sent with a request, so that it is the right that decides and not an empty form.

``{file_id}`` and the like stand for ids of the place that is asked about. A line of the matrix names its payload after
a ``#``; without one it is the payload of the route, and without that an empty form.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from tests.cast import PASSWORD
from tests.docms.door import NO_FLAGS, PDF, b64

if TYPE_CHECKING:
    from collections.abc import Mapping

PLACEHOLDER = re.compile(r'"?\{(\w+)\}"?')
_FILE = {"filename": "neu.pdf", "file_data": b64(PDF)}
_USER = {"username": "neu", "email": "neu@example.org", "name": "Neu, Nora"}
_LABEL = {"name": "Neu", "color": "#123456"}
D = "docms/api/v1/"

ONE = "api/v1/organization"
TICKETS = "support/tickets/v1"

PAYLOADS: dict[str, Any] = {
    f"POST {ONE}": {"name": "Neu"},
    f"POST {ONE}#parent": {"name": "Neu", "parentID": "{organization_id}"},
    f"PUT {ONE}": {"id": "{organization_id}", "name": "Neu"},
    f"PUT {ONE}/<str:organization_id>/location": {"address": "Köln"},
    f"PUT {ONE}/<str:organization_id>/quick-actions": [],
    f"POST {ONE}/<str:organization_id>/owner/invitation": {"email": "guest@quartier.test"},
    "POST admin/uploads/": {"tenant": "{tenant_id}"},
    f"POST {TICKETS}": {"ticket": {"locationRef": "{location_ref}", "text": "Neu"}},
    f"POST {TICKETS}#requester": {
        "ticket": {"locationRef": "{location_ref}", "text": "Neu", "userRefRequester": "{user_ref}"},
    },
    f"POST {TICKETS}/comment": {"activity": {"ticketRef": "{ticket_ref}", "text": "Neu"}},
    f"PUT {TICKETS}/<str:id>/status": {"ticket": {"status": "solved"}},
    f"PUT {TICKETS}/<str:id>/assignee": {"ticket": {"userRefAssignee": None}},
    f"PATCH {TICKETS}/<str:id>/type": {"ticket": {"type": "cleaning"}},
    "POST support/attachments/v1": {"locationRef": "{location_ref}", "file": "Notiz"},
    "POST app/uploads/": {"folder": "{folder_id}"},
    "POST app/ticket-uploads/": {"community": "{community_id}"},
    "POST app/tickets/<uuid:ticket_ref>/comment": {"text": "Und?"},
    "POST app/groups/<int:group_id>/add": {"user_id": "{user_id}"},
    "POST app/groups/<int:group_id>/new": {**_USER, "language": "de"},
    "POST app/groups/<int:group_id>/people/<int:user_id>": {**_USER, "language": "de"},
    "POST app/presence": {"organization": "{tenant_id}", "presence": "engaged"},
    f"PUT {D}password": {"current_password": PASSWORD, "new_password": "Ein-anderer-Satz-2"},
    f"PUT {D}password/token/<str:token>": {"new_password": "Ein-anderer-Satz-2"},
    f"POST {D}users": _USER,
    f"PUT {D}users/<int:user_id>": {"darkmode": True},
    f"POST {D}groups": {"name": "Neu"},
    f"PUT {D}groups/<int:group_id>": {"name": "Neu"},
    f"POST {D}folders": {"name": "Neu"},
    f"PUT {D}folders/<int:folder_id>": {"name": "Neu"},
    f"POST {D}folders/<int:folder_id>/labels": _LABEL,
    f"PUT {D}folders/<int:folder_id>/labels/<path:name>": _LABEL,
    f"PUT {D}folders/<int:folder_id>/permissions/<int:user_id>": {"active": True, **NO_FLAGS},
    f"POST {D}folders#parent": {"name": "Neu", "parent_folder_id": "{folder_id}"},
    f"POST {D}folders#groups": {"name": "Neu", "group_ids": ["{group_id}"]},
    f"PUT {D}folders/<int:folder_id>#mail": {"mail_after_upload_users": ["{user_id}"]},
    f"POST {D}groups#people": {"name": "Neu", "user_ids": ["{user_id}"]},
    f"POST {D}groups#folders": {"name": "Neu", "folder_ids": ["{folder_id}"]},
    f"POST {D}groups#admins": {"name": "Neu", "user_ids": ["{user_id}"], "groupadmin_ids": ["{user_id}"]},
    f"POST {D}users#groups": {**_USER, "group_ids": ["{group_id}"]},
    f"POST {D}users#last": {**_USER, "last_folder_id": "{folder_id}"},
    f"PUT {D}app-settings": {"app_name": "Neu"},
    f"POST {D}tenants": {"company_name": "Neu", "locale": "de_DE"},
    f"PUT {D}tenants/current": {"mail_port": 26},
    f"PUT {D}tenants/current#groups": {"additional_groups": ["{group_id}"]},
    f"PUT {D}tenants/current#children": {"additional_child_folders": [{"name": "Neu", "group_ids": ["{group_id}"]}]},
    f"POST {D}apps": {"name": "Neu"},
    f"POST {D}apps#people": {"name": "Neu", "user_ids": ["{user_id}"]},
    f"PUT {D}apps/<int:app_id>": {"name": "Neu"},
    f"POST {D}apps/<int:app_id>/keys": {"user_id": "{user_id}"},
    f"POST {D}updates/install": {"install_date": None},
    f"POST {D}files": {**_FILE, "folder_id": "{folder_id}"},
    f"PUT {D}files/<int:file_id>": {"title": "Neu"},
    f"PUT {D}files/<int:file_id>#label": {"label_name": "{name}"},
    f"POST {D}files/paging": {"ids": ["{file_id}"]},
    f"POST {D}label-suggestions": _LABEL,
    f"PUT {D}label-suggestions/<path:name>": _LABEL,
    f"POST {D}systemlogs": [{"category": "frontend", "action": "x"}],
    f"POST {D}groupadmin/users": {**_USER, "group_ids": ["{group_id}"]},
    f"PUT {D}groupadmin/users/<int:user_id>": {"description": "Neu"},
    f"PUT {D}groupadmin/groups/<int:group_id>": {"user_ids": []},
    f"PUT {D}groupadmin/groups/<int:group_id>#people": {"user_ids": ["{user_id}"]},
    f"POST {D}files/search": {"search": "Papier", "preFilteredIds": ["{file_id}"]},
    f"PUT {D}mail-templates": {"subject": "Neu"},
    f"POST {D}folders/<int:folder_id>/mail-template": {"subject": "Neu"},
    f"PUT {D}folders/<int:folder_id>/mail-template/share": {"subject": "Neu"},
    f"PUT {D}sms-templates": {"message": "Neu"},
    f"PUT {D}folders/<int:folder_id>/sms-template": {"message": "Neu"},
    f"POST {D}mail-after-upload": {
        "user_id": "{user_id}",
        "folder_id": "{folder_id}",
        "custom": True,
        "recipients": ["{user_id}"],
    },
    f"POST {D}notifications": {"file_id": "{file_id}", "user_ids": ["{user_id}"]},
    f"POST {D}files/<int:file_id>/shares": {"name": "Nina", "mobile_number": "+491701234567"},
    f"POST {D}shares/<str:share_token>": {"code": "{share_code}"},
    f"POST {D}shares/<str:share_token>#wrong": {"code": "XXXXXX"},
    "POST app/shares/<str:share_token>": {"code": "{share_code}"},
    "POST app/shares/<str:share_token>#wrong": {"code": "XXXXXX"},
    "POST app/documents/<int:document_id>/notify": {"user_ids": ["{user_id}"]},
    "POST app/documents/<int:document_id>/share": {
        "name": "Nina",
        "mobile_number": "+491701234567",
        "language": "de",
        "expires": "2099-01-01T12:00",
    },
    "POST admin/orgs/building/add/#community": {"community": "{community_id}", "street": "Neuer Weg", "position": "9"},
    "POST admin/orgs/unit/add/#community": {"community": "{community_id}", "name": "Neu", "kind": "flat"},
    "POST admin/orgs/occupancy/add/#unit": {"unit": "{unit_id}", "role": "renter", "first": "2024-01-01"},
    "POST admin/orgs/occupancy/add/#contact": {"contact": "{contact_id}", "role": "renter", "first": "2024-01-01"},
    "POST admin/orgs/membership/add/#community": {"communities": ["{community_id}"], "role": "staff"},
    "POST admin/docms/group/add/#people": {"people": ["{membership_id}"]},
    "POST admin/docms/folderlabel/add/#folder": {"folder": "{folder_id}"},
    "POST admin/orgs/application/add/#people": {"people": ["{membership_id}"]},
    "POST admin/docms/group/add/#folders": {"folders": ["{folder_id}"]},
    "POST admin/docms/folder/add/#parent": {"parent": "{folder_id}"},
    "POST admin/docms/folder/add/#groups": {"groups": ["{group_id}"]},
    "POST admin/docms/document/<path:object_id>/share/": {
        "name": "Nina",
        "mobile_number": "+491701234567",
        "language": "de",
        "expires_0": "2099-01-01",
        "expires_1": "12:00",
    },
    "POST admin/docms/document/<path:object_id>/notify/": {"user_ids": ["{user_id}"]},
    "POST admin/docms/document/upload/#folder": {"folder": "{folder_id}"},
    "POST admin/tickets/ticket/<int:object_id>/reply/": {"text": "Es kommt jemand.", "mode": "reply"},
    "POST admin/tickets/ticket/<int:object_id>/draft/": {"text": "Guten"},
    "POST admin/tickets/ticket/<int:object_id>/withdraw/": {"comment": "{comment_ref}"},
    "POST admin/tenant/": {"tenant": "{tenant_id}"},
}


def named_in(template: Any) -> tuple[str, ...]:
    """The keywords whose values a template asks for."""
    return tuple(dict.fromkeys(PLACEHOLDER.findall(template if isinstance(template, str) else json.dumps(template))))


def filled(template: Any, values: Mapping[str, Any]) -> Any:
    """A payload with ids in it."""
    if not named_in(template):
        return template
    return json.loads(PLACEHOLDER.sub(lambda found: json.dumps(values[found[1]]), json.dumps(template)))
