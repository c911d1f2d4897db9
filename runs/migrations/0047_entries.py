"""Add the record of who did what. The record only grows, and is guarded by triggers that are created after every
`migrate` (`audit.guard`)."""

import django.utils.timezone
import runs.models.ids
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0046_charge_existing'),
    ]

    operations = [
        migrations.CreateModel(
            name='EntryOrigin',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('entry_id', models.BigIntegerField(unique=True)),
                ('network', models.CharField(max_length=50)),
                ('at', models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name='Entry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=runs.models.ids.new_public_id, editable=False, max_length=16, unique=True)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('actor_id', models.BigIntegerField(blank=True, null=True)),
                ('actor_name', models.CharField(blank=True, default='', max_length=200)),
                ('way', models.CharField(choices=[('page', 'On a page'), ('guest', 'Through a guest link'), ('worker', 'By the portal itself'), ('command', 'By a command')], max_length=7)),
                ('verb', models.CharField(max_length=40)),
                ('object_kind', models.CharField(blank=True, default='', max_length=20)),
                ('object_id', models.CharField(blank=True, default='', max_length=40)),
                ('object_label', models.CharField(blank=True, default='', max_length=200)),
                ('changes', models.JSONField(default=dict)),
                ('request_id', models.CharField(blank=True, default='', max_length=40)),
            ],
            options={
                'ordering': ('-at', '-pk'),
                'indexes': [models.Index(models.OrderBy(models.F('at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='entry_latest'), models.Index(models.F('actor_id'), models.OrderBy(models.F('at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='entry_of_person'), models.Index(models.F('verb'), models.OrderBy(models.F('at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='entry_of_verb'), models.Index(models.F('actor_id'), models.F('verb'), models.OrderBy(models.F('at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='entry_of_person_and_verb'), models.Index(models.F('way'), models.OrderBy(models.F('at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='entry_of_way'), models.Index(models.F('way'), models.F('verb'), models.OrderBy(models.F('at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='entry_of_way_and_verb'), models.Index(models.F('object_kind'), models.F('object_id'), models.OrderBy(models.F('at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='entry_of_object')],
            },
        ),
    ]
