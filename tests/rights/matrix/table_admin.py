"""The back office. Residents are turned away from each of its pages (`no`), visitors sent to sign in (`in`)."""

PAGES = """
-- method and route                                                          anon   renter owner  additi househ former elsewh staff  admin  other  operat
GET admin/tenant/                                                            in     no     no     no     no     no     +      +      +      +      +
POST admin/tenant/                                                           in     no     no     no     no     no     +      +      +      +      +
HEAD admin/uploads/                                                          in     405    405    405    405    405    405    405    405    405    405
GET admin/uploads/                                                           in     405    405    405    405    405    405    405    405    405    405
POST admin/uploads/                                                          in     no     no     no     no     no     AB!403 AB!403 A!403  X!403  AX!403
PUT admin/uploads/                                                           in     405    405    405    405    405    405    405    405    405    405
PATCH admin/uploads/                                                         in     405    405    405    405    405    405    405    405    405    405
DELETE admin/uploads/                                                        in     405    405    405    405    405    405    405    405    405    405
HEAD admin/uploads/<str:handle>                                              in     A      A      A      A      A      B      A      A      X      A
GET admin/uploads/<str:handle>                                               in     405    405    405    405    405    405    405    405    405    405
POST admin/uploads/<str:handle>                                              in     405    405    405    405    405    405    405    405    405    405
PUT admin/uploads/<str:handle>                                               in     405    405    405    405    405    405    405    405    405    405
PATCH admin/uploads/<str:handle>                                             in     A      A      A      A      A      B      A      A      X      A
DELETE admin/uploads/<str:handle>                                            in     A      A      A      A      A      B      A      A      X      A
GET admin/licence/                                                             in     no     no     no     no     no     no     no     +      +      +
POST admin/licence/                                                            in     no     no     no     no     no     no     no     no     no     +
GET admin/updates/                                                             in     no     no     no     no     no     no     no     no     no     +
POST admin/updates/                                                            in     no     no     no     no     no     no     no     no     no     +
GET admin/test-mail/                                                         in     no     no     no     no     no     no     no     no     no     +
POST admin/test-mail/                                                        in     no     no     no     no     no     no     no     no     no     +
GET admin/test-message/                                                        in     no     no     no     no     no     no     no     no     no     no
POST admin/test-message/                                                       in     no     no     no     no     no     no     no     no     no     no
GET admin/texts/                                                               in     no     no     no     no     no     no     no     +      +      +
POST admin/texts/                                                              in     no     no     no     no     no     no     no     +      +      +
GET admin/texts/<str:kind>/                                                    in     no     no     no     no     no     no     no     AX     A      A
POST admin/texts/<str:kind>/                                                   in     no     no     no     no     no     no     no     AX     A      A
GET admin/texts/<str:kind>/standard/                                           in     no     no     no     no     no     no     no     AX     A      -
POST admin/texts/<str:kind>/standard/                                          in     no     no     no     no     no     no     no     AX     A      -
GET admin/mails/                                                             in     no     no     no     no     no     no     no     no     no     +
POST admin/mails/                                                            in     no     no     no     no     no     no     no     no     no     +
GET admin/mails/<str:name>/                                                  in     no     no     no     no     no     no     no     no     no     A
POST admin/mails/<str:name>/                                                 in     no     no     no     no     no     no     no     no     no     A
GET admin/mails/<str:name>/html                                              in     no     no     no     no     no     no     no     no     no     A
POST admin/mails/<str:name>/html                                             in     no     no     no     no     no     no     no     no     no     A
GET admin/search/                                                            in     no     no     no     no     no     +      +      +      +      +
POST admin/search/                                                           in     no     no     no     no     no     +      +      +      +      +
GET admin/                                                                   in     no     no     no     no     no     +      +      +      +      +
POST admin/                                                                  in     no     no     no     no     no     +      +      +      +      +
GET admin/login/                                                             in     in     in     in     in     in     +      +      +      +      +
POST admin/login/                                                            in     in     in     in     in     in     +      +      +      +      +
GET admin/logout/                                                            +      no     no     no     no     no     in     in     in     in     in
POST admin/logout/                                                           +      no     no     no     no     no     in     in     in     in     in
GET admin/password_change/                                                   in     no     no     no     no     no     +      +      +      +      +
POST admin/password_change/                                                  in     no     no     no     no     no     +      +      +      +      +
GET admin/password_change/done/                                              in     no     no     no     no     no     +      +      +      +      +
POST admin/password_change/done/                                             in     no     no     no     no     no     405    405    405    405    405
GET admin/autocomplete/                                                      in     no     no     no     no     no     no     no     no     no     no
POST admin/autocomplete/                                                     in     no     no     no     no     no     405    405    405    405    405
GET admin/jsi18n/                                                            in     no     no     no     no     no     +      +      +      +      +
POST admin/jsi18n/                                                           in     no     no     no     no     no     405    405    405    405    405
GET admin/r/<path:content_type_id>/<path:object_id>/                         in     no     no     no     no     no     -      -      -      -      -
POST admin/r/<path:content_type_id>/<path:object_id>/                        in     no     no     no     no     no     -      -      -      -      -
GET admin/orgs/community/<path:object_id>/invite/                            in     no     no     no     no     no     -      A      A      -      A
POST admin/orgs/community/<path:object_id>/invite/                           in     no     no     no     no     no     -      A      A      -      A
GET admin/orgs/unit/<path:object_id>/invite/                                 in     no     no     no     no     no     -      A      A      -      A
POST admin/orgs/unit/<path:object_id>/invite/                                in     no     no     no     no     no     -      A      A      -      A
GET admin/orgs/contact/<path:object_id>/invite/                              in     no     no     no     no     no     -      A      A      -      A
POST admin/orgs/contact/<path:object_id>/invite/                             in     no     no     no     no     no     -      A      A      -      A
GET admin/orgs/occupancy/<path:object_id>/end/                               in     no     no     no     no     no     -      A      A      -      A
POST admin/orgs/occupancy/<path:object_id>/end/                              in     no     no     no     no     no     -      A      A      -      A
GET admin/orgs/occupancy/<path:object_id>/revoke/                            in     no     no     no     no     no     -      A      A      -      A
POST admin/orgs/occupancy/<path:object_id>/revoke/                           in     no     no     no     no     no     -      A      A      -      A
GET admin/orgs/invite/<path:object_id>/renew/                                in     no     no     no     no     no     -      A      A      -      A
POST admin/orgs/invite/<path:object_id>/renew/                               in     no     no     no     no     no     -      A      A      -      A
GET admin/orgs/invite/<path:object_id>/withdraw/                             in     no     no     no     no     no     -      A      A      -      A
POST admin/orgs/invite/<path:object_id>/withdraw/                            in     no     no     no     no     no     -      A      A      -      A
GET admin/orgs/accessrequest/<path:object_id>/handle/                        in     no     no     no     no     no     A      AB     A      -      A
POST admin/orgs/accessrequest/<path:object_id>/handle/                       in     no     no     no     no     no     A      AB     A      -      A
GET admin/orgs/importrun/<int:object_id>/progress/                           in     no     no     no     no     no     -      -      A      -      A
POST admin/orgs/importrun/<int:object_id>/progress/                          in     no     no     no     no     no     -      -      A      -      A
GET admin/orgs/importrun/<path:object_id>/cancel/                            in     no     no     no     no     no     -      -      A      -      A
POST admin/orgs/importrun/<path:object_id>/cancel/                           in     no     no     no     no     no     -      -      A      -      A
GET admin/orgs/membership/<path:object_id>/password-link/                    in     no     no     no     no     no     -      -      A      -      A
POST admin/orgs/membership/<path:object_id>/password-link/                   in     no     no     no     no     no     -      -      A      -      A
GET admin/orgs/membership/<path:object_id>/reset-attempts/                   in     no     no     no     no     no     -      -      A      -      A
POST admin/orgs/membership/<path:object_id>/reset-attempts/                  in     no     no     no     no     no     -      -      A      -      A
GET admin/orgs/membership/<path:object_id>/reset-second-factor/              in     no     no     no     no     no     -      -      A      -      A
POST admin/orgs/membership/<path:object_id>/reset-second-factor/             in     no     no     no     no     no     -      -      A      -      A
GET admin/orgs/membership/<path:object_id>/deactivate/                       in     no     no     no     no     no     -      -      A      -      A
POST admin/orgs/membership/<path:object_id>/deactivate/                      in     no     no     no     no     no     -      -      A      -      A
GET admin/orgs/membership/<path:object_id>/reactivate/                       in     no     no     no     no     no     -      -      A      -      A
POST admin/orgs/membership/<path:object_id>/reactivate/                      in     no     no     no     no     no     -      -      A      -      A
GET admin/orgs/membership/<path:object_id>/picture/                          in     no     no     no     no     no     -      -      A      -      A
POST admin/orgs/membership/<path:object_id>/picture/                         in     no     no     no     no     no     -      -      A      -      A
GET admin/orgs/organization/admit/                                           in     no     no     no     no     no     no     no     no     no     +
POST admin/orgs/organization/admit/                                          in     no     no     no     no     no     no     no     no     no     +
GET admin/orgs/application/<path:object_id>/key/                               in     no     no     no     no     no     -      -      A      -      A
POST admin/orgs/application/<path:object_id>/key/                              in     no     no     no     no     no     -      -      A      -      A
GET admin/docms/folder/<path:object_id>/texts/<str:kind>/                      in     no     no     no     no     no     -      a      A      -      A
POST admin/docms/folder/<path:object_id>/texts/<str:kind>/                     in     no     no     no     no     no     -      a      A      -      A
GET admin/docms/folder/<path:object_id>/texts/<str:kind>/standard/             in     no     no     no     no     no     -      a      A      -      A
POST admin/docms/folder/<path:object_id>/texts/<str:kind>/standard/            in     no     no     no     no     no     -      a      A      -      A
GET admin/docms/folder/<path:object_id>/people/                              in     no     no     no     no     no     -      A      A      -      A
POST admin/docms/folder/<path:object_id>/people/                             in     no     no     no     no     no     -      A      A      -      A
GET admin/docms/folder/<path:object_id>/person/                              in     no     no     no     no     no     -      A      A      -      A
POST admin/docms/folder/<path:object_id>/person/                             in     no     no     no     no     no     -      A      A      -      A
GET admin/docms/folder/seen/                                                   in     no     no     no     no     no     no     no     +      +      +
POST admin/docms/folder/seen/                                                  in     no     no     no     no     no     no     no     +      +      +
GET admin/docms/folder/<path:object_id>/move/                                  in     no     no     no     no     no     -      a      A      -      A
POST admin/docms/folder/<path:object_id>/move/                                 in     no     no     no     no     no     -      a      A      -      A
GET admin/docms/document/upload/recipients/                                  in     no     no     no     no     no     +      +      +      +      +
POST admin/docms/document/upload/recipients/                                 in     no     no     no     no     no     +      +      +      +      +
GET admin/docms/document/upload/                                             in     no     no     no     no     no     +      +      +      +      +
POST admin/docms/document/upload/                                            in     no     no     no     no     no     +      +      +      +      +
GET admin/docms/document/<path:object_id>/people/                            in     no     no     no     no     no     -      A      A      -      A
POST admin/docms/document/<path:object_id>/people/                           in     no     no     no     no     no     -      A      A      -      A
GET admin/docms/document/<path:object_id>/person/                            in     no     no     no     no     no     -      A      A      -      A
POST admin/docms/document/<path:object_id>/person/                           in     no     no     no     no     no     -      A      A      -      A
GET admin/docms/document/hold/                                               in     no     no     no     no     no     no     no     -      -      -
POST admin/docms/document/hold/                                              in     no     no     no     no     no     no     no     -      -      -
GET admin/docms/document/<path:object_id>/hold/                              in     no     no     no     no     no     -      a      A      -      A
POST admin/docms/document/<path:object_id>/hold/                             in     no     no     no     no     no     -      a      A      -      A
GET admin/docms/document/<path:object_id>/share/                               in     no     no     no     no     no     -      A      A      -      a
POST admin/docms/document/<path:object_id>/share/                              in     no     no     no     no     no     -      A      A      -      a
GET admin/docms/document/<path:object_id>/withdraw-share/                      in     no     no     no     no     no     -      -      -      -      -
POST admin/docms/document/<path:object_id>/withdraw-share/                     in     no     no     no     no     no     -      -      -      -      -
GET admin/docms/document/<path:object_id>/withdraw-share/?share={share_id}     in     no     no     no     no     no     -      a      A      -      A
POST admin/docms/document/<path:object_id>/withdraw-share/?share={share_id}    in     no     no     no     no     no     -      a      A      -      A
GET admin/docms/document/<path:object_id>/notify/                              in     no     no     no     no     no     -      A      A      -      a
POST admin/docms/document/<path:object_id>/notify/                             in     no     no     no     no     no     -      A      A      -      a
GET admin/orgs/hold/<path:object_id>/release/                                in     no     no     no     no     no     -      -      A      -      A
POST admin/orgs/hold/<path:object_id>/release/                               in     no     no     no     no     no     -      -      A      -      A
GET admin/docms/group/address/                                               in     no     no     no     no     no     no     no     +      +      +
POST admin/docms/group/address/                                              in     no     no     no     no     no     no     no     +      +      +
GET admin/core/destructionrecord/due/                                        in     no     no     no     no     no     no     no     +      +      +
POST admin/core/destructionrecord/due/                                       in     no     no     no     no     no     no     no     +      +      +
GET admin/orgs/signinlog/export/                                               in     no     no     no     no     no     no     no     +      +      +
POST admin/orgs/signinlog/export/                                              in     no     no     no     no     no     no     no     +      +      +
GET admin/docms/documentlog/export/                                            in     no     no     no     no     no     +      +      +      +      +
POST admin/docms/documentlog/export/                                           in     no     no     no     no     no     +      +      +      +      +
GET admin/docms/readmark/export/                                               in     no     no     no     no     no     no     no     +      +      +
POST admin/docms/readmark/export/                                              in     no     no     no     no     no     no     no     +      +      +
GET admin/messaging/message/export/                                            in     no     no     no     no     no     no     no     +      +      +
POST admin/messaging/message/export/                                           in     no     no     no     no     no     no     no     +      +      +
GET admin/core/jobrun/export/                                                  in     no     no     no     no     no     no     no     no     no     +
POST admin/core/jobrun/export/                                                 in     no     no     no     no     no     no     no     no     no     +
GET admin/core/auditentry/export/                                              in     no     no     no     no     no     no     no     +      +      +
POST admin/core/auditentry/export/                                             in     no     no     no     no     no     no     no     +      +      +
GET admin/core/systemlog/export/                                               in     no     no     no     no     no     no     no     no     no     +
POST admin/core/systemlog/export/                                              in     no     no     no     no     no     no     no     no     no     +
GET admin/messaging/message/<path:object_id>/again/                          in     no     no     no     no     no     -      -      A      -      A
POST admin/messaging/message/<path:object_id>/again/                         in     no     no     no     no     no     -      -      A      -      A
GET admin/messaging/message/<path:object_id>/cancel/                         in     no     no     no     no     no     -      -      A      -      A
POST admin/messaging/message/<path:object_id>/cancel/                        in     no     no     no     no     no     -      -      A      -      A
GET admin/^(?P<app_label>orgs|docms|core|tickets|processes|messaging)/$                        in     no     no     no     no     no     +      +      +      +      +
POST admin/^(?P<app_label>orgs|docms|core|tickets|processes|messaging)/$                       in     no     no     no     no     no     +      +      +      +      +
GET admin/(?P<url>.*)$                                                       in     no     no     no     no     no     -      -      -      -      -
POST admin/(?P<url>.*)$                                                      in     no     no     no     no     no     -      -      -      -      -
GET admin/orgs/organization/<path:object_id>/revoke-token/                     in     no     no     no     no     no     a      ab     -      -      -
GET admin/orgs/organization/<path:object_id>/revoke-credentials/                in     no     no     no     no     no     a      ab     -      -      -
POST admin/orgs/organization/<path:object_id>/revoke-token/                    in     no     no     no     no     no     a      ab     -      -      -
POST admin/orgs/organization/<path:object_id>/revoke-credentials/               in     no     no     no     no     no     a      ab     -      -      -
GET admin/orgs/organization/<path:object_id>/token/                            in     no     no     no     no     no     a      ab     A      -      A
GET admin/orgs/organization/<path:object_id>/credentials/                      in     no     no     no     no     no     a      ab     A      -      a
POST admin/orgs/organization/<path:object_id>/token/                           in     no     no     no     no     no     a      ab     A      -      A
POST admin/orgs/organization/<path:object_id>/credentials/                     in     no     no     no     no     no     a      ab     A      -      a
GET admin/orgs/organization/<path:object_id>/programs/                         in     no     no     no     no     no     a      ab     A      -      A
POST admin/orgs/organization/<path:object_id>/programs/                        in     no     no     no     no     no     a      ab     A      -      A
GET admin/orgs/organization/<path:object_id>/change-program/                   in     no     no     no     no     no     a      ab     -      -      -
POST admin/orgs/organization/<path:object_id>/change-program/                  in     no     no     no     no     no     a      ab     -      -      -
GET admin/orgs/organization/<path:object_id>/program-secret/                   in     no     no     no     no     no     a      ab     -      -      -
POST admin/orgs/organization/<path:object_id>/program-secret/                  in     no     no     no     no     no     a      ab     -      -      -
GET admin/orgs/organization/<path:object_id>/remove-program/                   in     no     no     no     no     no     a      ab     -      -      -
POST admin/orgs/organization/<path:object_id>/remove-program/                  in     no     no     no     no     no     a      ab     -      -      -
GET admin/orgs/organization/<path:object_id>/change-program/?program={program_id} in     no     no     no     no     no     no     no     A      -      A
POST admin/orgs/organization/<path:object_id>/change-program/?program={program_id} in     no     no     no     no     no     no     no     A      -      A
GET admin/orgs/organization/<path:object_id>/program-secret/?program={program_id} in     no     no     no     no     no     no     no     A      -      A
POST admin/orgs/organization/<path:object_id>/program-secret/?program={program_id} in     no     no     no     no     no     no     no     A      -      A
GET admin/orgs/organization/<path:object_id>/remove-program/?program={program_id} in     no     no     no     no     no     no     no     A      -      A
POST admin/orgs/organization/<path:object_id>/remove-program/?program={program_id} in     no     no     no     no     no     no     no     A      -      A
GET admin/orgs/organization/<path:object_id>/remove-owner/                     in     no     no     no     no     no     a      ab     -      -      -
POST admin/orgs/organization/<path:object_id>/remove-owner/                    in     no     no     no     no     no     a      ab     -      -      -
GET admin/orgs/organization/<path:object_id>/withdraw-owner/                   in     no     no     no     no     no     a      ab     -      -      -
POST admin/orgs/organization/<path:object_id>/withdraw-owner/                  in     no     no     no     no     no     a      ab     -      -      -
GET admin/orgs/organization/<path:object_id>/move/                             in     no     no     no     no     no     a      ab     A      -      A
POST admin/orgs/organization/<path:object_id>/move/                            in     no     no     no     no     no     a      ab     A      -      A
GET admin/orgs/organization/<path:object_id>/invite-owner/                     in     no     no     no     no     no     a      ab     A      -      A
POST admin/orgs/organization/<path:object_id>/invite-owner/                    in     no     no     no     no     no     a      ab     A      -      A
GET admin/orgs/organization/<path:object_id>/quick-actions/                    in     no     no     no     no     no     a      ab     A      -      A
POST admin/orgs/organization/<path:object_id>/quick-actions/                   in     no     no     no     no     no     a      ab     A      -      A
GET admin/orgs/organization/<path:object_id>/availability/                     in     no     no     no     no     no     A      AB     A      -      A
POST admin/orgs/organization/<path:object_id>/availability/                    in     no     no     no     no     no     A      AB     A      -      A
-- Ids in a query or a form.
GET admin/orgs/organization/?at={organization_id}                              in     no     no     no     no     no     +      A!200  A!200  +      A!200
GET admin/test-mail/?tenant={tenant_id}                                      in     no     no     no     no     no     no     no     A!403  no     A!403
GET admin/test-mailbox/                                                      in     no     no     no     no     no     no     no     no     no     no
POST admin/test-mailbox/                                                     in     no     no     no     no     no     no     no     no     no     no
GET admin/tickets/mailbox/                                                   in     no     no     no     no     no     no     no     +      +      +
POST admin/tickets/mailbox/                                                  in     no     no     no     no     no     no     no     +      +      +
GET admin/tickets/mailbox/add/                                               in     no     no     no     no     no     no     no     no     no     no
POST admin/tickets/mailbox/add/                                              in     no     no     no     no     no     no     no     no     no     no
GET admin/tickets/mailbox/<path:object_id>/history/                          in     no     no     no     no     no     no     no     A      -      A
POST admin/tickets/mailbox/<path:object_id>/history/                         in     no     no     no     no     no     no     no     A      -      A
GET admin/tickets/mailbox/<path:object_id>/delete/                           in     no     no     no     no     no     no     no     A      -      A
POST admin/tickets/mailbox/<path:object_id>/delete/                          in     no     no     no     no     no     no     no     A      -      A
GET admin/tickets/mailbox/<path:object_id>/change/                           in     no     no     no     no     no     no     no     A      -      A
POST admin/tickets/mailbox/<path:object_id>/change/                          in     no     no     no     no     no     no     no     A      -      A
GET admin/tickets/mailbox/<path:object_id>/                                  in     no     no     no     no     no     +      +      +      +      +
GET admin/tickets/inboundmail/export/                                        in     no     no     no     no     no     no     no     +      +      +
POST admin/tickets/inboundmail/export/                                       in     no     no     no     no     no     no     no     +      +      +
GET admin/tickets/inboundmail/                                               in     no     no     no     no     no     no     no     +      +      +
POST admin/tickets/inboundmail/                                              in     no     no     no     no     no     no     no     +      +      +
GET admin/tickets/inboundmail/add/                                           in     no     no     no     no     no     no     no     no     no     no
POST admin/tickets/inboundmail/add/                                          in     no     no     no     no     no     no     no     no     no     no
GET admin/tickets/inboundmail/<path:object_id>/history/                      in     no     no     no     no     no     no     no     A      -      A
POST admin/tickets/inboundmail/<path:object_id>/history/                     in     no     no     no     no     no     no     no     A      -      A
GET admin/tickets/inboundmail/<path:object_id>/delete/                       in     no     no     no     no     no     no     no     no     no     no
POST admin/tickets/inboundmail/<path:object_id>/delete/                      in     no     no     no     no     no     no     no     no     no     no
GET admin/tickets/inboundmail/<path:object_id>/change/                       in     no     no     no     no     no     no     no     A      -      A
POST admin/tickets/inboundmail/<path:object_id>/change/                      in     no     no     no     no     no     no     no     no     no     no
GET admin/tickets/inboundmail/<path:object_id>/                              in     no     no     no     no     no     +      +      +      +      +
GET admin/test-mailbox/?mailbox={mailbox_id}                                in     no     no     no     no     no     no     no     A!403  no     A!403
GET admin/test-message/?tenant={tenant_id}                                     in     no     no     no     no     no     no     no     A!403  no     A!403
GET admin/docms/document/upload/recipients/?folder={folder_id}               in     no     no     no     no     no     -      A      A      -      a
GET admin/docms/folder/<path:object_id>/person/?user={user_id}               in     no     no     no     no     no     A      AB     A      -      A
GET admin/docms/folder/seen/?user={user_id}                                    in     no     no     no     no     no     no     no     A      -      +
GET admin/orgs/unit/?community__id__exact={community_id}                     in     no     no     no     no     no     +      A!200  A!200  +      A!200
GET admin/orgs/contact/?import=created-{run_id}                              in     no     no     no     no     no     +      +      +      +      +
GET admin/docms/document/?folder__id__exact={folder_id}                      in     no     no     no     no     no     +      A!200  A!200  +      A!200
POST admin/orgs/building/add/#community                                      in     no     no     no     no     no     +      A!200  A!200  +      no
POST admin/orgs/unit/add/#community                                          in     no     no     no     no     no     +      A!200  A!200  +      no
POST admin/orgs/occupancy/add/#unit                                          in     no     no     no     no     no     +      A!200  A!200  +      no
POST admin/orgs/occupancy/add/#contact                                       in     no     no     no     no     no     +      A!200  A!200  +      no
POST admin/orgs/membership/add/#community                                    in     no     no     no     no     no     no     no     A!200  +      no
POST admin/orgs/application/add/#people                                        in     no     no     no     no     no     no     no     A!200  +      no
POST admin/docms/group/add/#people                                           in     no     no     no     no     no     no     no     A!200  +      no
POST admin/docms/group/add/#folders                                          in     no     no     no     no     no     no     no     A!200  +      no
POST admin/docms/folder/add/#parent                                          in     no     no     no     no     no     no     no     A!200  +      no
POST admin/docms/folder/add/#groups                                          in     no     no     no     no     no     no     no     A!200  +      no
POST admin/docms/folderlabel/add/#folder                                     in     no     no     no     no     no     no     no     A!200  +      no
POST admin/docms/document/upload/#folder                                     in     no     no     no     no     no     +      A!200  A!200  +      +
GET admin/tickets/ticket/filters/                                              in     no     no     no     no     no     405    405    405    405    405
POST admin/tickets/ticket/filters/                                             in     no     no      no      no      no      +      +      +      +      +
GET admin/tickets/ticket/bulk/                                                 in     no     no     no     no     no     405    405    405    405    405
POST admin/tickets/ticket/bulk/                                                in     no     no      no      no      no      +      +      +      +      +
GET admin/tickets/ticket/bulk/<int:run_id>/                                    in     no     no     no     no     no     +      +      +      +      +
POST admin/tickets/ticket/bulk/<int:run_id>/                                   in     no     no      no      no      no      +      +      +      +      +
GET admin/tickets/ticket/export/                                               in     no     no     no     no     no     +      +      +      +      +
POST admin/tickets/ticket/export/                                              in     no     no      no      no      no      405    405    405    405    405
GET admin/tickets/ticket/reports/                                              in     no     no     no     no     no     +      +      +      +      +
POST admin/tickets/ticket/reports/                                             in     no     no      no      no      no      405    405    405    405    405
GET admin/tickets/ticket/<int:object_id>/files/<str:key>/                      in     no     no     no     no     no     -      A      A      -      A
POST admin/tickets/ticket/<int:object_id>/files/<str:key>/                     in     no     no      no      no      no      405    405    405    405    405
GET admin/tickets/ticket/<int:object_id>/reply/                                in     no     no     no     no     no     405    405    405    405    405
POST admin/tickets/ticket/<int:object_id>/reply/                               in     no     no      no      no      no      -      A      A      -      A
GET admin/tickets/ticket/<int:object_id>/draft/                                in     no     no     no     no     no     405    405    405    405    405
POST admin/tickets/ticket/<int:object_id>/draft/                               in     no     no      no      no      no      -      A      A      -      A
GET admin/tickets/ticket/<int:object_id>/presence/                             in     no     no     no     no     no     405    405    405    405    405
POST admin/tickets/ticket/<int:object_id>/presence/                            in     no     no      no      no      no      -      A      A      -      A
GET admin/tickets/ticket/<int:object_id>/watch/                                in     no     no     no     no     no     405    405    405    405    405
POST admin/tickets/ticket/<int:object_id>/watch/                               in     no     no      no      no      no      -      A      A      -      A
GET admin/tickets/ticket/<int:object_id>/withdraw/                             in     no     no     no     no     no     405    405    405    405    405
POST admin/tickets/ticket/<int:object_id>/withdraw/                            in     no     no      no      no      no      -      A      A      -      A
GET admin/tickets/ticket/<int:object_id>/take/                                 in     no     no     no     no     no     405    405    405    405    405
POST admin/tickets/ticket/<int:object_id>/take/                                in     no     no      no      no      no      -      A      A      -      A
GET admin/tickets/ticket/<int:object_id>/share/                                in     no     no     no     no     no     -      A      A      -      A
POST admin/tickets/ticket/<int:object_id>/share/                               in     no     no      no      no      no      -      A      A      -      A
GET admin/tickets/ticket/<int:object_id>/merge/                                in     no     no     no     no     no     -      A      A      -      A
POST admin/tickets/ticket/<int:object_id>/merge/                               in     no     no      no      no      no      -      A      A      -      A
GET admin/tickets/ticket/<int:object_id>/parent/                               in     no     no     no     no     no     -      A      A      -      A
POST admin/tickets/ticket/<int:object_id>/parent/                              in     no     no      no      no      no      -      A      A      -      A
GET admin/tickets/tickettype/<path:object_id>/questions/                       in     no     no     no     no     no     -      -      A      -      A
POST admin/tickets/tickettype/<path:object_id>/questions/                      in     no     no      no      no      no      -      -      A      -      A
GET admin/tickets/tickettype/<path:object_id>/preview/                         in     no     no     no     no     no     -      -      A      -      A
POST admin/tickets/tickettype/<path:object_id>/preview/                        in     no     no      no      no      no      -      -      A      -      A
"""

