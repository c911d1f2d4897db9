"""Add email addresses of guests who want to hear about answers, a table of outputs that have no box on the page yet,
and the state of the search index."""

import django.db.models.deletion
import django.utils.timezone
import runs.models.ids
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0069_company_logo'),
    ]

    operations = [
        migrations.CreateModel(
            name='GuestNotice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event', models.CharField(max_length=60)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('mail_due_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ('created_at', 'pk'),
            },
        ),
        migrations.CreateModel(
            name='HeldOutputs',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('outputs', models.JSONField(default=list)),
            ],
        ),
        migrations.CreateModel(
            name='IndexState',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveSmallIntegerField(default=0)),
                ('reached', models.PositiveBigIntegerField(default=0)),
            ],
        ),
        migrations.AlterField(
            model_name='mail',
            name='member',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='mails', to=settings.AUTH_USER_MODEL),
        ),
        migrations.CreateModel(
            name='GuestContact',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=runs.models.ids.new_public_id, editable=False, max_length=16, unique=True)),
                ('guest_name', models.CharField(max_length=100)),
                ('guest_key', models.CharField(max_length=100)),
                ('email', models.EmailField(max_length=254)),
                ('language', models.CharField(blank=True, default='', max_length=10)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('link', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='contacts', to='runs.guestlink')),
            ],
        ),
        migrations.AddField(
            model_name='mail',
            name='guest',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='mails', to='runs.guestcontact'),
        ),
        migrations.AddConstraint(
            model_name='mail',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('guest', None), ('member__isnull', False)), models.Q(('guest__isnull', False), ('member', None)), _connector='OR'), name='mail_to_member_or_guest'),
        ),
        migrations.AddField(
            model_name='guestnotice',
            name='comment',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='runs.comment'),
        ),
        migrations.AddField(
            model_name='guestnotice',
            name='contact',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='runs.guestcontact'),
        ),
        migrations.AddField(
            model_name='guestnotice',
            name='mail',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='guest_notices', to='runs.mail'),
        ),
        migrations.AddField(
            model_name='guestnotice',
            name='output',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='runs.output'),
        ),
        migrations.AddField(
            model_name='heldoutputs',
            name='run',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='runs.run'),
        ),
        migrations.AddConstraint(
            model_name='guestcontact',
            constraint=models.UniqueConstraint(fields=('link', 'guest_key'), name='guest_contact_unique'),
        ),
        migrations.AddIndex(
            model_name='guestnotice',
            index=models.Index(condition=models.Q(('mail', None), ('mail_due_at__isnull', False)), fields=['mail_due_at'], name='guest_notice_due'),
        ),
        migrations.AddConstraint(
            model_name='guestnotice',
            constraint=models.UniqueConstraint(fields=('contact', 'event'), name='guest_notice_once'),
        ),
    ]
