from django.db import migrations

from core.tenant_keys import AddTenantKeys


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0003_tenant_keys"),
        ("orgs", "0002_tenant_keys"),
        ("messaging", "0002_tenant_keys"),
        ("docms", "0001_initial"),
    ]

    operations = [
        AddTenantKeys("docms"),
        # Access counters change often: room on the page keeps those updates off the indexes.
        migrations.RunSQL(
            "ALTER TABLE docms_document SET (fillfactor = 90)",
            "ALTER TABLE docms_document RESET (fillfactor)",
        ),
    ]
