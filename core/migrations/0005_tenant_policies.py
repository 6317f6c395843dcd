from django.db import migrations

from core.tenant_policies import AddTenantPolicies


class Migration(migrations.Migration):
    dependencies = [("core", "0004_tenant_references")]

    operations = [AddTenantPolicies("core")]
