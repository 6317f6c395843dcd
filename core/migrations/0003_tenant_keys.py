from django.db import migrations

from core.tenant_keys import AddTenantKeys


class Migration(migrations.Migration):
    dependencies = [("core", "0002_initial"), ("orgs", "0001_initial")]

    operations = [AddTenantKeys("core", references=False)]
