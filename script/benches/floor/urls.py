"""The same questions as the product's, at short addresses; downloads at theirs."""

from django.urls import path

from script.benches.floor import downloads, tickets, uploads, views

urlpatterns = [
    path("folders/<int:folder_id>/files", views.folder_files),
    path("files/paging", views.page_files),
    path("files/search", views.search_files),
    path("start/<int:community_id>", views.start),
    path("unread/<int:community_id>", views.unread),
    path("docms/api/v1/files/<int:document_id>/download", downloads.download),
    path("uploads", uploads.upload),
    path(
        "support/tickets/v1",
        lambda request: tickets.created(request) if request.method == "POST" else tickets.listed(request),
    ),
    path("support/tickets/v1/<uuid:ref>", tickets.thread),
]
