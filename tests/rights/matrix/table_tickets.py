"""The support API: `tickets.yaml`. The operator belongs to no company, so there are no credentials for it that work."""

TICKETS = """
-- method and route                                                          anon   renter owner  additi househ former elsewh staff  admin  other  operat
GET support/tickets/v1?locationRef={location_ref}                              in     A      A      A      A      -      B      A      A      X      in
POST support/tickets/v1                                                        in     A      A      A      A      -      B      A      A      X      in
POST support/tickets/v1#requester                                              in     A      a      a      a      -      B      A      A      X      in
POST support/tickets/v1/comment                                                in     A      -      -      -      -      B      A      A      X      in
DELETE support/tickets/v1/comment/<str:id>                                     in     A      -      -      -      -      B      A      A      X      in
GET support/tickets/v1/<str:id>                                                in     A      -      -      -      -      B      A      A      X      in
DELETE support/tickets/v1/<str:id>                                             in     a      -      -      -      -      B      A      A      X      in
PUT support/tickets/v1/<str:id>/assignee                                       in     a      -      -      -      -      B      A      A      X      in
PUT support/tickets/v1/<str:id>/status                                         in     a      -      -      -      -      B      A      A      X      in
PATCH support/tickets/v1/<str:id>/type                                         in     a      -      -      -      -      B      A      A      X      in
POST support/attachments/v1                                                    in     A      A      A      A      -      B      A      A      X      in
GET support/attachments/v1/<str:key>                                           in     A      -      -      -      -      B      A      A      X      in
HEAD support/^.*                                                               -      -      -      -      -      -      -      -      -      -      -
GET support/^.*                                                                -      -      -      -      -      -      -      -      -      -      -
POST support/^.*                                                               -      -      -      -      -      -      -      -      -      -      -
PUT support/^.*                                                                -      -      -      -      -      -      -      -      -      -      -
PATCH support/^.*                                                              -      -      -      -      -      -      -      -      -      -      -
DELETE support/^.*                                                             -      -      -      -      -      -      -      -      -      -      -
"""
