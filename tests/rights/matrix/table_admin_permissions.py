"""The back office: what one person may do in one folder, and whom their uploads notify."""

PERMISSIONS = """
-- method and route                                                          anon   renter owner  additi househ former elsewh staff  admin  other  operat
GET admin/docms/folder/<path:object_id>/permissions/<int:user_id>/             in     no     no     no     no     no     -      a      A      -      A
POST admin/docms/folder/<path:object_id>/permissions/<int:user_id>/            in     no     no     no     no     no     -      a      A      -      A
GET admin/docms/folder/<path:object_id>/uploads/<int:user_id>/                 in     no     no     no     no     no     -      a      A      -      A
POST admin/docms/folder/<path:object_id>/uploads/<int:user_id>/                in     no     no     no     no     no     -      a      A      -      A
"""
