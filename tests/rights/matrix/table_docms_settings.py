"""The documents API: settings, tenants, licences, applications, updates, test mail."""

DOCMS_SETTINGS = """
-- method and route                                                          anon   renter owner  additi househ former elsewh staff  admin  other  operat
-- The operator of this world is no member of a company. The test mail finds no mail server.
GET docms/api/v1/app-settings                                                in     no     no     no     no     no     no     no     no     no     in
PUT docms/api/v1/app-settings                                                in     no     no     no     no     no     no     no     no     no     in
GET docms/api/v1/tenants                                                     in     no     no     no     no     no     no     no     +      +      in
POST docms/api/v1/tenants                                                    in     no     no     no     no     no     no     no     no     no     in
GET docms/api/v1/tenants/current                                             in     no     no     no     no     no     no     no     +      +      in
PUT docms/api/v1/tenants/current                                             in     no     no     no     no     no     no     no     +      +      in
PUT docms/api/v1/tenants/<int:tenant_id>/license                             in     no     no     no     no     no     no     no     no     no     in
GET docms/api/v1/license                                                     in     no     no     no     no     no     no     no     +      +      in
POST docms/api/v1/bootstrap                                                  no     no     no     no     no     no     no     no     no     no     no
GET docms/api/v1/apps                                                        in     no     no     no     no     no     no     no     +      +      in
POST docms/api/v1/apps                                                       in     no     no     no     no     no     no     no     +      +      in
GET docms/api/v1/apps/<int:app_id>                                           in     no     no     no     no     no     no     no     A      X      in
PUT docms/api/v1/apps/<int:app_id>                                           in     no     no     no     no     no     no     no     A      X      in
DELETE docms/api/v1/apps/<int:app_id>                                        in     no     no     no     no     no     no     no     A      X      in
POST docms/api/v1/apps/<int:app_id>/keys                                     in     A!403  no     no     no     no     no     no     A      X      in
GET docms/api/v1/login/app                                                   in     in     in     in     in     in     in     in     in     in     in
GET docms/api/v1/updates                                                     in     no     no     no     no     no     no     no     no     no     in
POST docms/api/v1/updates/check                                              in     no     no     no     no     no     no     no     no     no     in
POST docms/api/v1/updates/install                                            in     no     no     no     no     no     no     no     no     no     in
POST docms/api/v1/test-mail                                                  in     no     no     no     no     no     no     no     400    400    in
-- Ids in a body: a foreign one is answered like an unknown one.
PUT docms/api/v1/tenants/current#groups                                      in     no     no     no     no     no     no     no     A!400  X!400  in
PUT docms/api/v1/tenants/current#children                                    in     no     no     no     no     no     no     no     A!400  X!400  in
POST docms/api/v1/apps#people                                                in     no     no     no     no     no     no     no     A!400  X!400  in
"""
