import pytest, socket
from django.db import connection

@pytest.mark.django_db
def test_role():
    with connection.cursor() as c:
        c.execute("select current_user, current_database()")
        print(c.fetchone())
        c.execute("select count(*) from django_migrations")

@pytest.mark.django_db(transaction=True)
def test_tx(): 
    with connection.cursor() as c:
        c.execute("select 1")

def test_net():
    with pytest.raises(OSError, match="no network"):
        socket.create_connection(("8.8.8.8", 53), 1)

def test_smtp(smtp):
    import smtplib
    with smtplib.SMTP("127.0.0.1", smtp.port) as s:
        s.sendmail("a@b.de", ["c@d.de"], "Subject: hi\n\nhello")
    assert smtp.to("c@d.de")[0]["Subject"] == "hi"

def test_page(page, axe):
    page.goto("data:text/html,<html lang=de><title>x</title><main><h1>Hi</h1></main>")
    axe(page)

@pytest.mark.django_db
def test_after_browser():
    with connection.cursor() as c:
        c.execute("select 1")

@pytest.mark.parametrize("n", range(3))
@pytest.mark.django_db(transaction=True)
def test_flush(n):
    with connection.cursor() as c:
        c.execute("select count(*) from core_numbercounter"); assert c.fetchone()[0]==0
        c.execute("select count(*) from core_systemlog"); assert c.fetchone()[0]==0
        c.execute("select count(*) from django_migrations"); assert c.fetchone()[0]>4
    from django.apps import apps
    from core.models import Throttle
    from django.utils import timezone
    from core import models
    Throttle.objects.create(scope="x", key=b"y"*32)
    assert Throttle.objects.count()==1
