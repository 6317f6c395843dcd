from django.db import migrations

from core.tenant_keys import AddTenantKeys

APPEND_ONLY = """
CREATE FUNCTION tickets_ticketactivity_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - '{deleted_at,external_ref,text,automatic_name}'::text[]
            IS DISTINCT FROM to_jsonb(OLD) - '{deleted_at,external_ref,text,automatic_name}'::text[]
       OR (NEW.text IS DISTINCT FROM OLD.text AND NEW.text <> '')
       OR (NEW.automatic_name IS DISTINCT FROM OLD.automatic_name AND NEW.automatic_name <> '') THEN
        RAISE EXCEPTION 'The stream of a ticket is append-only: an entry can be withdrawn, not rewritten.'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'ticket_activity_append_only',
                  TABLE = 'tickets_ticketactivity';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER ticket_activity_append_only BEFORE UPDATE ON tickets_ticketactivity
    FOR EACH ROW EXECUTE FUNCTION tickets_ticketactivity_append_only();
"""
ANYTHING_GOES = """
DROP TRIGGER ticket_activity_append_only ON tickets_ticketactivity;
DROP FUNCTION tickets_ticketactivity_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0003_tenant_keys"),
        ("orgs", "0002_tenant_keys"),
        ("tickets", "0001_initial"),
    ]

    operations = [
        AddTenantKeys("tickets"),
        migrations.RunSQL(APPEND_ONLY, ANYTHING_GOES),
    ]
