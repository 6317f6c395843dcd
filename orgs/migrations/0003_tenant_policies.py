from django.db import migrations

from core.tenant_policies import AddTenantPolicies


class Migration(migrations.Migration):
    dependencies = [("orgs", "0002_tenant_keys")]

    operations = [AddTenantPolicies("orgs")]
