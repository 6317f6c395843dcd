"""The same questions as the product's, at short addresses."""

from django.urls import path

from script.benches.floor import views

urlpatterns = [
    path("folders/<int:folder_id>/files", views.folder_files),
    path("files/paging", views.page_files),
    path("start/<int:community_id>", views.start),
    path("unread/<int:community_id>", views.unread),
]
