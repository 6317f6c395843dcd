"""Celery wrappers of this floor: ids in, one service called, a missing row is no error."""

from celery import shared_task
from django.db import InterfaceError, OperationalError

from core import scope
from core.services import jobs
from docms.services import claims, indexing, notify, retention, shares, tree, trimming
from orgs.services import applications, licences, updates

_RETRIED = {"autoretry_for": (OperationalError, InterfaceError), "max_retries": 3, "retry_backoff": True}


@shared_task(name="docms.notify_upload", **_RETRIED)
def notify_upload(document_id: int) -> None:
    """Tell the people of a new document. What fails here is found by `release_documents`."""
    notify.announce(document_id)


@shared_task(name="docms.release_documents")
def release_documents() -> None:
    """Announce documents whose moment has come, every five minutes."""
    jobs.run("docms.release_documents", notify.release_documents)


@shared_task(name="docms.index_document", **_RETRIED)
def index_document(document_id: int) -> None:
    """Read the text of a document's current version into the index."""
    with scope.unit_of_work(door="worker"), scope.all_tenants():
        indexing.index_unread(document_id)


@shared_task(name="docms.catch_up_index")
def catch_up_index() -> None:
    """Have the texts read that were left, every ten minutes."""
    jobs.run("docms.catch_up_index", indexing.catch_up)


@shared_task(name="docms.delete_after_download", **_RETRIED)
def delete_after_download(document_id: int | None = None) -> None:
    """Delete a document that a download has claimed; without id all those that were left, every five minutes."""
    if document_id is None:
        jobs.run("docms.delete_after_download", claims.delete_claimed)
        return
    with scope.unit_of_work(door="worker"), scope.all_tenants():
        claims.finish_claimed(document_id)


@shared_task(name="docms.delete_by_folder_date")
def delete_by_folder_date() -> None:
    """Empty the folders whose date has come, every hour."""
    jobs.run("docms.delete_by_folder_date", retention.delete_by_folder_date)


@shared_task(name="docms.delete_after_first_access")
def delete_after_first_access() -> None:
    """Delete documents whose days after the first access are over, every hour."""
    jobs.run("docms.delete_after_first_access", retention.delete_after_first_access)


@shared_task(name="docms.delete_big_files")
def delete_big_files() -> None:
    """Delete big files whose hours are over, every 15 minutes."""
    jobs.run("docms.delete_big_files", retention.delete_big_files)


@shared_task(name="docms.update_folder_paths")
def update_folder_paths() -> None:
    """Derive the paths of all folders anew, daily; a rename or a move has written them already."""
    jobs.run("docms.update_folder_paths", tree.update_paths)


@shared_task(name="docms.apply_deactivations")
def apply_deactivations() -> None:
    """Revoke tokens and keys of people and applications whose end has come, every ten minutes."""
    jobs.run("docms.apply_deactivations", applications.apply_deactivations)


@shared_task(name="docms.check_license")
def check_license() -> None:
    """Look at every licence anew, daily and after a change."""
    jobs.run("docms.check_license", licences.check_all)


@shared_task(name="docms.check_update")
def check_update() -> None:
    """Ask the updater for the newest version, daily."""
    jobs.run("docms.check_update", updates.check_daily)


@shared_task(name="docms.start_update")
def start_update() -> None:
    """Hand a due update over to the updater, every minute."""
    jobs.run("docms.start_update", updates.start_due)


@shared_task(name="docms.send_sms", **_RETRIED)
def send_sms(share_id: int) -> None:
    """Send the code of a share that was just made. What fails is repeated by `messaging.sweep_texts`."""
    shares.send_sms(share_id)


@shared_task(name="docms.expire_shares")
def expire_shares() -> None:
    """Mark shares whose end has come, every hour."""
    jobs.run("docms.expire_shares", shares.expire_shares)


@shared_task(name="docms.trim_logs")
def trim_logs() -> None:
    """Delete entries of logs beyond their retention periods, daily."""
    jobs.run("docms.trim_logs", trimming.trim_logs)
