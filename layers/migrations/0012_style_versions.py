import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('layers', '0011_render_role'),
    ]

    operations = [
        migrations.CreateModel(
            name='LayerStyle',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=48)),
                ('number', models.PositiveIntegerField()),
                ('state', models.CharField(choices=[('draft', '草稿'), ('published', '已发布'), ('replaced', '已被替代')], default='draft', max_length=9)),
                ('document', models.JSONField()),
                ('reason', models.CharField(blank=True, max_length=400)),
                ('written_by', models.CharField(max_length=200)),
                ('written_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('published_by', models.CharField(blank=True, max_length=200)),
                ('published_at', models.DateTimeField(blank=True, null=True)),
                ('layer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='style_versions', to='layers.layer')),
            ],
            options={
                'ordering': ('layer', 'name', '-number'),
                'constraints': [models.UniqueConstraint(fields=('layer', 'name', 'number'), name='style_version_once'), models.UniqueConstraint(condition=models.Q(('state', 'published')), fields=('layer', 'name'), name='style_published_once'), models.UniqueConstraint(condition=models.Q(('state', 'draft')), fields=('layer', 'name'), name='style_draft_once')],
            },
        ),
    ]
