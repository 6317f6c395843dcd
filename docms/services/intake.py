"""Files that people have uploaded become documents: by their handles, or sent with a form by browsers without scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from core.errors import Invalid
from core.services import uploads
from docms import rules
from docms.services import documents

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from core.models import Upload
    from docms.models import Document, Folder
    from orgs.actor import Actor


def receive(files: Iterable[Any], *, actor: Actor, tenant_id: int, door: str) -> list[str]:
    """Files of a form, as handles. Raises what `uploads.receive` raises."""
    assert actor.user_id is not None, "files are uploaded by people"
    return [
        uploads.receive(
            file, user_id=actor.user_id, tenant_id=tenant_id, door=door, name=file.name, limit=settings.UPLOAD_LIMIT
        ).handle
        for file in files
    ]


def claim(handle: str, *, actor: Actor, tenant_id: int, door: str) -> Upload:
    """Use up a handle of this door and tenant. Raises `Invalid`, also for bytes that lie in another tenant."""
    assert actor.user_id is not None, "files are uploaded by people"
    upload = uploads.claim(handle, user_id=actor.user_id, door=door)
    if upload.blob is None or upload.tenant_id != tenant_id:
        raise Invalid(_("This file was uploaded for another tenant."))
    return upload


@transaction.atomic
def publish_all(
    *,
    actor: Actor,
    folder: Folder,
    door: str,
    handles: Iterable[str],
    files: Iterable[Any],
    titles: Mapping[str, str],
    single_title: str = "",
    **values: Any,
) -> list[Document]:
    """Each handle, and each file of a form, becomes a document of the folder; all or none.

    ``titles`` are by handle; ``single_title`` names the one that comes alone and has none. ``values`` are those of
    `documents.publish`, for all. Side effects: as that, of each; the handles are used up.

    Raises what `documents.publish` raises, `Denied` before a file is stored, `Invalid` for a handle that does not fit or
    when there is nothing to publish; every handle is usable again then.
    """
    rules.require(rules.may_upload(actor, folder))
    chosen = [h for h in handles if h] + receive(files, actor=actor, tenant_id=folder.tenant_id, door=door)
    if not chosen:
        raise Invalid(_("Choose at least one file."))
    made = []
    for handle in dict.fromkeys(chosen):
        upload = claim(handle, actor=actor, tenant_id=folder.tenant_id, door=door)
        title = titles.get(handle, "").strip() or (single_title.strip() if len(chosen) == 1 else "")
        assert upload.blob is not None
        made.append(
            documents.publish(
                actor=actor, folder=folder, blob=upload.blob, filename=upload.name, title=title[:250], **values
            )
        )
    return made


def titles_in(posted: Mapping[str, str]) -> dict[str, str]:
    """The titles that `static/js/upload.js` and a page's rows send beside the handles: ``title-HANDLE``."""
    return {name.removeprefix("title-"): value for name, value in posted.items() if name.startswith("title-")}
