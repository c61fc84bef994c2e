"""Which fields have an index to sort by."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("layers", "0006_corrections")]

    operations = [
        migrations.AddField(model_name="field", name="indexed", field=models.BooleanField(default=False)),
    ]
