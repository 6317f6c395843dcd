from django.db import migrations

from core.tenant_keys import AddTenantKeys


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0003_tenant_keys"),
        ("orgs", "0002_tenant_keys"),
        ("messaging", "0001_initial"),
    ]

    operations = [
        AddTenantKeys("messaging"),
    ]
