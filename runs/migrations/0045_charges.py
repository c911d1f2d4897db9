"""Add tables for charges, their sums and spending limits, and a price for apps that get no estimate from Lamina."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0044_news_as_notices'),
    ]

    operations = [
        migrations.CreateModel(
            name='SpendingLimits',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('default_hundredths', models.PositiveBigIntegerField(blank=True, null=True)),
                ('portal_hundredths', models.PositiveBigIntegerField(blank=True, null=True)),
                ('allows_unknown', models.BooleanField(default=True)),
                ('day_hundredths', models.PositiveBigIntegerField(blank=True, null=True)),
                ('left_credits', models.PositiveBigIntegerField(blank=True, null=True)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='spending_limits_single_row')],
            },
        ),
        migrations.AddField(
            model_name='app',
            name='price',
            field=models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True),
        ),
        migrations.CreateModel(
            name='MemberLimit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('hundredths', models.PositiveBigIntegerField(blank=True, null=True)),
                ('is_unlimited', models.BooleanField(default=False)),
                ('raised_to', models.PositiveBigIntegerField(blank=True, null=True)),
                ('raised_until', models.DateField(blank=True, null=True)),
                ('member', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='spending_limit', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Charge',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('member_name', models.CharField(max_length=254)),
                ('app_name', models.TextField()),
                ('kind', models.CharField(blank=True, default='', max_length=50)),
                ('month', models.DateField()),
                ('hundredths', models.PositiveBigIntegerField(default=0)),
                ('is_unknown', models.BooleanField(default=False)),
                ('source', models.CharField(choices=[('lamina', "Lamina's estimate"), ('admin', "an admin"), ('none', 'unknown')], max_length=6)),
                ('made', models.PositiveIntegerField(default=0)),
                ('total', models.PositiveIntegerField(default=0)),
                ('state', models.CharField(choices=[('reserved', 'Reserved'), ('kept', 'Kept'), ('released', 'Released')], default='reserved', max_length=8)),
                ('pressed_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('is_from_before', models.BooleanField(default=False)),
                ('is_maker_known', models.BooleanField(default=True)),
                ('app', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='charges', to='runs.app')),
                ('member', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='charges', to=settings.AUTH_USER_MODEL)),
                ('run', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='charge', to='runs.run')),
            ],
            options={
                'indexes': [models.Index(fields=['month', 'member'], name='charge_of_month'), models.Index(models.OrderBy(models.F('pressed_at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='charge_lately'), models.Index(models.F('member'), models.OrderBy(models.F('pressed_at'), descending=True), name='charge_of_member'), models.Index(fields=['app', 'month'], name='charge_of_app')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('hundredths', 0), ('is_unknown', True), ('source', 'none')), models.Q(('is_unknown', False), models.Q(('source', 'none'), _negated=True)), _connector='OR'), name='charge_unknown_has_no_source')],
            },
        ),
        migrations.CreateModel(
            name='MonthTotal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField()),
                ('used', models.BigIntegerField(default=0)),
                ('member', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('member', 'month'), name='month_total_of_member'), models.UniqueConstraint(condition=models.Q(('member', None)), fields=('month',), name='month_total_of_portal')],
            },
        ),
        migrations.CreateModel(
            name='SpendingSum',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField()),
                ('kind', models.CharField(blank=True, default='', max_length=50)),
                ('hundredths', models.BigIntegerField(default=0)),
                ('reserved', models.BigIntegerField(default=0)),
                ('count', models.IntegerField(default=0)),
                ('unknown_count', models.IntegerField(default=0)),
                ('app', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='runs.app')),
                ('member', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('month', 'member', 'app', 'kind'), name='spending_sum_unique')],
            },
        ),
    ]
