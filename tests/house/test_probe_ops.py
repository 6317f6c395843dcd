import pytest
from django.db import connection

@pytest.mark.parametrize("n", range(3))
@pytest.mark.django_db(transaction=True)
def test_flush(n):
    from core.models import SystemLog
    with connection.cursor() as c:
        c.execute("select count(*) from core_numbercounter"); assert c.fetchone()[0]==0
        c.execute("select count(*) from core_systemlog"); assert c.fetchone()[0]==0
        c.execute("select count(*) from django_migrations"); assert c.fetchone()[0]>4
        c.execute("select count(*) from django_content_type"); assert c.fetchone()[0]>4
        c.execute("select current_user"); assert c.fetchone()[0]=="quartier_app"
    SystemLog.objects.create()

@pytest.mark.parametrize("n", range(3))
@pytest.mark.django_db
def test_page(page, axe, n):
    page.goto("/static/css/base.css")
