"""All tables of the portal, and what models can't describe: the search index, and PostgreSQL's indexes of rare runs.

`replaces` names the migrations from before the first release. A database that has applied all of them needs nothing
else; `runs.checks` refuses one that has only some.
"""

import datetime

import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import runs.models.ids

RUN_WORDS = {
    # The tokenizer only splits at spaces, because the portal has already split the text into words.
    "sqlite": ["CREATE VIRTUAL TABLE runs_runwords USING fts5(words, detail=none, columnsize=0, tokenize='ascii')"],
    "postgresql": [
        "CREATE TABLE runs_runwords (rowid bigint PRIMARY KEY, words tsvector NOT NULL)",
        "CREATE INDEX run_words ON runs_runwords USING gin (words) WITH (fastupdate = off)",
    ],
}
# History reads rare kinds, states and verdicts from these indexes, and which apps have runs that aren't completed.
# SQLite doesn't use a partial index for a condition with parameters, so it uses the indexes that cover all facets.
KEPT, SHARED = "deleted_at IS NULL", "shared_at IS NOT NULL AND deleted_at IS NULL"
NEWEST = "created_at DESC, id DESC"
KINDS = ("image", "video", "audio", "text")
VERDICTS = ("approved", "changes", "rejected")
RARE_RUNS = {
    "run_mine_state": f"(member_id, status, {NEWEST}) WHERE {KEPT} AND status <> 'completed'",
    "run_team_state": f"(status, {NEWEST}) WHERE {SHARED} AND status <> 'completed'",
    "run_app_state": f"(app_id, status, {NEWEST}, member_id, shared_at) WHERE {KEPT} AND status <> 'completed'",
    "run_partly": f"({NEWEST}) WHERE {KEPT} AND status = 'completed' AND outputs_failed > 0",
    **{f"run_mine_{kind}": f"(member_id, {NEWEST}) WHERE {KEPT} AND kinds::text LIKE '% {kind} %'" for kind in KINDS},
    **{f"run_team_{kind}": f"({NEWEST}) WHERE {SHARED} AND kinds::text LIKE '% {kind} %'" for kind in KINDS},
    **{f"run_{verdict}": f"({NEWEST}) WHERE {KEPT} AND verdicts::text LIKE '% {verdict} %'" for verdict in VERDICTS},
}


def create_search_index(apps, schema_editor):
    for command in RUN_WORDS[schema_editor.connection.vendor]:
        schema_editor.execute(command)


def drop_search_index(apps, schema_editor):
    schema_editor.execute("DROP TABLE runs_runwords")


