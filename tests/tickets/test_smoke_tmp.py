import pytest
from tests.portal.pages import queries_of, signed_in
pytestmark = pytest.mark.django_db

def test_smoke(cast, file):
    t = file(unit=cast.unit_a2); 
    c = signed_in(cast.staff)
    for u in ("", "add/", "reports/", "export/", "export/?form=xlsx", f"{t.pk}/change/", f"{t.pk}/change/?list=", f"{t.pk}/share/", f"{t.pk}/merge/", f"{t.pk}/parent/", f"{t.pk}/history/", f"{t.pk}/delete/", "?view=overdue&order=target&q=tropft&type=0&response=met&resolution=missed&age=1&since=2020-01-01"):
        r = c.get("/admin/tickets/ticket/" + u)
        assert r.status_code == 200, (u, r.status_code)
        (r.getvalue() if hasattr(r, 'getvalue') else 0)
    print("list queries", queries_of(c, "/admin/tickets/ticket/"), "start", queries_of(c, "/admin/docms/labelsuggestion/") if 0 else "")
    print("ticket", queries_of(c, f"/admin/tickets/ticket/{t.pk}/change/?list="))
    print("reports", queries_of(c, "/admin/tickets/ticket/reports/"))
    print("base", queries_of(c, "/admin/orgs/contact/"))
