"""Add the index of the words in runs, and the table of known words."""

import django.db.models.deletion
from django.db import migrations, models

RUN_WORDS = {
    # The tokenizer only splits at spaces, because the portal has already split the text into words.
    "sqlite": "CREATE VIRTUAL TABLE runs_runwords USING fts5(words, detail=none, columnsize=0, tokenize='ascii')",
    "postgresql": "CREATE TABLE runs_runwords (rowid bigint PRIMARY KEY, words tsvector NOT NULL)",
}


def create(apps, schema_editor):
    schema_editor.execute(RUN_WORDS[schema_editor.connection.vendor])


def drop(apps, schema_editor):
    schema_editor.execute("DROP TABLE runs_runwords")


class Migration(migrations.Migration):
    dependencies = [("runs", "0028_member_time_zone")]
    operations = [
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
                    options={"verbose_name_plural": "run words"},
                ),
            ],
            database_operations=[migrations.RunPython(create, drop)],
        ),
        migrations.CreateModel(
            name="KnownWord",
            fields=[("word", models.CharField(max_length=40, primary_key=True, serialize=False))],
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
    ]
