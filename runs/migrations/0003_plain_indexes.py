"""Indexes that SQLite uses for queries as Django writes them.

SQLite uses an index with a condition such as `status = 'saving'` only if the query itself contains this value, but
Django passes it as a parameter. Such a column is now one of the index's columns, and conditions ask only for NULL.
"""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0002_link_makers'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='charge',
            name='charge_from_before',
        ),
        migrations.RemoveIndex(
            model_name='guestcopy',
            name='guest_copy_due',
        ),
        migrations.RemoveIndex(
            model_name='guestlinkoutput',
            name='guest_link_output_replaces',
        ),
        migrations.RemoveIndex(
            model_name='notice',
            name='notice_unread',
        ),
        migrations.RemoveIndex(
            model_name='notice',
            name='notice_for_daily_mail',
        ),
        migrations.RemoveIndex(
            model_name='output',
            name='output_rejected',
        ),
        migrations.RemoveIndex(
            model_name='outputfile',
            name='output_file_due',
        ),
        migrations.RemoveIndex(
            model_name='outputfile',
            name='output_file_failed',
        ),
        migrations.RemoveIndex(
            model_name='run',
            name='run_examples',
        ),
        migrations.RemoveIndex(
            model_name='run',
            name='run_history_starred',
        ),
        migrations.RemoveIndex(
            model_name='run',
            name='run_overdue',
        ),
        migrations.RemoveIndex(
            model_name='run',
            name='run_due',
        ),
        migrations.RemoveIndex(
            model_name='run',
            name='run_active',
        ),
        migrations.RemoveIndex(
            model_name='storedfile',
            name='file_of_catalogue',
        ),
        migrations.RemoveIndex(
            model_name='upload',
            name='upload_fetching',
        ),
        migrations.RemoveIndex(
            model_name='upload',
            name='upload_latest',
        ),
        migrations.AddIndex(
            model_name='charge',
            index=models.Index(fields=['is_from_before', 'month'], name='charge_from_before'),
        ),
        migrations.AddIndex(
            model_name='guestcopy',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at'], name='guest_copy_due'),
        ),
        migrations.AddIndex(
            model_name='guestlinkoutput',
            index=models.Index(fields=['is_replacement', 'output'], name='guest_link_output_replaces'),
        ),
        migrations.AddIndex(
            model_name='notice',
            index=models.Index(condition=models.Q(('read_at', None)), fields=['member'], name='notice_unread'),
        ),
        migrations.AddIndex(
            model_name='notice',
            index=models.Index(condition=models.Q(('mail', None)), fields=['way', 'member'], name='notice_for_daily_mail'),
        ),
        migrations.AddIndex(
            model_name='output',
            index=models.Index(condition=models.Q(('removal_at', None), ('removed_at', None)), fields=['verdict', 'run'], name='output_rejected'),
        ),
        migrations.AddIndex(
            model_name='outputfile',
            index=models.Index(condition=models.Q(('file', None)), fields=['status', 'due_at'], name='output_file_due'),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(fields=['is_example', 'created_at'], name='run_examples'),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(models.F('has_star'), models.OrderBy(models.F('created_at'), descending=True), models.OrderBy(models.F('id'), descending=True), condition=models.Q(('deleted_at', None)), name='run_history_starred'),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(condition=models.Q(('deleted_at', None), ('held_at', None)), fields=['has_star', 'status', 'finished_at'], name='run_overdue'),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(condition=models.Q(('finished_at', None)), fields=['status', 'member', 'created_at'], name='run_active'),
        ),
        migrations.AddIndex(
            model_name='storedfile',
            index=models.Index(fields=['is_catalog', 'created_at'], name='file_of_catalogue'),
        ),
        migrations.AddIndex(
            model_name='upload',
            index=models.Index(condition=models.Q(('file', None)), fields=['status', 'claimed_until'], name='upload_fetching'),
        ),
        migrations.AddIndex(
            model_name='upload',
            index=models.Index(fields=['member', 'status', '-used_at', '-id'], name='upload_latest'),
        ),
    ]
