"""The documents API: texts, notices and shares; and the page on which a share is opened."""

TEXTS = """
-- method and route                                                          anon   renter owner  additi househ former elsewh staff  admin  other  operat
GET docms/api/v1/mail-templates                                              in     no     no     no     no     no     no     no     +      +      in
PUT docms/api/v1/mail-templates                                              in     no     no     no     no     no     no     no     +      +      in
GET docms/api/v1/mail-templates/default                                      in     no     no     no     no     no     no     no     +      +      in
GET docms/api/v1/folders/<int:folder_id>/mail-template                       in     no     no     no     no     no     no     no     A      X      in
POST docms/api/v1/folders/<int:folder_id>/mail-template                      in     no     no     no     no     no     no     no     A      X      in
DELETE docms/api/v1/folders/<int:folder_id>/mail-template                    in     no     no     no     no     no     no     no     A      X      in
GET docms/api/v1/folders/<int:folder_id>/mail-template/share                 in     a      a      a      a      -      B      A      A      X      in
PUT docms/api/v1/folders/<int:folder_id>/mail-template/share                 in     no     no     no     no     no     no     no     A      X      in
GET docms/api/v1/sms-templates                                               in     no     no     no     no     no     no     no     +      +      in
PUT docms/api/v1/sms-templates                                               in     no     no     no     no     no     no     no     +      +      in
GET docms/api/v1/folders/<int:folder_id>/sms-template                        in     no     no     no     no     no     no     no     A      X      in
PUT docms/api/v1/folders/<int:folder_id>/sms-template                        in     no     no     no     no     no     no     no     A      X      in
DELETE docms/api/v1/folders/<int:folder_id>/sms-template                     in     no     no     no     no     no     no     no     A      X      in
POST docms/api/v1/mail-after-upload                                          in     no     no     no     no     no     no     no     A!400  X!400  in
DELETE docms/api/v1/mail-after-upload/<int:user_id>/<int:folder_id>          in     no     no     no     no     no     no     no     A      X      in
GET docms/api/v1/folders/<int:folder_id>/mail-after-upload                   in     no     no     no     no     no     no     no     A      X      in
POST docms/api/v1/notifications                                              in     a!400  a!400  a!400  a!400  400    B!400  A!400  A!400  X!400  in
GET docms/api/v1/files/<int:file_id>/shares                                  in     a      a      a      a      -      B      A      A      X      in
POST docms/api/v1/files/<int:file_id>/shares                                 in     a      a      a      a      -      B      A      A      X      in
DELETE docms/api/v1/files/<int:file_id>/shares/<int:share_id>                in     -      -      -      -      -      b      a      A      X      in
-- Whoever has link and code may, whoever that is; with a wrong code nobody.
POST docms/api/v1/shares/<str:share_token>                                   A      ABX    AX     AX     AX     AX     ABX    ABX    AX     AX     AX
POST docms/api/v1/shares/<str:share_token>#wrong                             in     in     in     in     in     in     in     in     in     in     in
GET app/shares/<str:share_token>                                             A      ABX    AX     AX     AX     AX     ABX    ABX    AX     AX     AX
POST app/shares/<str:share_token>                                            A      ABX    AX     AX     AX     AX     ABX    ABX    AX     AX     AX
POST app/shares/<str:share_token>#wrong                                      422    422    422    422    422    422    422    422    422    422    422
"""
