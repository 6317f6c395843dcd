"""The organizations API: `orgs.yaml`. Who has no access to an organization is told that it exists (403, ORGS-008)."""

ORGS = """
-- method and route                                                          anon   renter owner  additi househ former elsewh staff  admin  other  operat
POST api/v1/organization                                                       in     +      +      +      +      +      +      +      +      +      +
PUT api/v1/organization                                                        in     abx    ax     ax     ax     ax     abx    abx    Ax     Xa     AX
GET api/v1/organization/<str:organization_id>                                  in     abx    ax     ax     ax     ax     Bax    Abx    Ax     Xa     AX
DELETE api/v1/organization/<str:organization_id>                               in     abx    ax     ax     ax     ax     abx    abx    Ax     Xa     AX
GET api/v1/organization/<str:organization_id>/availability                     in     abx    ax     ax     ax     ax     Bax    Abx    Ax     Xa     AX
PUT api/v1/organization/<str:organization_id>/avatar                           in     abx    ax     ax     ax     ax     abx    abx    Ax     Xa     AX
GET api/v1/organization/<str:organization_id>/children                         in     abx    ax     ax     ax     ax     Bax    Abx    Ax     Xa     AX
GET api/v1/organization/<str:organization_id>/history/availability             in     abx    ax     ax     ax     ax     Bax    Abx    Ax     Xa     AX
PUT api/v1/organization/<str:organization_id>/location                         in     abx    ax     ax     ax     ax     abx    abx    Ax     Xa     AX
DELETE api/v1/organization/<str:organization_id>/location                      in     abx    ax     ax     ax     ax     abx    abx    Ax     Xa     AX
GET api/v1/organization/<str:organization_id>/owner/invitation                 in     abx    ax     ax     ax     ax     abx    abx    Ax     Xa     AX
POST api/v1/organization/<str:organization_id>/owner/invitation                in     abx    ax     ax     ax     ax     abx    abx    Ax     Xa     AX
POST api/v1/organization/<str:organization_id>/owner/invitation/<str:invitation_id>/accept in     abx    ax     ax     ax     ax     abx    abx    ax     ax     ax
DELETE api/v1/organization/<str:organization_id>/owner/invitation/<str:user_id> in     abx    ax     ax     ax     ax     abx    abx    Ax     Xa     AX
GET api/v1/organization/<str:organization_id>/owner/<str:user_id>              in     abx    ax     ax     ax     ax     Bax    Abx    Ax     Xa     AX
DELETE api/v1/organization/<str:organization_id>/owner/<str:user_id>           in     abx    ax     ax     ax     ax     abx    abx    Ax     Xa     AX
GET api/v1/organization/<str:organization_id>/quick-actions                    in     abx    ax     ax     ax     ax     Bax    Abx    Ax     Xa     AX
PUT api/v1/organization/<str:organization_id>/quick-actions                    in     abx    ax     ax     ax     ax     abx    abx    Ax     Xa     AX
GET api/v1/organizations                                                       in     +      +      +      +      +      +      +      +      +      +
GET api/v1/organizations/                                                      in     +      +      +      +      +      +      +      +      +      +
GET api/v1/organizations/owner                                                 in     +      +      +      +      +      +      +      +      +      +
GET api/v1/organizations/paginated                                             in     +      +      +      +      +      +      +      +      +      +
GET api/v1/trial                                                               in     +      +      +      +      +      +      +      +      +      +
POST api/v1/trial                                                              in     +      +      +      +      +      +      +      +      +      +
GET api/v1/organizations/avatars/<uuid:key>                                    A      ABX    AX     AX     AX     AX     ABX    ABX    AX     AX     AX
HEAD api/v1/^organization.*                                                    -      -      -      -      -      -      -      -      -      -      -
GET api/v1/^organization.*                                                     -      -      -      -      -      -      -      -      -      -      -
POST api/v1/^organization.*                                                    -      -      -      -      -      -      -      -      -      -      -
PUT api/v1/^organization.*                                                     -      -      -      -      -      -      -      -      -      -      -
PATCH api/v1/^organization.*                                                   -      -      -      -      -      -      -      -      -      -      -
DELETE api/v1/^organization.*                                                  -      -      -      -      -      -      -      -      -      -      -
HEAD api/v1/^trial/.*                                                          -      -      -      -      -      -      -      -      -      -      -
GET api/v1/^trial/.*                                                           -      -      -      -      -      -      -      -      -      -      -
POST api/v1/^trial/.*                                                          -      -      -      -      -      -      -      -      -      -      -
PUT api/v1/^trial/.*                                                           -      -      -      -      -      -      -      -      -      -      -
PATCH api/v1/^trial/.*                                                         -      -      -      -      -      -      -      -      -      -      -
DELETE api/v1/^trial/.*                                                        -      -      -      -      -      -      -      -      -      -      -
POST api/v1/organization#parent                                               in     abx    ax     ax     ax     ax     abx    abx    Ax     Xa     AX
"""
