from django.db import migrations

from core.tenant_keys import AddTenantKeys


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0003_tenant_keys"),
        ("orgs", "0002_tenant_keys"),
        ("docms", "0002_tenant_keys"),
        ("tickets", "0002_tenant_keys"),
        ("processes", "0001_initial"),
    ]

    operations = [
        AddTenantKeys("processes"),
        # The stage of a case belongs to its type (PROCESSES-036). Nothing to hold while there is no stage.
        migrations.RunSQL(
            "ALTER TABLE processes_process ADD CONSTRAINT process_stage_belongs_to_type "
            "FOREIGN KEY (type_id, stage_id) REFERENCES processes_processstage (type_id, id) "
            "DEFERRABLE INITIALLY DEFERRED",
            "ALTER TABLE processes_process DROP CONSTRAINT process_stage_belongs_to_type",
        ),
    ]
