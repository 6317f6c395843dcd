"""The documents API: people, group administration, suggested labels, system log."""

DOCMS_PEOPLE = """
-- method and route                                                          anon   renter owner  additi househ former elsewh staff  admin  other  operat
DELETE docms/api/v1/users/<int:user_id>/tfa                                  in     A!403  no     no     no     no     no     no     A      X      in
DELETE docms/api/v1/users/<int:user_id>/tfa/all-tenants                      in     no     no     no     no     no     no     no     a      x      in
DELETE docms/api/v1/users/<int:user_id>/login-attempts                       in     no     no     no     no     no     no     no     A      X      in
GET docms/api/v1/users/<int:user_id>/export                                  in     A!403  no     no     no     no     no     no     A      X      in
POST docms/api/v1/password/user/<int:user_id>                                in     no     no     no     no     no     no     no     A      X      in
POST docms/api/v1/groupadmin/users                                           in     no     no     no     no     no     Ba!400 Ab!400 no     no     in
PUT docms/api/v1/groupadmin/users/<int:user_id>                              in     no     no     no     no     no     B      A      no     no     in
POST docms/api/v1/groupadmin/users/<int:user_id>/reset-password              in     no     no     no     no     no     B      A      no     no     in
POST docms/api/v1/groupadmin/users/<int:user_id>/reset-tfa                   in     no     no     no     no     no     B      A      no     no     in
POST docms/api/v1/groupadmin/users/<int:user_id>/reset-attempts              in     no     no     no     no     no     B      A      no     no     in
GET docms/api/v1/groupadmin/groups/<int:group_id>                            in     no     no     no     no     no     B      A      no     no     in
PUT docms/api/v1/groupadmin/groups/<int:group_id>                            in     no     no     no     no     no     B      A      no     no     in
GET docms/api/v1/label-suggestions                                           in     +      +      +      +      +      +      +      +      +      in
POST docms/api/v1/label-suggestions                                          in     no     no     no     no     no     no     no     +      +      in
PUT docms/api/v1/label-suggestions/<path:name>                               in     no     no     no     no     no     no     no     A      X      in
DELETE docms/api/v1/label-suggestions/<path:name>                            in     no     no     no     no     no     no     no     A      X      in
GET docms/api/v1/systemlogs                                                  in     no     no     no     no     no     no     no     no     no     in
POST docms/api/v1/systemlogs                                                 in     +      +      +      +      +      +      +      +      +      in
DELETE docms/api/v1/systemlogs/<int:systemlog_id>                            in     no     no     no     no     no     no     no     no     no     in
-- Ids in a body: a foreign one is answered like an unknown one; of groups and people of the tenant, see the contract.
PUT docms/api/v1/groupadmin/groups/<int:group_id>#people                     in     no     no     no     no     no     B!400  A!400  no     no     in
"""