# Nouns that have a list and forms. ``list``; ``see`` a row and its history; ``add``, ``change``, ``delete``: what has no
# line is refused to everybody (403). The noun's bare address leads to its form, whatever the number.
NOUNS = """
-- noun                    page    elsewhere staff     admin     other     operator
orgs.community             list    +         +         +         +         +
orgs.community             see     -         A         A         -         A
orgs.community             add     no        no        +         +         no
orgs.community             change  -         A         A         -         A
orgs.building              list    +         +         +         +         +
orgs.building              see     -         A         A         -         A
orgs.building              add     +         +         +         +         no
orgs.building              change  -         A         A         -         A
orgs.building              delete  -         A         A         -         A
orgs.unit                  list    +         +         +         +         +
orgs.unit                  see     -         A         A         -         A
orgs.unit                  add     +         +         +         +         no
orgs.unit                  change  -         A         A         -         A
orgs.unit                  delete  -         A         A         -         A
orgs.contact               list    +         +         +         +         +
orgs.contact               see     -         A         A         -         A
orgs.contact               add     +         +         +         +         no
orgs.contact               change  -         A         A         -         A
orgs.occupancy             list    +         +         +         +         +
orgs.occupancy             see     -         A         A         -         A
orgs.occupancy             add     +         +         +         +         no
orgs.occupancy             change  -         A         A         -         A
orgs.invite                list    +         +         +         +         +
orgs.invite                see     -         A         A         -         A
orgs.accessrequest         list    +         +         +         +         +
orgs.accessrequest         see     A         AB        A         -         A
orgs.importrun             list    no        no        +         +         +
orgs.importrun             see     no        no        A         -         A
orgs.importrun             add     no        no        +         +         +
orgs.membership            list    no        no        +         +         +
orgs.membership            see     no        no        A         -         A
orgs.membership            add     no        no        +         +         no
orgs.membership            change  no        no        A         -         A
orgs.organization          list    +         +         +         +         +
orgs.organization          see     A         AB        A         -         A
orgs.organization          add     no        no        +         +         +
orgs.organization          change  no        no        A         -         A
orgs.organization          delete  no        no        A         -         A
orgs.organizationsettings  list    no        no        +         +         +
orgs.organizationsettings  see     no        no        A         -         A
orgs.organizationsettings  change  no        no        A         -         A
orgs.installationsettings  list    no        no        no        no        +
orgs.installationsettings  see     no        no        no        no        A
orgs.installationsettings  change  no        no        no        no        A
orgs.application           list    no        no        +         +         +
orgs.application           see     no        no        A         -         A
orgs.application           add     no        no        +         +         no
orgs.application           change  no        no        A         -         A
orgs.application           delete  no        no        A         -         A
orgs.signinlog             list    no        no        +         +         +
orgs.signinlog             see     no        no        A         -         A
orgs.hold                  list    no        no        +         +         +
orgs.hold                  see     no        no        A         -         A
orgs.hold                  add     no        no        +         +         no
docms.folder               list    +         +         +         +         +
docms.folder               see     -         A         A         -         A
docms.folder               add     no        no        +         +         no
docms.folder               change  no        no        A         -         A
docms.folder               delete  no        no        A         -         A
docms.document             list    +         +         +         +         +
docms.document             see     -         A         A         -         A
docms.document             change  -         A         A         -         a
docms.document             delete  -         a         A         -         A
docms.group                list    no        no        +         +         +
docms.group                see     no        no        A         -         A
docms.group                add     no        no        +         +         no
docms.group                change  no        no        A         -         A
docms.group                delete  no        no        A         -         A
docms.folderlabel          list    no        no        +         +         +
docms.folderlabel          see     no        no        A         -         A
docms.folderlabel          add     no        no        +         +         no
docms.folderlabel          change  no        no        A         -         A
docms.folderlabel          delete  no        no        A         -         A
docms.labelsuggestion      list    no        no        +         +         +
docms.labelsuggestion      see     no        no        A         -         A
docms.labelsuggestion      add     no        no        +         +         no
docms.labelsuggestion      change  no        no        A         -         A
docms.labelsuggestion      delete  no        no        A         -         A
docms.documentlog          list    +         +         +         +         +
docms.documentlog          see     -         A         A         -         -
docms.readmark             list    no        no        +         +         +
docms.readmark             see     no        no        A         -         A
core.destructionrecord     list    no        no        +         +         +
core.destructionrecord     see     no        no        A         -         A
messaging.message          list    no        no        +         +         +
messaging.message          see     no        no        A         -         A
core.jobrun                list    no        no        no        no        +
core.jobrun                see     no        no        no        no        A
core.auditentry            list    no        no        +         +         +
core.auditentry            see     no        no        A         -         A
core.systemlog             list    no        no        no        no        +
core.systemlog             see     no        no        no        no        A
core.upload                list    no        no        no        no        +
core.upload                see     no        no        no        no        A
tickets.ticket             list    +         +         +         +         +
tickets.ticket             see     -         A         A         -         A
tickets.ticket             add     +         +         +         +         +
tickets.ticket             change  -         A         A         -         A
tickets.ticket             delete  -         A         A         -         A
tickets.tickettypegroup    list    no        no        +         +         +
tickets.tickettypegroup    see     no        no        A         -         A
tickets.tickettypegroup    add     no        no        +         +         no
tickets.tickettypegroup    change  no        no        A         -         A
tickets.tickettypegroup    delete  no        no        A         -         A
tickets.tickettype         list    no        no        +         +         +
tickets.tickettype         see     no        no        A         -         A
tickets.tickettype         add     no        no        +         +         no
tickets.tickettype         change  no        no        A         -         A
tickets.tickettype         delete  no        no        A         -         A
processes.process          list    +         +         +         +         +
processes.process          see     A         AB        A         -         A
processes.process          add     +         +         +         +         no
processes.process          change  A         AB        A         -         A
processes.process          delete  A         AB        A         -         A
processes.processtype      list    +         +         +         +         +
processes.processtype      see     A         AB        A         -         A
processes.processtype      add     +         +         +         +         no
processes.processtype      change  A         AB        A         -         A
processes.processtype      delete  A         AB        A         -         A
processes.processstage     list    +         +         +         +         +
processes.processstage     see     A         AB        A         -         A
processes.processstage     add     +         +         +         +         no
processes.processstage     change  A         AB        A         -         A
processes.processstage     delete  A         AB        A         -         A
tickets.cannedreply        list    no        no        +         +         +
tickets.cannedreply        see     no        no        A         -         A
tickets.cannedreply        add     no        no        +         +         no
tickets.cannedreply        change  no        no        A         -         A
tickets.cannedreply        delete  no        no        A         -         A
tickets.assignmentrule     list    no        no        +         +         +
tickets.assignmentrule     see     no        no        A         -         A
tickets.assignmentrule     add     no        no        +         +         no
tickets.assignmentrule     change  no        no        A         -         A
tickets.assignmentrule     delete  no        no        A         -         A
"""