def index_rare_runs(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name, definition in RARE_RUNS.items():
            # No parameters (None), because the LIKE patterns contain %
            schema_editor.execute(f"CREATE INDEX {name} ON runs_run {definition}", None)


REPLACED = (
    "0001_initial",
    "0002_addresses_of_results",
    "0003_sharing_and_keeping",
    "0004_fold_search_texts",
    "0005_find_in_indexes",
    "0006_work_seconds",
    "0007_addresses_of_people",
    "0008_addresses_of_people_unique",
    "0009_clock_steady_since",
    "0010_fold_app_texts",
    "0011_ended_at",
    "0012_find_in_indexes_alone",
    "0013_keeping_rules",
    "0014_rung_at",
    "0015_fold_names_and_labels",
    "0016_apps_never_proved_gone",
    "0017_app_search",
    "0018_pictures_that_follow",
    "0019_guest_copies",
    "0020_known_address",
    "0021_made_by",
    "0022_names_of_the_field",
    "0023_member_language",
    "0024_messages_by_code",
    "0025_examples",
    "0026_news_of_runs",
    "0027_shared_lately",
    "0028_member_time_zone",
    "0029_search_words",
    "0030_selections",
    "0031_dropped_drafts",
    "0032_fill_search_words",
    "0033_find_makers_and_forget_words",
    "0034_closed_forms",
    "0035_review",
    "0036_content_hashes",
    "0037_mentions",
    "0038_reviews_in_history",
    "0039_notices",
    "0040_results_of_notices",
    "0041_chat_apps_and_language",
    "0042_carried_comments",
    "0043_decisions_of_guests",
    "0044_news_as_notices",
    "0045_charges",
    "0046_charge_existing",
    "0047_entries",
    "0048_app_rules",
    "0049_app_changes",
    "0050_keeping",
    "0051_spending_alerts",
    "0052_comment_notices",
    "0053_streams",
    "0054_hidden_pictures",
    "0055_samples_that_change",
    "0056_transfers_in_slices",
    "0057_usual_ends",
    "0058_few_among_many",
    "0059_rare_facets",
    "0060_labels_of_results",
    "0066_company_name",
    "0067_run_counts",
    "0068_upload_used_at",
    "0069_company_logo",
    "0070_guest_emails",
    "0071_apps_with_failed_runs",
    "0072_copy_sounds_again",
    "0073_request_window",
    "0074_runs_of_a_person",
    "0075_results_not_made",
    "0076_starred_apps",
    "0077_hash_session_keys",
    "0078_client_says",
    "0079_guests",
    "0080_fill_guests",
    "0081_guests_required",
    "0082_guest_sheet",
    "0083_selections_of_browsers",
    "0084_guest_copy_failures",
    "0085_replaced_in_links",
    "0086_forms_of_drafts",
    "0087_files_of_lists",
    "0088_member_seen_at",
    "0089_descriptions",
    "0090_first_release",
)


class Migration(migrations.Migration):
    replaces = [("runs", name) for name in REPLACED]
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="Member",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "public_id",
                    models.CharField(default=runs.models.ids.new_public_id, editable=False, max_length=16, unique=True),
                ),
                ("email", models.EmailField(max_length=254, unique=True, verbose_name="email address")),
                ("name", models.CharField(blank=True, default="", max_length=150)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("viewer", "Viewer"),
                            ("maker", "Maker"),
                            ("approver", "Approver"),
                            ("admin", "Admin"),
                        ],
                        default="maker",
                        max_length=10,
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                ("joined_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("deactivated_at", models.DateTimeField(blank=True, null=True)),
                ("seen_at", models.DateTimeField(blank=True, null=True)),
                (
                    "gives_to",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("has_shortcuts", models.BooleanField(default=True)),
                ("language", models.CharField(blank=True, default="", max_length=10)),
                ("browser_language", models.CharField(blank=True, default="", max_length=10)),
                ("time_zone", models.CharField(blank=True, default="", max_length=64)),
                ("browser_time_zone", models.CharField(blank=True, default="", max_length=64)),
                (
                    "theme",
                    models.CharField(
                        blank=True,
                        choices=[("", "Same as device"), ("light", "Light"), ("dark", "Dark")],
                        default="",
                        max_length=5,
                    ),
                ),
                ("news_at", models.DateTimeField(blank=True, null=True)),
                ("unread", models.PositiveIntegerField(db_default=0, default=0)),
                ("mail_hour", models.PositiveSmallIntegerField(db_default=8, default=8)),
                ("bounces", models.PositiveSmallIntegerField(db_default=0, default=0)),
                ("mail_dead_at", models.DateTimeField(blank=True, null=True)),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("email"), name="member_email_unique_any_case"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ThrottleHit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=64)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "db_table": "runs_signinattempt",
                "indexes": [models.Index(fields=["key", "at"], name="sign_in_attempt_recent")],
            },
        ),
        migrations.CreateModel(
            name="KnownAddress",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=64, unique=True)),
                ("at", models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name="StoredFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "public_id",
                    models.CharField(default=runs.models.ids.new_public_id, editable=False, max_length=16, unique=True),
                ),
                ("file", models.FileField(max_length=200, upload_to="")),
                ("name", models.CharField(max_length=200)),
                (
                    "kind",
                    models.CharField(
                        choices=[("image", "Image"), ("video", "Video"), ("audio", "Audio"), ("other", "Other")],
                        max_length=5,
                    ),
                ),
                ("media_type", models.CharField(max_length=100)),
                ("size_bytes", models.PositiveBigIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                ("width", models.PositiveIntegerField(blank=True, null=True)),
                ("height", models.PositiveIntegerField(blank=True, null=True)),
                ("duration_seconds", models.FloatField(blank=True, null=True)),
                ("colour", models.CharField(blank=True, default="", max_length=7)),
                ("thumb_200", models.FileField(blank=True, default="", max_length=200, upload_to="")),
                ("thumb_400", models.FileField(blank=True, default="", max_length=200, upload_to="")),
                ("thumb_1200", models.FileField(blank=True, default="", max_length=200, upload_to="")),
                ("is_catalog", models.BooleanField(default=False)),
                ("picture_due_at", models.DateTimeField(blank=True, null=True)),
                ("picture_attempts", models.PositiveSmallIntegerField(default=0)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("picture_due_at__isnull", False)),
                        fields=["picture_due_at"],
                        name="file_picture_due",
                    ),
                    models.Index(fields=["sha256"], name="file_content"),
                    models.Index(
                        condition=models.Q(("is_catalog", True)), fields=["created_at"], name="file_of_catalogue"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Upload",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "public_id",
                    models.CharField(default=runs.models.ids.new_public_id, editable=False, max_length=16, unique=True),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="uploads", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="uploads",
                        to="runs.storedfile",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("fetching", "Fetching"),
                            ("ready", "Ready"),
                            ("failed", "Failed"),
                            ("removed", "Removed"),
                        ],
                        max_length=8,
                    ),
                ),
                ("source_url", models.TextField(blank=True, default="")),
                ("accept", models.JSONField(default=list)),
                ("name", models.CharField(max_length=200)),
                ("search_text", models.TextField(blank=True, default="")),
                ("error", models.CharField(blank=True, default="", max_length=300)),
                ("asset_url", models.TextField(blank=True, default="")),
                ("is_hidden", models.BooleanField(db_default=False, default=False)),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("used_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "fetching")), fields=["claimed_until"], name="upload_fetching"
                    ),
                    models.Index(
                        condition=models.Q(("status", "ready")),
                        fields=["member", "-used_at", "-id"],
                        name="upload_latest",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "ready"), _negated=True), ("file__isnull", False), _connector="OR"
                        ),
                        name="upload_ready_has_file",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AppSearch",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("words", models.CharField(max_length=200)),
                ("asked_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("pictured_at", models.DateTimeField(blank=True, null=True)),
                ("finds", models.JSONField(default=list)),
                ("problem", models.CharField(blank=True, default="", max_length=20)),
                ("retry_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name_plural": "app searches",
            },
        ),
        migrations.CreateModel(
            name="GuestCopy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "source",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="guest_copy", to="runs.storedfile"
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="runs.storedfile",
                    ),
                ),
                ("sha256", models.CharField(db_index=True, max_length=64)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("preparing", "Preparing"),
                            ("ready", "Ready"),
                            ("impossible", "Can't be made"),
                            ("no-tool", "ffmpeg is missing"),
                        ],
                        default="preparing",
                        max_length=10,
                    ),
                ),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("failures", models.PositiveSmallIntegerField(db_default=0, default=0)),
                ("due_at", models.DateTimeField(blank=True, default=django.utils.timezone.now, null=True)),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
                ("error", models.CharField(blank=True, default="", max_length=300)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("status", "preparing")), fields=["due_at"], name="guest_copy_due")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "ready"), _negated=True), ("file__isnull", False), _connector="OR"
                        ),
                        name="guest_copy_ready_has_file",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SharingRules",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("guests_allowed", models.BooleanField(default=True)),
                ("longest_days", models.PositiveSmallIntegerField(default=90)),
                ("needs_passphrase", models.BooleanField(default=False)),
                (
                    "link_makers",
                    models.CharField(
                        choices=[("maker", "Makers, approvers and admins"), ("approver", "Approvers and admins")],
                        default="maker",
                        max_length=10,
                    ),
                ),
                ("company", models.CharField(blank=True, db_default="", default="", max_length=60)),
                (
                    "logo",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="runs.storedfile",
                    ),
                ),
                ("team_by_default", models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name="Lease",
            fields=[
                ("name", models.CharField(max_length=50, primary_key=True, serialize=False)),
                ("holder", models.CharField(blank=True, default="", max_length=64)),
                ("until", models.DateTimeField()),
                ("kicked_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("name", models.CharField(max_length=120, primary_key=True, serialize=False)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name="RequestWindow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("stamps", models.JSONField(default=list)),
                ("closed_until", models.FloatField(default=0.0)),
            ],
            options={
                "db_table": "runs_requestlog",
            },
        ),
        migrations.CreateModel(
            name="LaminaStatus",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("reachable_since", models.DateTimeField(blank=True, null=True)),
                ("clock_ahead_seconds", models.FloatField(default=0.0)),
                ("clock_steady_since", models.DateTimeField(blank=True, null=True)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("away_since", models.DateTimeField(blank=True, null=True)),
                ("key_refused_at", models.DateTimeField(blank=True, null=True)),
                ("is_sandbox", models.BooleanField(default=False)),
                ("workspace_name", models.TextField(blank=True, default="")),
                ("balance", models.DecimalField(blank=True, decimal_places=2, max_digits=14, null=True)),
                ("balance_at", models.DateTimeField(blank=True, null=True)),
                ("spent", models.DecimalField(blank=True, decimal_places=2, max_digits=14, null=True)),
                ("balance_asked_at", models.DateTimeField(blank=True, null=True)),
                ("spent_since", models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=14)),
                ("catalog_at", models.DateTimeField(blank=True, null=True)),
                ("catalog_asked_at", models.DateTimeField(blank=True, null=True)),
                ("catalog_limit", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("catalog_limit_until", models.DateTimeField(blank=True, null=True)),
                ("catalog_count", models.PositiveIntegerField(default=0)),
                ("catalog_problem", models.CharField(blank=True, default="", max_length=20)),
                ("catalog_problem_at", models.DateTimeField(blank=True, null=True)),
                ("catalog_quote", models.CharField(blank=True, default="", max_length=300)),
                ("app_asked_at", models.DateTimeField(blank=True, null=True)),
                ("signing_keys", models.JSONField(default=list)),
                ("signing_keys_at", models.DateTimeField(blank=True, null=True)),
                ("signing_keys_asked_at", models.DateTimeField(blank=True, null=True)),
                ("delivered_at", models.DateTimeField(blank=True, null=True)),
                ("stream_failures", models.PositiveSmallIntegerField(db_default=0, default=0)),
                ("streams_refused_at", models.DateTimeField(blank=True, null=True)),
                ("streams_refusal", models.CharField(blank=True, db_default="", default="", max_length=20)),
            ],
            options={
                "verbose_name_plural": "Lamina status",
            },
        ),
        migrations.CreateModel(
            name="Incident",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("kind", models.CharField(max_length=30)),
                ("text", models.CharField(max_length=300)),
                ("request_id", models.CharField(blank=True, default="", max_length=100)),
            ],
            options={
                "ordering": ("-at",),
                "indexes": [models.Index(fields=["-at"], name="incident_newest")],
            },
        ),
        migrations.CreateModel(
            name="ReviewRules",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "deciders",
                    models.CharField(
                        choices=[("approver", "Approvers and admins"), ("maker", "Makers, approvers and admins")],
                        default="approver",
                        max_length=10,
                    ),
                ),
                ("four_eyes", models.BooleanField(default=False)),
                ("needs_reason", models.BooleanField(default=True)),
                ("only_deciders_links", models.BooleanField(db_default=False, default=False)),
            ],
        ),
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "public_id",
                    models.CharField(default=runs.models.ids.new_public_id, editable=False, max_length=16, unique=True),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("actor_id", models.BigIntegerField(blank=True, null=True)),
                ("actor_name", models.CharField(blank=True, default="", max_length=200)),
                (
                    "way",
                    models.CharField(
                        choices=[
                            ("page", "On a page"),
                            ("guest", "Through a guest link"),
                            ("worker", "By the portal itself"),
                            ("command", "By a command"),
                        ],
                        max_length=7,
                    ),
                ),
                ("verb", models.CharField(max_length=40)),
                ("object_kind", models.CharField(blank=True, default="", max_length=20)),
                ("object_id", models.CharField(blank=True, default="", max_length=40)),
                ("object_label", models.CharField(blank=True, default="", max_length=200)),
                ("changes", models.JSONField(default=dict)),
                ("request_id", models.CharField(blank=True, default="", max_length=40)),
            ],
            options={
                "ordering": ("-at", "-pk"),
                "indexes": [
                    models.Index(
                        models.OrderBy(models.F("at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="entry_latest",
                    ),
                    models.Index(
                        models.F("actor_id"),
                        models.OrderBy(models.F("at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="entry_of_person",
                    ),
                    models.Index(
                        models.F("verb"),
                        models.OrderBy(models.F("at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="entry_of_verb",
                    ),
                    models.Index(
                        models.F("actor_id"),
                        models.F("verb"),
                        models.OrderBy(models.F("at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="entry_of_person_and_verb",
                    ),
                    models.Index(
                        models.F("way"),
                        models.OrderBy(models.F("at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="entry_of_way",
                    ),
                    models.Index(
                        models.F("way"),
                        models.F("verb"),
                        models.OrderBy(models.F("at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="entry_of_way_and_verb",
                    ),
                    models.Index(
                        models.F("object_kind"),
                        models.F("object_id"),
                        models.OrderBy(models.F("at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="entry_of_object",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="EntryOrigin",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("entry_id", models.BigIntegerField(unique=True)),
                ("network", models.CharField(max_length=50)),
                ("at", models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "public_id",
                    models.CharField(default=runs.models.ids.new_public_id, editable=False, max_length=16, unique=True),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="saved_views",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("query", models.TextField(blank=True, default="")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "ordering": ("name",),
                "constraints": [models.UniqueConstraint(fields=("member", "name"), name="saved_view_name_unique")],
            },
        ),
        migrations.CreateModel(
            name="NoticeChoice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notice_choices",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("mention", "Someone mentions you"),
                            ("reply", "Someone replies to you"),
                            ("comment", "Someone comments on your run"),
                            ("asked", "You're asked for a decision"),
                            ("decided", "Someone decides on your result"),
                            ("set-aside", "Someone sets your decision aside"),
                            ("guest", "A guest answers or comments"),
                            ("ready", "Your run is ready"),
                            ("failed", "Your run fails"),
                            ("limit", "You've used most or all of your spending limit"),
                            ("portal", "The portal needs an admin's attention"),
                        ],
                        max_length=9,
                    ),
                ),
                (
                    "way",
                    models.CharField(
                        choices=[("off", "No email"), ("once", "Immediately"), ("daily", "Once a day")], max_length=5
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("member", "kind"), name="notice_choice_unique")],
            },
        ),
        migrations.CreateModel(
            name="Invite",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "public_id",
                    models.CharField(default=runs.models.ids.new_public_id, editable=False, max_length=16, unique=True),
                ),
                ("nonce", models.CharField(max_length=43)),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                ("email", models.EmailField(blank=True, default="", max_length=254)),
                ("name", models.CharField(blank=True, default="", max_length=150)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("viewer", "Viewer"),
                            ("maker", "Maker"),
                            ("approver", "Approver"),
                            ("admin", "Admin"),
                        ],
                        default="maker",
                        max_length=10,
                    ),
                ),
                (
                    "invited_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="invites", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("expires_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(blank=True, null=True)),
                (
                    "accepted_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ("-created_at",),
            },
        ),
        migrations.CreateModel(
            name="BrowserSession",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "public_id",
                    models.CharField(default=runs.models.ids.new_public_id, editable=False, max_length=16, unique=True),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="signed_in",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("session_key", models.CharField(max_length=40, unique=True)),
                ("browser", models.CharField(blank=True, default="", max_length=100)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("seen_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "db_table": "runs_signedin",
                "ordering": ("-seen_at",),
            },
        ),
        migrations.CreateModel(
            name="RetentionRules",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("ready_days", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("failed_days", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("rejected_days", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("uploads_days", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("record_days", models.PositiveSmallIntegerField(blank=True, default=730, null=True)),
            ],
            options={
                "db_table": "runs_keepingrules",
            },
        ),
        migrations.CreateModel(
            name="StorageUse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "use",
                    models.CharField(
                        choices=[
                            ("results", "Results"),
                            ("uploads", "Uploads"),
                            ("bin", "In the bin"),
                            ("copies", "Copies for guests"),
                            ("apps", "App pictures"),
                            ("unused", "No longer used"),
                        ],
                        max_length=7,
                    ),
                ),
                ("media", models.CharField(max_length=5)),
                ("files", models.PositiveBigIntegerField(default=0)),
                ("size_bytes", models.PositiveBigIntegerField(default=0)),
                ("counted_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name="RunCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("status", models.CharField(max_length=10)),
                ("is_binned", models.BooleanField()),
                ("runs", models.PositiveBigIntegerField()),
                ("oldest", models.DateTimeField()),
                ("counted_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name="KnownWord",
            fields=[
                ("word", models.CharField(max_length=40, primary_key=True, serialize=False)),
            ],
        ),
        migrations.CreateModel(
            name="WordTrigram",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("trigram", models.CharField(max_length=3)),
                ("length", models.PositiveSmallIntegerField()),
                (
                    "word",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="trigrams",
                        to="runs.knownword",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("trigram", "length", "word"), name="word_trigram_unique")
                ],
            },
        ),
        migrations.CreateModel(
            name="MonthTotal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("month", models.DateField()),
                ("used", models.BigIntegerField(default=0)),
                ("told", models.PositiveSmallIntegerField(db_default=0, default=0)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("member", "month"), name="month_total_of_member"),
                    models.UniqueConstraint(
                        condition=models.Q(("member", None)), fields=("month",), name="month_total_of_portal"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SpendingLimits",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("default_hundredths", models.PositiveBigIntegerField(blank=True, null=True)),
                ("portal_hundredths", models.PositiveBigIntegerField(blank=True, null=True)),
                ("allows_unknown", models.BooleanField(default=True)),
                ("day_hundredths", models.PositiveBigIntegerField(blank=True, null=True)),
                ("left_credits", models.PositiveBigIntegerField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("pk", 1)), name="spending_limits_single_row")
                ],
            },
        ),
        migrations.CreateModel(
            name="MemberLimit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="spending_limit",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("hundredths", models.PositiveBigIntegerField(blank=True, null=True)),
                ("is_unlimited", models.BooleanField(default=False)),
                ("raised_to", models.PositiveBigIntegerField(blank=True, null=True)),
                ("raised_until", models.DateField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="AccountReading",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_index=True)),
                ("spent", models.BigIntegerField()),
                ("charged", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="App",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "public_id",
                    models.CharField(default=runs.models.ids.new_public_id, editable=False, max_length=16, unique=True),
                ),
                ("remote_id", models.CharField(max_length=200, unique=True)),
                ("name", models.TextField()),
                ("description", models.TextField(blank=True, default="")),
                ("remote_name", models.TextField(blank=True, db_default="", default="")),
                ("remote_description", models.TextField(blank=True, db_default="", default="")),
                ("makes", models.JSONField(default=dict)),
                ("makes_text", models.CharField(blank=True, default=" ", max_length=200)),
                ("search_text", models.TextField(blank=True, default="")),
                ("position", models.PositiveIntegerField(default=0)),
                ("thumbnail_url", models.TextField(blank=True, default="")),
                (
                    "thumbnail",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="runs.storedfile",
                    ),
                ),
                ("samples", models.JSONField(default=dict)),
                ("unknown_fields", models.JSONField(default=list)),
                ("form_problem", models.CharField(blank=True, default="", max_length=200)),
                ("schema_fetched_at", models.DateTimeField(blank=True, null=True)),
                ("schema_asked_at", models.DateTimeField(blank=True, null=True)),
                ("credits_expected", models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True)),
                ("credits_min", models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True)),
                ("credits_max", models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True)),
                ("estimated_at", models.DateTimeField(blank=True, null=True)),
                ("price", models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True)),
                ("quick_seconds", models.FloatField(blank=True, null=True)),
                ("usual_seconds", models.FloatField(blank=True, null=True)),
                ("slow_seconds", models.FloatField(blank=True, null=True)),
                ("late_seconds", models.FloatField(blank=True, null=True)),
                ("is_listed", models.BooleanField(default=True)),
                ("listed_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("starred_at", models.DateTimeField(blank=True, null=True)),
                (
                    "starred_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="starred_apps",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("asks_review", models.BooleanField(db_default=False, default=False)),
                ("pictures_tried_at", models.DateTimeField(blank=True, null=True)),
                ("gone_at", models.DateTimeField(blank=True, null=True)),
                ("forbidden_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ("position", "name"),
                "indexes": [
                    models.Index(condition=models.Q(("gone_at", None)), fields=["position", "name"], name="app_listed"),
                    models.Index(
                        models.OrderBy(models.F("starred_at"), descending=True),
                        condition=models.Q(("starred_at__isnull", False)),
                        name="app_starred",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AppSchema",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "app",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="schemas", to="runs.app"
                    ),
                ),
                ("version", models.CharField(max_length=16)),
                ("parameters", models.JSONField(default=list)),
                ("outputs", models.JSONField(default=list)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("app", "version"), name="app_schema_version_unique")],
            },
        ),
        migrations.CreateModel(
            name="AppChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "app",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="changes", to="runs.app"
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("added", "New field"),
                            ("gone", "Field removed"),
                            ("renamed", "Field renamed"),
                            ("retyped", "Field type changed"),
                            ("needed", "Default removed"),
                            ("options_added", "New options"),
                            ("options_gone", "Options removed"),
                            ("sample", "Sample changed"),
                        ],
                        max_length=13,
                    ),
                ),
                ("field", models.CharField(max_length=300)),
                ("detail", models.JSONField(default=dict)),
            ],
            options={
                "ordering": ("-at", "pk"),
                "indexes": [models.Index(fields=["app", "-at"], name="app_change_of_app")],
            },
        ),
        migrations.CreateModel(
            name="AppRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "app",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="rule", to="runs.app"
                    ),
                ),
                ("is_hidden", models.BooleanField(default=False)),
                ("shown_to", models.CharField(blank=True, default="", max_length=100)),
                ("name", models.CharField(blank=True, default="", max_length=200)),
                ("line", models.CharField(blank=True, default="", max_length=500)),
                ("group", models.CharField(blank=True, default="", max_length=80)),
                ("position", models.PositiveIntegerField(blank=True, null=True)),
                ("house_rules", models.TextField(blank=True, default="", max_length=5000)),
                ("pause", models.CharField(blank=True, default="", max_length=400)),
                ("paused_at", models.DateTimeField(blank=True, null=True)),
                ("hiding_due_at", models.DateTimeField(blank=True, null=True)),
                ("version", models.PositiveIntegerField(default=0)),
                ("changed_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "changed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("pause", ""), ("paused_at", None)),
                            models.Q(("paused_at", None), _negated=True),
                            _connector="OR",
                        ),
                        name="app_rule_pause",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="FieldRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "app",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="field_rules", to="runs.app"
                    ),
                ),
                ("key", models.TextField(blank=True, default="")),
                ("parameter_id", models.TextField(blank=True, default="")),
                ("name", models.TextField(blank=True, default="")),
                ("type", models.CharField(blank=True, default="", max_length=50)),
                ("label", models.CharField(blank=True, default="", max_length=200)),
                ("help", models.TextField(blank=True, default="", max_length=1000)),
                (
                    "mode",
                    models.CharField(
                        choices=[("open", "Open"), ("locked", "Locked"), ("hidden", "Hidden")],
                        default="open",
                        max_length=6,
                    ),
                ),
                ("value", models.JSONField(blank=True, default=None, null=True)),
                (
                    "file",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="field_rules",
                        to="runs.storedfile",
                    ),
                ),
                ("options", models.JSONField(blank=True, default=list)),
            ],
            options={
                "ordering": ("pk",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["open", "locked", "hidden"])), name="field_rule_mode_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("mode", "open"), _negated=True),
                            models.Q(("file", None), ("value__isnull", True)),
                            _connector="OR",
                        ),
                        name="field_rule_open_has_no_value",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Draft",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="drafts", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "app",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="drafts", to="runs.app"
                    ),
                ),
                ("answers", models.JSONField(default=list)),
                ("wanted_outputs", models.JSONField(default=None, null=True)),
                ("source", models.CharField(blank=True, default="", max_length=16)),
                ("is_dropped", models.BooleanField(db_default=False, default=False)),
                ("closed_forms", models.TextField(blank=True, db_default="", default="")),
                ("form", models.CharField(blank=True, db_default="", default="", max_length=16)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("member", "app", "is_dropped"), name="draft_unique")],
            },
        ),
        migrations.CreateModel(
            name="Preset",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "public_id",
                    models.CharField(default=runs.models.ids.new_public_id, editable=False, max_length=16, unique=True),
                ),
                (
                    "app",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="presets", to="runs.app"
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="presets", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("is_team", models.BooleanField(default=False)),
                ("answers", models.JSONField(default=list)),
                ("wanted_outputs", models.JSONField(default=None, null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("is_example", models.BooleanField(db_default=False, default=False, editable=False)),
                ("is_set_aside", models.BooleanField(db_default=False, default=False)),
                ("form", models.CharField(blank=True, db_default="", default="", max_length=16)),
                ("uploads", models.ManyToManyField(related_name="presets", to="runs.upload")),
            ],
            options={
                "ordering": ("name",),
                "constraints": [models.UniqueConstraint(fields=("app", "member", "name"), name="preset_name_unique")],
            },
        ),
        migrations.CreateModel(
            name="Run",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="runs", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("shared_at", models.DateTimeField(blank=True, null=True)),
                ("deleted_at", models.DateTimeField(blank=True, null=True)),
                ("brought_back_at", models.DateTimeField(blank=True, null=True)),
                (
                    "deleted_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("held_at", models.DateTimeField(blank=True, null=True)),
                (
                    "held_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "public_id",
                    models.CharField(default=runs.models.ids.new_public_id, editable=False, max_length=16, unique=True),
                ),
                (
                    "app",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="runs", to="runs.app"),
                ),
                (
                    "schema",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="runs", to="runs.appschema"
                    ),
                ),
                ("app_name", models.TextField()),
                ("title", models.CharField(blank=True, default="", max_length=200)),
                ("search_text", models.TextField(blank=True, default="")),
                ("summary", models.JSONField(default=list)),
                (
                    "input_picture",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="runs.storedfile",
                    ),
                ),
                ("form_token", models.CharField(max_length=100)),
                ("wanted_outputs", models.JSONField(default=list)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("starting", "Starting"),
                            ("checking", "Checking"),
                            ("queued", "In progress"),
                            ("running", "In progress"),
                            ("completed", "Ready"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="starting",
                        max_length=10,
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "wait",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", ""),
                            ("lamina", "Lamina cannot be reached"),
                            ("budget", "the shared request budget is used up"),
                            ("rate", "Lamina asked us to wait"),
                            ("files", "its files are being handed over"),
                            ("app", "another start of the same app comes first"),
                        ],
                        default="",
                        max_length=7,
                    ),
                ),
                ("due_at", models.DateTimeField(blank=True, default=django.utils.timezone.now, null=True)),
                ("rung_at", models.DateTimeField(blank=True, null=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("remote_id", models.CharField(blank=True, default="", max_length=200)),
                ("remote_status", models.CharField(blank=True, default="", max_length=50)),
                ("seen_at", models.DateTimeField(blank=True, null=True)),
                ("asked_at", models.DateTimeField(blank=True, null=True)),
                ("opened_at", models.DateTimeField(blank=True, null=True)),
                ("missing_reads", models.PositiveSmallIntegerField(default=0)),
                ("empty_looks", models.PositiveSmallIntegerField(default=0)),
                ("candidates", models.JSONField(default=list)),
                ("hook_token", models.CharField(default=runs.models.ids.new_secret, max_length=43, unique=True)),
                ("cancel_asked_at", models.DateTimeField(blank=True, null=True)),
                ("cancel_sent_at", models.DateTimeField(blank=True, null=True)),
                ("cancel_answer", models.CharField(blank=True, default="", max_length=50)),
                (
                    "cancelled_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("outputs_total", models.PositiveIntegerField(default=0)),
                ("outputs_ready", models.PositiveIntegerField(default=0)),
                ("outputs_failed", models.PositiveIntegerField(default=0)),
                ("failure", models.CharField(blank=True, default="", max_length=30)),
                ("failure_text", models.TextField(blank=True, default="")),
                ("field_errors", models.JSONField(default=list)),
                ("request_id", models.CharField(blank=True, default="", max_length=100)),
                ("credits_estimated", models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("running_at", models.DateTimeField(blank=True, null=True)),
                ("work_seconds", models.FloatField(blank=True, null=True)),
                ("kinds", models.CharField(blank=True, default=" ", max_length=200)),
                ("verdicts", models.CharField(blank=True, db_default=" ", default=" ", max_length=40)),
                ("outputs_approved", models.PositiveIntegerField(db_default=0, default=0)),
                ("outputs_changes", models.PositiveIntegerField(db_default=0, default=0)),
                ("outputs_rejected", models.PositiveIntegerField(db_default=0, default=0)),
                ("comments_total", models.PositiveIntegerField(db_default=0, default=0)),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="children",
                        to="runs.run",
                    ),
                ),
                (
                    "preset",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="runs.preset",
                    ),
                ),
                ("starred_at", models.DateTimeField(blank=True, null=True)),
                (
                    "starred_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("has_star", models.BooleanField(default=False)),
                ("is_example", models.BooleanField(db_default=False, default=False, editable=False)),
            ],
            options={
                "indexes": [
                    models.Index(models.F("created_at"), condition=models.Q(("is_example", True)), name="run_examples"),
                    models.Index(
                        models.F("member"),
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        models.F("app"),
                        models.F("status"),
                        models.F("outputs_failed"),
                        models.F("kinds"),
                        models.F("verdicts"),
                        models.F("shared_at"),
                        models.F("deleted_at"),
                        condition=models.Q(("deleted_at", None)),
                        name="run_find_mine",
                    ),
                    models.Index(
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        models.F("member"),
                        models.F("app"),
                        models.F("status"),
                        models.F("outputs_failed"),
                        models.F("kinds"),
                        models.F("verdicts"),
                        models.F("shared_at"),
                        models.F("deleted_at"),
                        condition=models.Q(("deleted_at", None), ("shared_at__isnull", False)),
                        name="run_find_team",
                    ),
                    models.Index(
                        models.F("app"),
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        models.F("member"),
                        models.F("status"),
                        models.F("outputs_failed"),
                        models.F("kinds"),
                        models.F("verdicts"),
                        models.F("shared_at"),
                        models.F("deleted_at"),
                        condition=models.Q(("deleted_at", None)),
                        name="run_find_app",
                    ),
                    models.Index(
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("deleted_at", None), ("has_star", True)),
                        name="run_history_starred",
                    ),
                    models.Index(
                        models.F("member"),
                        models.F("app"),
                        models.OrderBy(models.F("created_at"), descending=True),
                        name="run_history_app",
                    ),
                    models.Index(
                        condition=models.Q(("made_by", models.F("member")), _negated=True),
                        fields=["made_by"],
                        name="run_made_for",
                    ),
                    models.Index(
                        condition=models.Q(("deleted_at__isnull", False)), fields=["deleted_at"], name="run_bin"
                    ),
                    models.Index(
                        models.F("member"),
                        models.OrderBy(models.F("deleted_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("deleted_at__isnull", False)),
                        name="run_bin_of",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("deleted_at", None), ("finished_at__isnull", False), ("has_star", False), ("held_at", None)
                        ),
                        fields=["finished_at", "status"],
                        name="run_overdue",
                    ),
                    models.Index(
                        condition=models.Q(("held_at__isnull", False)), fields=["held_at"], name="run_on_hold"
                    ),
                    models.Index(
                        condition=models.Q(("status__in", ("starting", "checking"))), fields=["due_at"], name="run_due"
                    ),
                    models.Index(
                        models.OrderBy(models.F("shared_at"), descending=True),
                        models.F("member"),
                        condition=models.Q(("deleted_at", None), ("shared_at__isnull", False)),
                        name="run_shared_lately",
                    ),
                    models.Index(
                        condition=models.Q(("status__in", ("starting", "checking", "queued", "running"))),
                        fields=["status", "member", "created_at"],
                        name="run_active",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("member", "form_token"), name="run_form_token_unique"),
                    models.UniqueConstraint(
                        condition=models.Q(("remote_id", ""), _negated=True),
                        fields=("remote_id",),
                        name="run_remote_id_unique",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("finished_at", None), ("status__in", ("starting", "checking", "queued", "running"))
                            ),
                            models.Q(
                                ("finished_at__isnull", False), ("status__in", ("completed", "failed", "cancelled"))
                            ),
                            _connector="OR",
                        ),
                        name="run_finished_at_matches_status",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status__in", ("queued", "running")), _negated=True),
                            models.Q(("remote_id", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="run_at_lamina_has_remote_id",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("held_at", None), ("deleted_at", None), _connector="OR"),
                        name="run_on_hold_not_in_bin",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Output",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "public_id",
                    models.CharField(default=runs.models.ids.new_public_id, editable=False, max_length=16, unique=True),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="outputs", to="runs.run"
                    ),
                ),
                ("position", models.PositiveIntegerField()),
                ("remote_id", models.CharField(blank=True, default="", max_length=200)),
                ("list_number", models.PositiveIntegerField(db_default=1, default=1)),
                ("label", models.TextField(blank=True, default="")),
                ("search_text", models.TextField(blank=True, default="")),
                ("kind", models.CharField(max_length=50)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Waiting"),
                            ("completed", "Ready"),
                            ("error", "Failed"),
                            ("cancelled", "Not made"),
                        ],
                        default="pending",
                        max_length=9,
                    ),
                ),
                ("changed_in", models.PositiveIntegerField(db_column="version", default=1)),
                ("text", models.TextField(blank=True, default="")),
                ("description", models.TextField(blank=True, db_default="", default="")),
                ("error", models.TextField(blank=True, default="")),
                ("box_width", models.PositiveIntegerField(default=1)),
                ("box_height", models.PositiveIntegerField(default=1)),
                ("raw_value", models.JSONField(default=None, null=True)),
                ("starred_at", models.DateTimeField(blank=True, null=True)),
                (
                    "starred_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("schema_index", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "line",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="later_versions",
                        to="runs.output",
                    ),
                ),
                ("number", models.PositiveIntegerField(db_default=1, default=1)),
                ("content_hash", models.CharField(blank=True, db_default="", default="", max_length=64)),
                ("verdict", models.CharField(blank=True, db_default="", default="", max_length=8)),
                ("decided_in", models.PositiveIntegerField(db_default=0, default=0)),
                ("comments_total", models.PositiveIntegerField(db_default=0, default=0)),
                ("removal_at", models.DateTimeField(blank=True, null=True)),
                ("kept_at", models.DateTimeField(blank=True, null=True)),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ("position",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("removal_at", None), ("removed_at", None), ("verdict", "rejected")),
                        fields=["run"],
                        name="output_rejected",
                    ),
                    models.Index(
                        condition=models.Q(("removal_at__isnull", False)), fields=["removal_at"], name="output_removal"
                    ),
                    models.Index(django.db.models.functions.text.Substr("search_text", 1, 80), name="output_label"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("run", "position"), name="output_position_unique"),
                    models.UniqueConstraint(
                        condition=models.Q(("remote_id", ""), _negated=True),
                        fields=("run", "remote_id", "list_number"),
                        name="output_remote_id_unique",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("line__isnull", False)),
                        fields=("line", "number"),
                        name="output_line_number_unique",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OutputFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "output",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="files", to="runs.output"
                    ),
                ),
                ("position", models.PositiveIntegerField(default=0)),
                ("source_url", models.TextField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("saving", "Saving"),
                            ("saved", "Saved"),
                            ("failed", "Could not be saved"),
                            ("gone", "Removed"),
                        ],
                        default="saving",
                        max_length=6,
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="results",
                        to="runs.storedfile",
                    ),
                ),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("due_at", models.DateTimeField(blank=True, default=django.utils.timezone.now, null=True)),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
                ("error", models.CharField(blank=True, default="", max_length=300)),
                ("is_refused", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "ordering": ("position",),
                "indexes": [
                    models.Index(condition=models.Q(("status", "saving")), fields=["due_at"], name="output_file_due"),
                    models.Index(
                        condition=models.Q(("status", "failed")), fields=["created_at"], name="output_file_failed"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("output", "position"), name="output_file_position_unique"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "saved"), _negated=True), ("file__isnull", False), _connector="OR"
                        ),
                        name="output_file_saved_has_file",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MailWhenReady",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="mail_when_ready", to="runs.run"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("member", "run"), name="mail_when_ready_unique")],
            },
        ),
        migrations.CreateModel(
            name="ChatChannel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "app",
                    models.CharField(
                        choices=[("slack", "Slack"), ("teams", "Microsoft Teams")], max_length=5, unique=True
                    ),
                ),
                ("sealed_address", models.TextField()),
                ("host", models.CharField(max_length=255)),
                ("kinds", models.JSONField(default=list)),
                ("language", models.CharField(blank=True, default="", max_length=10)),
                ("off_at", models.DateTimeField(blank=True, null=True)),
                ("error", models.CharField(blank=True, default="", max_length=300)),
                ("changed_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("apps", models.ManyToManyField(related_name="+", to="runs.app")),
            ],
        ),
        migrations.CreateModel(
            name="HeldOutputs",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "run",
                    models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="runs.run"),
                ),
                ("outputs", models.JSONField(default=list)),
            ],
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="RunWords",
                    fields=[
                        (
                            "run",
                            models.OneToOneField(
                                db_column="rowid",
                                db_constraint=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="+",
                                serialize=False,
                                to="runs.run",
                            ),
                        ),
                        ("words", models.TextField()),
                    ],
                    options={
                        "verbose_name_plural": "run words",
                    },
                ),
            ],
            database_operations=[migrations.RunPython(create_search_index, drop_search_index)],
        ),
        migrations.CreateModel(
            name="Selection",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="selections",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("browser", models.CharField(blank=True, db_default="", default="", max_length=16)),
                (
                    "place",
                    models.CharField(
                        choices=[("mine", "Mine"), ("team", "Team"), ("starred", "Starred"), ("results", "Results")],
                        max_length=7,
                    ),
                ),
                ("changed_at", models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                ("cleared_at", models.DateTimeField(blank=True, null=True)),
                ("runs", models.ManyToManyField(related_name="+", to="runs.run")),
                ("outputs", models.ManyToManyField(related_name="+", to="runs.output")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("cleared_at", None)),
                        fields=("member", "browser", "place"),
                        name="selection_open_unique",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Charge",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "run",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="charge",
                        to="runs.run",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="charges",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("member_name", models.CharField(max_length=254)),
                (
                    "app",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="charges",
                        to="runs.app",
                    ),
                ),
                ("app_name", models.TextField()),
                ("kind", models.CharField(blank=True, default="", max_length=50)),
                ("month", models.DateField()),
                ("hundredths", models.PositiveBigIntegerField(default=0)),
                ("is_unknown", models.BooleanField(default=False)),
                (
                    "source",
                    models.CharField(
                        choices=[("lamina", "Lamina's estimate"), ("admin", "an admin"), ("none", "unknown")],
                        max_length=6,
                    ),
                ),
                ("made", models.PositiveIntegerField(default=0)),
                ("total", models.PositiveIntegerField(default=0)),
                (
                    "state",
                    models.CharField(
                        choices=[("reserved", "Reserved"), ("kept", "Kept"), ("released", "Released")],
                        default="reserved",
                        max_length=8,
                    ),
                ),
                ("pressed_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("is_from_before", models.BooleanField(default=False)),
                ("is_maker_known", models.BooleanField(default=True)),
                ("approved", models.PositiveIntegerField(db_default=0, default=0)),
                ("rounds", models.PositiveIntegerField(db_default=0, default=0)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["month", "member"], name="charge_of_month"),
                    models.Index(
                        models.OrderBy(models.F("pressed_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="charge_lately",
                    ),
                    models.Index(
                        models.F("member"),
                        models.OrderBy(models.F("pressed_at"), descending=True),
                        name="charge_of_member",
                    ),
                    models.Index(fields=["app", "month"], name="charge_of_app"),
                    models.Index(
                        condition=models.Q(("is_from_before", True)), fields=["month"], name="charge_from_before"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("hundredths", 0), ("is_unknown", True), ("source", "none")),
                            models.Q(("is_unknown", False), models.Q(("source", "none"), _negated=True)),
                            _connector="OR",
                        ),
                        name="charge_unknown_has_no_source",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SpendingSum",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.DateField()),
                (
                    "member",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "app",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="runs.app"
                    ),
                ),
                ("kind", models.CharField(blank=True, default="", max_length=50)),
                ("hundredths", models.BigIntegerField(default=0)),
                ("reserved", models.BigIntegerField(default=0)),
                ("count", models.IntegerField(default=0)),
                ("unknown_count", models.IntegerField(default=0)),
                ("approved", models.IntegerField(db_default=0, default=0)),
                ("rounds", models.IntegerField(db_default=0, default=0)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("month", "member", "app", "kind"), name="spending_sum_unique")
                ],
            },
        ),
        migrations.CreateModel(
            name="GuestLink",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "public_id",
                    models.CharField(default=runs.models.ids.new_public_id, editable=False, max_length=16, unique=True),
                ),
                ("nonce", models.CharField(max_length=43)),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="guest_links",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("audience", models.CharField(blank=True, default="", max_length=150)),
                ("message", models.TextField(blank=True, default="")),
                ("passphrase", models.CharField(blank=True, default="", max_length=128)),
                ("may_download", models.BooleanField(default=False)),
                ("shows_inputs", models.BooleanField(default=False)),
                ("shows_app", models.BooleanField(default=False)),
                ("lists_maker", models.BooleanField(db_default=False, default=False)),
                ("lists_cost", models.BooleanField(db_default=False, default=False)),
                ("lists_decision", models.BooleanField(db_default=False, default=False)),
                ("lets_decide", models.BooleanField(db_default=False, default=False)),
                ("lets_comment", models.BooleanField(db_default=False, default=False)),
                ("shows_comments", models.BooleanField(db_default=False, default=False)),
                ("hides_names", models.BooleanField(db_default=False, default=False)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("expires_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "revoked_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("views", models.PositiveIntegerField(default=0)),
                ("viewed_at", models.DateTimeField(blank=True, null=True)),
                ("is_example", models.BooleanField(db_default=False, default=False, editable=False)),
            ],
            options={
                "ordering": ("-created_at",),
                "indexes": [models.Index(fields=["member", "-created_at"], name="guest_link_of_member")],
            },
        ),
        migrations.CreateModel(
            name="GuestLinkOutput",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "link",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="chosen", to="runs.guestlink"
                    ),
                ),
                (
                    "output",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="runs.output"),
                ),
                ("position", models.PositiveIntegerField()),
                ("is_replacement", models.BooleanField(db_default=False, default=False)),
            ],
            options={
                "ordering": ("position",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("is_replacement", True)),
                        fields=["output"],
                        name="guest_link_output_replaces",
                    )
                ],
                "constraints": [models.UniqueConstraint(fields=("link", "output"), name="guest_link_output_unique")],
            },
        ),
        migrations.CreateModel(
            name="Guest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "public_id",
                    models.CharField(default=runs.models.ids.new_public_id, editable=False, max_length=16, unique=True),
                ),
                (
                    "link",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="guests", to="runs.guestlink"
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("shown_name", models.CharField(max_length=100)),
                ("key", models.CharField(max_length=100)),
                (
                    "same_as",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="runs.guest",
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "ordering": ("created_at", "pk"),
                "constraints": [models.UniqueConstraint(fields=("link", "shown_name"), name="guest_shown_name_unique")],
            },
        ),
        migrations.CreateModel(
            name="SentAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "guest",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="runs.guest"),
                ),
                ("page_key", models.CharField(max_length=22)),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
            ],
            options={
                "indexes": [models.Index(fields=["page_key"], name="sent_answer_of_page")],
            },
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "guest",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="runs.guest",
                    ),
                ),
                (
                    "link",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="runs.guestlink",
                    ),
                ),
                ("guest_name", models.CharField(blank=True, default="", max_length=100)),
                ("guest_key", models.CharField(blank=True, default="", max_length=100)),
                (
                    "public_id",
                    models.CharField(default=runs.models.ids.new_public_id, editable=False, max_length=16, unique=True),
                ),
                (
                    "output",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="decisions", to="runs.output"
                    ),
                ),
                ("content_hash", models.CharField(blank=True, default="", max_length=64)),
                (
                    "act",
                    models.CharField(
                        choices=[
                            ("decide", "decided"),
                            ("undo", "undid a decision"),
                            ("withdraw", "withdrew a decision"),
                            ("set-aside", "set a decision aside"),
                        ],
                        default="decide",
                        max_length=9,
                    ),
                ),
                (
                    "verdict",
                    models.CharField(
                        blank=True,
                        choices=[("approved", "Approved"), ("changes", "Needs changes"), ("rejected", "Rejected")],
                        default="",
                        max_length=8,
                    ),
                ),
                ("note", models.CharField(blank=True, default="", max_length=500)),
                (
                    "chosen",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="runs.output",
                    ),
                ),
                (
                    "target",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="ended_by",
                        to="runs.decision",
                    ),
                ),
                ("batch", models.CharField(default=runs.models.ids.new_public_id, max_length=16)),
                ("is_standing", models.BooleanField(default=False)),
                ("is_counted", models.BooleanField(db_default=True, default=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "ordering": ("created_at", "pk"),
                "indexes": [
                    models.Index(fields=["batch"], name="decision_batch"),
                    models.Index(
                        models.F("member"),
                        models.OrderBy(models.F("created_at"), descending=True),
                        name="decision_of_member",
                    ),
                    models.Index(models.OrderBy(models.F("created_at"), descending=True), name="decision_lately"),
                    models.Index(
                        models.F("link"),
                        models.OrderBy(models.F("created_at"), descending=True),
                        condition=models.Q(("link__isnull", False)),
                        name="decision_of_guest",
                    ),
                    models.Index(
                        models.F("guest_key"),
                        models.OrderBy(models.F("created_at"), descending=True),
                        condition=models.Q(("link__isnull", False)),
                        name="decision_of_guest_name",
                    ),
                    models.Index(
                        models.OrderBy(models.F("created_at"), descending=True),
                        condition=models.Q(("link__isnull", False)),
                        name="decision_of_guests_lately",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_standing", True), ("member__isnull", False)),
                        fields=("output", "content_hash", "member"),
                        name="decision_standing_of_member",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_standing", True), ("member", None)),
                        fields=("output", "content_hash", "guest"),
                        name="decision_standing_of_guest",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("guest", None),
                                ("guest_key", ""),
                                ("guest_name", ""),
                                ("link", None),
                                ("member__isnull", False),
                            ),
                            models.Q(
                                ("guest__isnull", False),
                                ("link__isnull", False),
                                ("member", None),
                                models.Q(("guest_key", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="decision_of_member_or_guest",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("act", "decide"), models.Q(("verdict", ""), _negated=True)),
                            models.Q(
                                models.Q(("act", "decide"), _negated=True), ("is_standing", False), ("verdict", "")
                            ),
                            _connector="OR",
                        ),
                        name="decision_verdict_matches_act",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReviewRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "public_id",
                    models.CharField(default=runs.models.ids.new_public_id, editable=False, max_length=16, unique=True),
                ),
                (
                    "asker",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="review_requests",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "audience",
                    models.CharField(
                        choices=[
                            ("anyone", "Anyone who may decide"),
                            ("named", "Specific people"),
                            ("guests", "A client, via guest link"),
                        ],
                        default="anyone",
                        max_length=6,
                    ),
                ),
                (
                    "link",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="review_requests",
                        to="runs.guestlink",
                    ),
                ),
                ("message", models.CharField(blank=True, default="", max_length=200)),
                ("due_on", models.DateField(blank=True, null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("reminded_at", models.DateTimeField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "closed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("is_automatic", models.BooleanField(default=False)),
                ("is_example", models.BooleanField(db_default=False, default=False, editable=False)),
                ("members", models.ManyToManyField(related_name="asked_reviews", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "ordering": ("-created_at", "-pk"),
                "indexes": [
                    models.Index(
                        models.F("asker"),
                        models.OrderBy(models.F("created_at"), descending=True),
                        name="review_request_of_asker",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("audience", "guests"), ("link__isnull", False)),
                            models.Q(models.Q(("audience", "guests"), _negated=True), ("link", None)),
                            _connector="OR",
                        ),
                        name="review_request_of_guests_has_link",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ReviewItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="items", to="runs.reviewrequest"
                    ),
                ),
                (
                    "output",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="review_items", to="runs.output"
                    ),
                ),
                ("position", models.PositiveIntegerField()),
                ("due_on", models.DateField(default=datetime.date(9999, 12, 31))),
                ("waiting_since", models.DateTimeField(default=django.utils.timezone.now)),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ("position",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("settled_at", None)),
                        fields=["due_on", "waiting_since"],
                        name="review_item_queue",
                    )
                ],
                "constraints": [models.UniqueConstraint(fields=("request", "output"), name="review_item_unique")],
            },
        ),
        migrations.CreateModel(
            name="GuestContact",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "public_id",
                    models.CharField(default=runs.models.ids.new_public_id, editable=False, max_length=16, unique=True),
                ),
                (
                    "guest",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="contact", to="runs.guest"
                    ),
                ),
                ("email", models.EmailField(max_length=254)),
                ("language", models.CharField(blank=True, default="", max_length=10)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name="Mail",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "public_id",
                    models.CharField(default=runs.models.ids.new_public_id, editable=False, max_length=16, unique=True),
                ),
                (
                    "member",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mails",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "guest",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mails",
                        to="runs.guestcontact",
                    ),
                ),
                (
                    "sort",
                    models.CharField(
                        choices=[
                            ("once", "Immediately"),
                            ("daily", "Once a day"),
                            ("reminder", "Reminder of due decisions"),
                        ],
                        default="once",
                        max_length=8,
                    ),
                ),
                ("day", models.DateField(blank=True, null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("due_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("given_up_at", models.DateTimeField(blank=True, null=True)),
                ("error", models.CharField(blank=True, default="", max_length=300)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("given_up_at", None), ("sent_at", None)), fields=["due_at"], name="mail_due"
                    ),
                    models.Index(fields=["created_at"], name="mail_oldest"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("day__isnull", False)),
                        fields=("member", "sort", "day"),
                        name="mail_once_a_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("guest", None), ("member__isnull", False)),
                            models.Q(("guest__isnull", False), ("member", None)),
                            _connector="OR",
                        ),
                        name="mail_to_member_or_guest",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Comment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "guest",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="runs.guest",
                    ),
                ),
                (
                    "link",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="runs.guestlink",
                    ),
                ),
                ("guest_name", models.CharField(blank=True, default="", max_length=100)),
                ("guest_key", models.CharField(blank=True, default="", max_length=100)),
                (
                    "public_id",
                    models.CharField(default=runs.models.ids.new_public_id, editable=False, max_length=16, unique=True),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="comments", to="runs.run"
                    ),
                ),
                (
                    "output",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="comments",
                        to="runs.output",
                    ),
                ),
                ("content_hash", models.CharField(blank=True, default="", max_length=64)),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="replies",
                        to="runs.comment",
                    ),
                ),
                ("text", models.TextField(blank=True, default="", max_length=2000)),
                ("guests_see", models.BooleanField(default=False)),
                ("spot_x", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("spot_y", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("at_ms", models.PositiveIntegerField(blank=True, null=True)),
                ("file_position", models.PositiveIntegerField(db_default=0, default=0)),
                (
                    "carried_from",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="comments_carried_on",
                        to="runs.output",
                    ),
                ),
                ("written_hash", models.CharField(blank=True, db_default="", default="", max_length=64)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("edited_at", models.DateTimeField(blank=True, null=True)),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                ("resolved_at", models.DateTimeField(blank=True, null=True)),
                (
                    "resolved_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("created_at", "pk"),
                "indexes": [
                    models.Index(fields=["output", "created_at"], name="comment_of_output"),
                    models.Index(
                        condition=models.Q(("output", None)), fields=["run", "created_at"], name="comment_of_run"
                    ),
                    models.Index(
                        condition=models.Q(("carried_from__isnull", False)),
                        fields=["carried_from"],
                        name="comment_carried_from",
                    ),
                    models.Index(
                        models.F("member"),
                        models.OrderBy(models.F("created_at"), descending=True),
                        name="comment_of_member",
                    ),
                    models.Index(
                        models.F("link"),
                        models.OrderBy(models.F("created_at"), descending=True),
                        condition=models.Q(("link__isnull", False)),
                        name="comment_of_guest",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("guest", None),
                                ("guest_key", ""),
                                ("guest_name", ""),
                                ("link", None),
                                ("member__isnull", False),
                            ),
                            models.Q(
                                ("guest__isnull", False),
                                ("link__isnull", False),
                                ("member", None),
                                models.Q(("guest_key", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="comment_of_member_or_guest",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("spot_x", None), ("spot_y", None)),
                            models.Q(("spot_x__lte", 10000), ("spot_y__lte", 10000)),
                            _connector="OR",
                        ),
                        name="comment_spot_is_inside",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Mention",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "comment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="mention_rows", to="runs.comment"
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mention_rows",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("words", models.CharField(blank=True, default="", max_length=200)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("comment", "member"), name="mention_unique")],
            },
        ),
        migrations.CreateModel(
            name="CommentChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "comment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="changes", to="runs.comment"
                    ),
                ),
                (
                    "act",
                    models.CharField(
                        choices=[
                            ("resolved", "resolved a comment"),
                            ("reopened", "reopened a comment"),
                            ("edited", "edited a comment"),
                            ("removed", "removed a comment"),
                            ("carried", "carried a comment over"),
                            ("returned", "moved a comment back"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "ordering": ("created_at", "pk"),
            },
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "public_id",
                    models.CharField(default=runs.models.ids.new_public_id, editable=False, max_length=16, unique=True),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="notices", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("mention", "Someone mentions you"),
                            ("reply", "Someone replies to you"),
                            ("comment", "Someone comments on your run"),
                            ("asked", "You're asked for a decision"),
                            ("decided", "Someone decides on your result"),
                            ("set-aside", "Someone sets your decision aside"),
                            ("guest", "A guest answers or comments"),
                            ("ready", "Your run is ready"),
                            ("failed", "Your run fails"),
                            ("limit", "You've used most or all of your spending limit"),
                            ("portal", "The portal needs an admin's attention"),
                        ],
                        max_length=9,
                    ),
                ),
                ("event", models.CharField(max_length=60)),
                (
                    "run",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notices",
                        to="runs.run",
                    ),
                ),
                (
                    "output",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notices",
                        to="runs.output",
                    ),
                ),
                (
                    "comment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notices",
                        to="runs.comment",
                    ),
                ),
                (
                    "decision",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notices",
                        to="runs.decision",
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notices",
                        to="runs.reviewrequest",
                    ),
                ),
                ("message", models.CharField(blank=True, default="", max_length=300)),
                (
                    "actor",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("guest_name", models.CharField(blank=True, default="", max_length=100)),
                ("results", models.PositiveIntegerField(db_default=0, default=0)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("read_at", models.DateTimeField(blank=True, null=True)),
                ("is_undone", models.BooleanField(default=False)),
                (
                    "way",
                    models.CharField(
                        choices=[("off", "No email"), ("once", "Immediately"), ("daily", "Once a day")],
                        default="off",
                        max_length=5,
                    ),
                ),
                ("mail_due_at", models.DateTimeField(blank=True, null=True)),
                (
                    "mail",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="notices",
                        to="runs.mail",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at", "-pk"),
                "indexes": [
                    models.Index(
                        models.F("member"),
                        models.OrderBy(models.F("created_at"), descending=True),
                        name="notice_of_member",
                    ),
                    models.Index(
                        condition=models.Q(("is_undone", False), ("read_at", None)),
                        fields=["member"],
                        name="notice_unread",
                    ),
                    models.Index(
                        condition=models.Q(("mail", None), ("mail_due_at__isnull", False)),
                        fields=["mail_due_at"],
                        name="notice_mail_due",
                    ),
                    models.Index(
                        condition=models.Q(("mail", None), ("way", "daily")),
                        fields=["member"],
                        name="notice_for_daily_mail",
                    ),
                    models.Index(fields=["created_at"], name="notice_oldest"),
                ],
                "constraints": [models.UniqueConstraint(fields=("member", "event"), name="notice_once_per_person")],
            },
        ),
        migrations.CreateModel(
            name="Mute",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="mutes", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="mutes", to="runs.run"),
                ),
                (
                    "comment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mutes",
                        to="runs.comment",
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("comment", None)), fields=("member", "run"), name="mute_run_unique"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("comment__isnull", False)),
                        fields=("member", "comment"),
                        name="mute_comment_unique",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ChatMessage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "channel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="messages", to="runs.chatchannel"
                    ),
                ),
                ("event", models.CharField(max_length=60)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("mention", "Someone mentions you"),
                            ("reply", "Someone replies to you"),
                            ("comment", "Someone comments on your run"),
                            ("asked", "You're asked for a decision"),
                            ("decided", "Someone decides on your result"),
                            ("set-aside", "Someone sets your decision aside"),
                            ("guest", "A guest answers or comments"),
                            ("ready", "Your run is ready"),
                            ("failed", "Your run fails"),
                            ("limit", "You've used most or all of your spending limit"),
                            ("portal", "The portal needs an admin's attention"),
                        ],
                        max_length=9,
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="runs.run",
                    ),
                ),
                (
                    "output",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="runs.output",
                    ),
                ),
                (
                    "comment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="runs.comment",
                    ),
                ),
                (
                    "decision",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="runs.decision",
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="runs.reviewrequest",
                    ),
                ),
                ("message", models.CharField(blank=True, default="", max_length=300)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("due_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("given_up_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("given_up_at", None), ("sent_at", None)),
                        fields=["due_at"],
                        name="chat_message_due",
                    )
                ],
                "constraints": [models.UniqueConstraint(fields=("channel", "event"), name="chat_message_once")],
            },
        ),
        migrations.CreateModel(
            name="GuestNotice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="notices", to="runs.guestcontact"
                    ),
                ),
                ("event", models.CharField(max_length=60)),
                (
                    "output",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="runs.output"),
                ),
                (
                    "comment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="runs.comment",
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("mail_due_at", models.DateTimeField(blank=True, null=True)),
                (
                    "mail",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="guest_notices",
                        to="runs.mail",
                    ),
                ),
            ],
            options={
                "ordering": ("created_at", "pk"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("mail", None), ("mail_due_at__isnull", False)),
                        fields=["mail_due_at"],
                        name="guest_notice_due",
                    )
                ],
                "constraints": [models.UniqueConstraint(fields=("contact", "event"), name="guest_notice_once")],
            },
        ),
        migrations.CreateModel(
            name="RunInput",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="inputs", to="runs.run"
                    ),
                ),
                ("position", models.PositiveIntegerField()),
                ("name", models.TextField()),
                ("key", models.TextField(blank=True, default="")),
                ("parameter_id", models.TextField(blank=True, default="")),
                ("type", models.CharField(max_length=50)),
                ("value", models.JSONField(blank=True, default=str)),
                ("is_default", models.BooleanField(default=False)),
                ("is_hidden", models.BooleanField(db_default=False, default=False)),
            ],
            options={
                "ordering": ("position",),
                "constraints": [models.UniqueConstraint(fields=("run", "position"), name="run_input_position_unique")],
            },
        ),
        migrations.CreateModel(
            name="RunInputUpload",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "input",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="links", to="runs.runinput"
                    ),
                ),
                (
                    "upload",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="runs.upload"),
                ),
                ("position", models.PositiveIntegerField()),
            ],
            options={
                "ordering": ("position",),
            },
        ),
        migrations.AddField(
            model_name="app",
            name="schema",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="runs.appschema",
            ),
        ),
        migrations.AddField(
            model_name="guestlink",
            name="outputs",
            field=models.ManyToManyField(related_name="guest_links", through="runs.GuestLinkOutput", to="runs.output"),
        ),
        migrations.AddField(
            model_name="comment",
            name="mentions",
            field=models.ManyToManyField(
                related_name="mentioned_in", through="runs.Mention", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="runinput",
            name="uploads",
            field=models.ManyToManyField(related_name="inputs", through="runs.RunInputUpload", to="runs.upload"),
        ),
        migrations.RunPython(index_rare_runs, migrations.RunPython.noop),
    ]
